using Streams.Records;
using Streams.Testing;

namespace Streams.Tests.Conformance;

/// <summary>Where a scenario's topology runs.</summary>
public interface IScenarioLog : IDisposable
{
    /// <summary>Puts a record in and waits until it is processed to the end.</summary>
    void Pipe(Emitted record);

    /// <summary>Moves the wall clock on and waits until what was due has happened.</summary>
    void AdvanceWallClock(TimeSpan by);

    /// <summary>What came out since the last call, by topic.</summary>
    IEnumerable<Emitted> ReadAll();

    /// <summary>Stops the topology and starts it on what it has committed.</summary>
    void Restart();
}

/// <summary>The test driver that users have: the log in memory, no threads.</summary>
internal sealed class DriverScenarioLog : IScenarioLog
{
    private readonly TopologyTestDriver _driver;
    private readonly Dictionary<string, TestInputTopic<string, string>> _inputs = [];
    private readonly List<(string Topic, TestOutputTopic<string, string> Output)> _outputs;

    internal DriverScenarioLog(ConformanceTopology made, TestDriverOptions options)
    {
        _driver = new TopologyTestDriver(made.Topology, options);
        _outputs = [.. made.Outputs.Select(
            o => (o, _driver.CreateOutputTopic(o, Serdes.String, Serdes.String)))];
    }

    public void Pipe(Emitted record)
    {
        if (!_inputs.TryGetValue(record.Topic, out TestInputTopic<string, string>? input))
            _inputs[record.Topic] = input = _driver.CreateInputTopic(
                record.Topic, Serdes.String, Serdes.String);
        input.Pipe(record.Key!, record.Value!, record.TimestampMs, record.EncodedHeaders());
    }

    public void AdvanceWallClock(TimeSpan by) => _driver.AdvanceWallClock(by);

    public IEnumerable<Emitted> ReadAll() => _outputs.SelectMany(
        o => o.Output.ReadAll().Select(record => Emitted.Of(o.Topic, record)));

    public void Restart() => _driver.Restart();

    public void Dispose() => _driver.Dispose();
}
