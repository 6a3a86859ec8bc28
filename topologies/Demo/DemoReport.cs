using System.Text.Json;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Connectors.Chain;
using Streams.Topologies.Transactions;
using static Streams.Topologies.Demo.DemoWords;

namespace Streams.Topologies.Demo;

/// <summary>What a demonstration says before it begins and when it has ended.</summary>
internal static class DemoReport
{
    private const int ExamplesMax = 5;

    /// <summary>Says what is about to happen.</summary>
    internal static void WriteStart(DemoPlan plan, DemoFolder folder, TextWriter to)
    {
        to.WriteLine(
            $"A simulated Bitcoin network feeds {Count(plan.Rate)} transactions a second for " +
            $"{plan.Seconds} s, as raw blocks, with known");
        to.WriteLine(
            "behaviour among them. What finds it is what 'streams run' runs: reader, log, topology, SQLite.");
        to.WriteLine($"Seed {plan.Simulation.Seed}; data in {folder.Path}; Ctrl-C ends it early.");
        to.WriteLine();
    }

    /// <summary>Says how it went.</summary>
    internal static void Write(DemoOutcome outcome, TextWriter to)
    {
        to.WriteLine();
        WriteFeed(outcome, to);
        to.WriteLine();
        WriteFindings(outcome.Result, to);
        to.WriteLine();
        WriteDeliveries(outcome, to);
        to.WriteLine();
        WriteFiles(outcome, to);
    }

    /// <summary>The same for scripts, as one line of JSON.</summary>
    internal static void WriteJson(DemoOutcome outcome, TextWriter to) =>
        to.WriteLine(JsonSerializer.Serialize(new
        {
            seed = outcome.Plan.Simulation.Seed,
            seconds = outcome.Last.Elapsed.TotalSeconds,
            transactions = outcome.Last.Transactions.Total,
            transactions_per_second = outcome.TransactionsPerSecond,
            blocks = outcome.Last.Blocks.Total,
            blocks_planned = outcome.Plan.Simulation.BlocksMax,
            bytes = outcome.Last.Bytes.Total,
            enriched = outcome.Last.Enriched.Total,
            alerts = outcome.Last.Alerts.Total,
            whole = outcome.IsWhole,
            stopped_early = outcome.IsStoppedEarly,
            drained = outcome.IsDrained,
            duplicate_blocks = outcome.Last.DuplicateBlocks,
            refused_blocks = outcome.Last.RefusedBlocks,
            latency_seconds = new
            {
                enriched = Json(outcome.Last.ToEnriched),
                alert = Json(outcome.Last.ToAlert),
                sqlite = Json(outcome.Last.ToSink),
            },
            recall = outcome.Result.Recall,
            false_alarms = outcome.Result.FalseAlarmCount,
            typologies = outcome.Result.Typologies.Select(t => new
            {
                typology = EnumName(t.Typology),
                rule = (int)t.Rule,
                injected = t.Injected,
                found = t.Found,
                missed = t.Missed,
                alerted = t.Alerted,
                false_alarms = t.FalseAlarms,
            }),
            sqlite = outcome.Folder.SqliteFile,
        }));

    private static object Json(Latency latency) => new
    {
        p50 = latency.P50?.TotalSeconds,
        p99 = latency.P99?.TotalSeconds,
        max = latency.Max?.TotalSeconds,
    };

    private static string EnumName(SimulatedTypology typology) =>
        JsonNamingPolicy.SnakeCaseLower.ConvertName(typology.ToString());

    private static void WriteFeed(DemoOutcome outcome, TextWriter to)
    {
        DemoSnapshot last = outcome.Last;
        to.WriteLine(
            $"Fed {Count(last.Transactions.Total)} transactions in {Plural(last.Blocks.Total, "block")}, " +
            $"{Bytes(last.Bytes.Total)}, in {Time(last.Elapsed)}: " +
            $"{Count(outcome.TransactionsPerSecond)} transactions a second.");
        to.WriteLine(PaceOf(outcome));
        if (!outcome.IsDrained)
            to.WriteLine("It was cut off: not everything that was fed is scored and written.");
        to.WriteLine();
        to.WriteLine("  from the raw block to                   p50       p99   longest");
        Line("its scored transactions, durable", last.ToEnriched);
        Line("an alert", last.ToAlert);
        Line("its rows in SQLite, committed", last.ToSink);

        void Line(string what, Latency latency) => to.WriteLine(Invariant(
            $"  {what,-34} {Time(latency.P50),8}  {Time(latency.P99),8}  {Time(latency.Max),8}"));
    }

    // Honest about what decided the number of blocks: the plan, the user, or the speed of the machine.
    private static string PaceOf(DemoOutcome outcome)
    {
        DemoPlan plan = outcome.Plan;
        string again = $"'streams demo --seed {plan.Simulation.Seed} --seconds {plan.Seconds} " +
            $"--rate {plan.Rate}'";
        if (outcome.IsWhole)
            return $"Every block of the plan was fed, so {again} finds the same again.";
        string fed = $"{Count(outcome.Last.Blocks.Total)} of {Count(plan.Simulation.BlocksMax)} blocks";
        return outcome.IsStoppedEarly
            ? $"It was stopped after {fed}; {again} feeds the same blocks and goes on after them."
            : $"This machine did not keep up with {Count(plan.Rate)} a second, with SQLite written as " +
                $"well: {fed} were fed in the time.\nWith the seed {plan.Simulation.Seed} the same blocks " +
                "come again, but how many of them depends on the speed of the machine.";
    }

