namespace Streams.Tests.Conformance;

/// <summary>What of a scenario can be on Kafka.</summary>
internal static class KafkaScenario
{
    private const long FirstMs = 1;

    /// <summary>The scenario as it is to come out on Kafka; null where it cannot be run step by step
    /// there.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="isMoved">Whether it has the time 0, which Kafka does not know: such records get the time
    /// 1, and what the test driver gives for that is expected.</param>
    internal static Scenario? Of(Scenario scenario, out bool isMoved)
    {
        isMoved = false;
        // A global table does not tell how far it has read, so no step has an end.
        if (ConformanceTopologies.Make(scenario) is not { } made || made.Topology.Globals.Count > 0)
            return null;
        isMoved = scenario.Steps.Any(s => s.Record is { TimestampMs: < FirstMs })
            || scenario.Expected.Any(e => e.Any(r => r.TimestampMs < FirstMs));
        if (!isMoved)
            return scenario;
        Scenario moved = scenario with
        {
            Steps = [.. scenario.Steps.Select(
                s => s.Record is { } record ? s with { Record = Moved(record) } : s)],
        };
        var expected = new List<IReadOnlyList<Emitted>>();
        ScenarioRunner.Run(moved, 0, null, (_, records) => expected.Add([.. records.Select(Moved)]));
        return moved with { Expected = expected };
    }

    private static Emitted Moved(Emitted record) =>
        record with { TimestampMs = Math.Max(record.TimestampMs, FirstMs) };
}
