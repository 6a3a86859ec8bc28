using System.Globalization;
using Streams.Tests.Reference;

namespace Streams.Tests.Conformance;

/// <summary>The topologies of the golden scenarios made of the references, which share no code with the
/// engine: what they give is what the engine has to give, whatever the parameters.</summary>
internal sealed partial class ReferenceTopology
{
    private readonly Scenario _scenario;
    private readonly List<Emitted> _emitted = [];
    private readonly Dictionary<string, Action<Row>> _inputs = [];
    private Action<long> _advance = _ => { };
    private long _wallMs;

    private ReferenceTopology(Scenario scenario) => _scenario = scenario;

    private delegate void Body(ReferenceTopology topology);

    private static Dictionary<string, Body> Bodies => new[] { StreamBodies, TableBodies, WindowBodies,
        JoinBodies }.SelectMany(b => b).ToDictionary();

    /// <summary>The operators that there are references of.</summary>
    internal static IEnumerable<string> Operators => Bodies.Keys;

    /// <summary>What each step of a scenario emits, by topic.</summary>
    internal static List<List<Emitted>> Run(Scenario scenario)
    {
        var made = new ReferenceTopology(scenario);
        Bodies[scenario.Operator](made);
        var all = new List<List<Emitted>>();
        foreach (Step step in scenario.Steps)
        {
            made.Perform(step);
            all.Add([.. made._emitted.OrderBy(e => e.Topic, StringComparer.Ordinal)]);
            made._emitted.Clear();
        }
        return all;
    }

    /// <summary>What a reader of a log that was written at once sees: every record of each topic.</summary>
    private void Perform(Step step)
    {
        if (step.Record is { } record)
        {
            if (_inputs.TryGetValue(record.Topic, out Action<Row>? input))
                input(new Row(record.Key, record.Value, record.TimestampMs, record.Headers));
            return;
        }
        _wallMs += step.AdvanceMs;
        _advance(_wallMs);
    }

    private void To(string topic, Row row) => _emitted.Add(
        new Emitted(topic, row.Key, row.Value, row.TimestampMs, row.Headers));

    private void Out(Row row) => To("out", row);

    private void OutRow(Change change) => Out(change.ToRow());

    private void OutWindow(Change change) => Out(change.ToWindowedRow());

    private void From(string topic, Action<Row> process)
    {
        if (_inputs.TryGetValue(topic, out Action<Row>? before))
            _inputs[topic] = row =>
            {
                before(row);
                process(row);
            };
        else
            _inputs[topic] = process;
    }

    private long Number(string name) => _scenario.Number(name);

    private bool HasMod(string? value) => value is not null && N(value) % Number("mod") == 0;

    private static int N(string? value) =>
        value is null ? -1 : int.Parse(value[(value.IndexOf('v') + 1)..], CultureInfo.InvariantCulture);

    private static string? Group(string? value) =>
        value is not null && value.Contains('|', StringComparison.Ordinal) ? value.Split('|')[0] : null;

    private static string Payload(string value) => value[(value.IndexOf('|') + 1)..];

    private static string Text(string? value) => value ?? "null";

    private static string Pair(string? left, string? right) => Text(left) + "/" + Text(right);

    private static Fold Plus => Folds.Aggregate("0", (agg, v) => agg + "+" + Text(v));

    private static Fold Joined => Folds.Reduce((x, y) => Text(x) + "+" + Text(y));
}
