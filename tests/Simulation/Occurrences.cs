namespace Streams.Tests.Simulation;

/// <summary>What has to occur in any few hundred simulations: every operator, every accident.</summary>
internal static class Occurrences
{
    private const string Operators = """
        aggregate
        as-of join
        as-of join with grace
        branch
        cogroup
        cogroup, hopping windows
        cogroup, session windows
        cogroup, sliding windows
        cogroup, tumbling windows
        count
        deduplicate
        failing map
        filter
        filtered table group-by
        flat map
        flat map values
        foreign-key inner join
        foreign-key left join
        global-table inner join
        global-table left join
        hopping windows
        hopping windows, emitted on close
        hopping windows, suppressed until close
        map
        map values
        merge
        reduce
        repartition
        select key
        self-join
        self-join, optimised
        session windows
        session windows, emitted on close
        session windows, suppressed until close
        sink
        sliding windows
        sliding windows, emitted on close
        source
        source with a timestamp extractor
        stream-stream Inner join
        stream-stream Left join
        stream-stream Left join, prompt
        stream-stream Outer join
        stream-stream Outer join, prompt
        stream-table inner join
        stream-table left join
        stream-time punctuator
        suppress until a time limit
        table
        table filter
        table group-by
        table map values
        table-table Inner join
        table-table Left join
        table-table Outer join
        tumbling windows
        tumbling windows, emitted on close
        tumbling windows, suppressed until close
        versioned table
        wall-clock punctuator
        """;

    private const string Accidents = """
        bit flipped
        clock was set back
        clock was set forward
        commit was given up on a full disk
        damage was reported
        dead letter of a failing operator
        disk filled up
        ends restarted
        kill
        late record
        loss of a store was refused
        power cut
        record left out by its timestamp extractor
        several threads
        snapshot
        source did not answer
        source lost its connection
        source reordered records
        source repeated a record
        source was stopped by a full disk
        start was checked
        target refused
        target was cut off
        target's answer was lost
        thread restarted
        topology was changed
        """;

    /// <summary>All of it, by name.</summary>
    internal static IEnumerable<string> All =>
        (Operators + "\n" + Accidents).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
