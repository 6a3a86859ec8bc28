using Streams.Connect;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Streams.Testing;

namespace Streams.Benchmarks.Micro;

/// <summary>
/// One task's operators, given records directly: what is measured is the operators and their state, without
/// reading and committing. Changes of state are flushed into a commit that is then given up.
/// </summary>
internal sealed class OperatorHarness<TKey, TValue> : IDisposable
{
    private const int RecordsPerFlush = 10_000;

    private readonly EmbeddedLog _log;
    private readonly ILogWriter _writer;
    private readonly StreamTask _task;
    private readonly TaskBuilder _builder;
    private readonly Receiver<TKey, TValue> _first;
    private int _sinceFlush;

    internal OperatorHarness(string topic, Topology topology)
    {
        _log = EmbeddedLog.Open(new EmbeddedLogOptions
        {
            Directory = "memory",
            FileSystem = new MemoryFileSystem(),
            DiskFreeBytesMin = 0,
            Manual = true,
        });
        _log.EnsureTopic(new TopicSpec { Name = topic });
        var definition = new ApplicationDefinition
        {
            Id = "benchmark",
            Topology = topology,
            DataFolder = Path.GetTempPath(),
        };
        new TopicSetup(definition, _log).Prepare();
        var environment = new TaskEnvironment(
            definition.Id, _log, new LogRoom(), definition.DataFolder, definition.Runtime,
            TimeProvider.System);
        _writer = _log.OpenWriter("benchmark");
        SubTopology part = topology.Parts.Single(p => p.Sources.Any(s => s.TopicName == topic));
        _task = new StreamTask(new TaskId(part.Id, 0), part, environment, _writer);
        _builder = new TaskBuilder(_task.Scope);
        var source = (SourceNode<TKey, TValue>)part.Sources.Single(s => s.TopicName == topic);
        _first = source.Output.Resolve(_builder);
        _builder.Open();
    }

    /// <summary>Processes one record.</summary>
    internal void Process(in Record<TKey, TValue> record)
    {
        if (record.TimestampMs > _task.Scope.StreamTimeMs)
            _task.Scope.StreamTimeMs = record.TimestampMs;
        _first.Process(record);
        if (++_sinceFlush == RecordsPerFlush)
            Flush();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _builder.Dispose();
        _task.Dispose();
        _writer.Dispose();
        _log.Dispose();
    }

    private void Flush()
    {
        _sinceFlush = 0;
        _task.PrepareCommit();
        _writer.Abort();
    }
}
