using Streams.Connect;
using Streams.Errors;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary>What became of the letters that a replay was asked for.</summary>
internal sealed record DlqCounts
{
    internal long Replayed { get; set; }

    internal long ReplayedBefore { get; set; }

    internal long NotReplayable { get; set; }
}

/// <summary>The dead letters of a data directory.</summary>
internal static class DlqFiles
{
    // Its process may be running: what is shown is what was committed when this opened it.
    internal static EmbeddedLogView Look(string data)
    {
        string folder = DataFolder.LogFolder(data);
        return Directory.Exists(folder)
            ? EmbeddedLogView.Open(folder)
            : throw new ConfigurationException($"{data} is no data directory: it has no folder 'log'.");
    }

    internal static bool IsReplayed(EmbeddedLogView log, StoredLetter letter) => DeadLetterReplay.IsReplayed(
        log.Cursor, letter.Topic.Name, letter.Partition, letter.Offset);

    /// <summary>Replays letters, or says what that would do.</summary>
    internal static DlqCounts Replay(string data, DlqFilter filter, bool isDry)
    {
        // Who has no log gets no new one.
        using (Look(data))
        {
        }
        using EmbeddedLog log = EmbeddedLog.Open(new EmbeddedLogOptions
        {
            Directory = DataFolder.LogFolder(data),
        });
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using var replay = new DeadLetterReplay(log);
        var counts = new DlqCounts();
        List<Topic> topics = [.. log.Topics];
        foreach (StoredLetter letter in filter.Letters(
            topics, reader, log.StartOffset, p => log.EndOffset(p, ReadLevel.Committed)))
            Take(log, replay, letter, filter, isDry, counts);
        if (!isDry)
            log.WaitDurable(replay.Commit(), CancellationToken.None);
        return counts;
    }

    private static void Take(
        EmbeddedLog log, DeadLetterReplay replay, StoredLetter letter, DlqFilter filter, bool isDry,
        DlqCounts counts)
    {
        if (ObstacleOf(letter, filter) is { } obstacle)
        {
            counts.NotReplayable++;
            Console.Error.WriteLine(
                $"streams: {letter.Topic.Name} {letter.Partition} at offset {letter.Offset} cannot be "
                + $"replayed: {obstacle}");
            return;
        }
        bool isNew = isDry
            ? !DeadLetterReplay.IsReplayed(
                log.Cursor, letter.Topic.Name, letter.Partition, letter.Offset)
            : replay.Replay(letter.Topic, letter.Partition, letter.Offset, letter.Letter);
        if (isNew)
            counts.Replayed++;
        else
            counts.ReplayedBefore++;
    }

    // What a sink refused lies on its topic still, where tasks and other sinks have had it: again there is a
    // second time for them.
    private static string? ObstacleOf(StoredLetter letter, DlqFilter filter) =>
        letter.Letter.Stage.ToString() == "write" && filter.Stage is null
            ? "its topic has it still, and only a sink refused it; --stage write adds it once more, for "
                + "everyone who reads the topic"
            : DeadLetterReplay.Obstacle(letter.Letter);
}