    private static void WriteFindings(DemoResult result, TextWriter to)
    {
        WriteRow("what was put in", "rule", "injected", "found", "missed", "alerted", "false alarms");
        foreach (TypologyResult row in result.Typologies)
        {
            if (IsDelivery(row.Typology))
                continue;
            WriteRow(
                NameOf(row.Typology), NumberOf(row.Rule), Count(row.Injected), Count(row.Found),
                Count(row.Missed), ScoresForAlerts(row) ? Count(row.Alerted) : "-", Count(row.FalseAlarms));
        }
        List<TypologyResult> rows = [.. result.Typologies.Where(t => !IsDelivery(t.Typology))];
        long injected = rows.Sum(t => t.Injected);
        long found = rows.Sum(t => t.Found);
        WriteRow("all", "", Count(injected), Count(found), Count(injected - found),
            Count(rows.Sum(t => t.Alerted)), Count(rows.Sum(t => t.FalseAlarms)));
        to.WriteLine();
        string recall = injected == 0
            ? "Nothing was put in"
            : Invariant($"Recall {100.0 * found / injected:F1} %");
        to.WriteLine(
            $"{recall}; {Plural(rows.Sum(t => t.FalseAlarms), "false alarm")} in " +
            $"{Count(result.Transactions)} transactions. Counted are injections that were complete before " +
            "the end;");
        to.WriteLine(
            $"'-' marks what scores below {new RiskOptions().AlertScoreMin}: it is found, and stands on " +
            "the transaction, but alerts nobody.");
        WriteExamples(result, to);

        void WriteRow(
            string what, string rule, string injected, string found, string missed, string alerted,
            string falseAlarms) => to.WriteLine(
                $"  {what,-36} {rule,-4} {injected,8} {found,7} {missed,7} {alerted,8} {falseAlarms,13}");
    }

    private static void WriteExamples(DemoResult result, TextWriter to)
    {
        foreach (Injection missed in result.Missed.Take(ExamplesMax))
            to.WriteLine($"  missed: {NameOf(missed.Typology)}, transaction {missed.FiresOn}");
        foreach (FalseAlarm alarm in result.FalseAlarms.Take(ExamplesMax))
            to.WriteLine($"  false alarm: {NameOf(alarm.Typology)}, transaction {alarm.TxId}");
    }

    private static void WriteDeliveries(DemoOutcome outcome, TextWriter to)
    {
        TypologyResult Row(SimulatedTypology typology) =>
            outcome.Result.Typologies.Single(t => t.Typology == typology);
        TypologyResult twice = Row(SimulatedTypology.DuplicateBlock);
        TypologyResult flipped = Row(SimulatedTypology.FlippedBit);
        TypologyResult cut = Row(SimulatedTypology.TruncatedBlock);
        to.WriteLine(
            $"{Plural(twice.Injected, "block")} came twice: {Count(outcome.Last.DuplicateBlocks)} " +
            "recognised, and nothing of them counted again.");
        to.WriteLine(
            $"{Plural(flipped.Injected, "block")} came with a flipped bit and {Count(cut.Injected)} cut " +
            $"short before the whole copy: {Count(outcome.Last.RefusedBlocks)} refused, each kept as a " +
            "dead letter.");
        long Topic(string name) => outcome.Summary.Topics.FirstOrDefault(t => t.Topic == name).Records;
        to.WriteLine(
            $"Read {Count(Topic(TransactionsTopology.Transactions))} transactions, scored " +
            $"{Count(Topic(TransactionsTopology.Enriched))}, dropped " +
            $"{Count(outcome.Summary.Topology.GetValueOrDefault("duplicates"))}; " +
            $"{Plural(Topic(TransactionsTopology.Alerts), "alert")}, " +
            $"{Plural(Topic(TransactionsTopology.DeadLetters), "dead letter")}.");
    }

    private static void WriteFiles(DemoOutcome outcome, TextWriter to)
    {
        to.WriteLine($"The results are in {outcome.Folder.SqliteFile}. Three questions to begin with:");
        foreach (DemoQuery query in DemoQueries.All)
        {
            to.WriteLine();
            to.WriteLine($"  -- {query.Question}");
            foreach (string line in query.Sql.Split('\n'))
                to.WriteLine($"  {line}");
        }
    }

    private static bool IsDelivery(SimulatedTypology typology) => typology is SimulatedTypology.DuplicateBlock
        or SimulatedTypology.FlippedBit or SimulatedTypology.TruncatedBlock;

    // R7 to R10 score below the threshold of alerts, and a structure that no rule names scores nothing.
    private static bool ScoresForAlerts(TypologyResult row) =>
        row.Alerted > 0 || row.Rule is > RiskRule.None and <= RiskRule.Structuring;
}
