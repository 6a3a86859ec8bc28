using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Streams.Testing;

namespace Streams.Benchmarks.Micro;

/// <summary>
/// A small topology and the records that go through it. Where it is one part, records are pushed into its
/// operators, and changes of state are flushed into commits that are given up: operators and state alone.
/// Where it is several, or needs a log, records go from topic to topic of a log in memory.
/// </summary>
internal sealed class OperatorRun : IDisposable
{
    private const int RecordsPerFlush = 10_000;
    private const int Keys = 1_000;

    private static readonly string[] Topics = ["a", "b"];

    private readonly EmbeddedLog _log;
    private readonly ILogWriter _writer;
    private readonly ILogWriter _input;
    private readonly ILogReader _reader;
    private readonly GlobalTables? _globals;
    private readonly List<StreamTask> _tasks = [];
    private readonly List<Topic> _topics = [];
    private readonly List<Receiver<long, long>> _inputs = [];
    private readonly TaskBuilder? _builder;
    private long _record;

    internal OperatorRun(OperatorCase operatorCase)
    {
        var builder = new StreamsBuilder();
        operatorCase.Write(builder);
        Topology topology = builder.Build();
        _log = EmbeddedLog.Open(new EmbeddedLogOptions
        {
            Directory = "memory",
            FileSystem = new MemoryFileSystem(),
            DiskFreeBytesMin = 0,
            Manual = true,
        });
        foreach (string topic in Topics.Where(topology.SourceTopics.Contains))
            _topics.Add(_log.EnsureTopic(new TopicSpec { Name = topic, Retention = null }));
        var definition = new ApplicationDefinition { Id = "run", Topology = topology, DataFolder = "" };
        new TopicSetup(definition, _log).Prepare();
        var environment = new TaskEnvironment(
            definition.Id, _log, new LogRoom(), "", new RuntimeOptions
            {
                Snapshots = new() { ChangelogBytesMin = long.MaxValue },
            },
            TimeProvider.System);
        _writer = _log.OpenWriter("run");
        _input = _log.OpenWriter("input");
        _reader = _log.OpenReader(ReadLevel.Committed);
        _globals = GlobalTables.Open(topology, environment, _reader, CancellationToken.None);
        foreach (SubTopology part in topology.Parts)
        {
            _tasks.Add(new StreamTask(new TaskId(part.Id, 0), part, environment, _writer, _globals));
            _tasks[^1].Restore(_log, _reader, CancellationToken.None);
        }
        if (operatorCase.ThroughLog)
            return;
        _builder = new TaskBuilder(_tasks.Single().Scope);
        foreach (Topic topic in _topics)
            _inputs.Add(((SourceNode<long, long>)topology.Parts[0].Sources.Single(
                s => s.TopicName == topic.Name)).Output.Resolve(_builder));
        _builder.Open();
    }

    /// <summary>Processes so many records: a thousand keys in turn, a millisecond from one to the next, one
    /// in ten 15 ms late; the inputs take turns.</summary>
    internal void Process(int records)
    {
        for (int done = 0; done < records; done += RecordsPerFlush)
        {
            if (_builder is not null)
                Push(RecordsPerFlush);
            else
                Pass(RecordsPerFlush);
        }
    }

    public void Dispose()
    {
        _builder?.Dispose();
        foreach (StreamTask task in _tasks)
            task.Dispose();
        _globals?.Dispose();
        _reader.Dispose();
        _input.Dispose();
        _writer.Dispose();
        _log.Dispose();
    }

    private void Push(int records)
    {
        StreamTask task = _tasks[0];
        for (int i = 0; i < records; i++)
        {
            Record<long, long> record = Next(out int input, _inputs.Count);
            if (record.TimestampMs > task.Scope.StreamTimeMs)
                task.Scope.StreamTimeMs = record.TimestampMs;
            _inputs[input].Process(record);
            if (task.Scope.Punctuations.HasStreamTime)
                task.Scope.Punctuations.PunctuateStreamTime(task.Scope);
        }
        task.PrepareCommit();
        _writer.Abort();
    }

    private void Pass(int records)
    {
        Span<byte> key = stackalloc byte[8];
        Span<byte> value = stackalloc byte[8];
        for (int i = 0; i < records; i++)
        {
            Record<long, long> record = Next(out int input, _topics.Count);
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(key, record.Key);
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(value, record.Value);
            _input.Append(_topics[input][0], new LogRecord
            {
                TimestampMs = record.TimestampMs,
                HasKey = true,
                Key = key,
                HasValue = true,
                Value = value,
            });
        }
        _input.Commit();
        for (int processed = 1; processed > 0;)
        {
            processed = 0;
            _globals?.Update(_reader, CancellationToken.None);
            foreach (StreamTask task in _tasks)
                processed += task.Process(_reader, int.MaxValue);
            foreach (StreamTask task in _tasks)
                task.PrepareCommit();
            _writer.Commit();
        }
        // Calls end on other threads.
        while (_tasks.Exists(t => t.Scope.Async.Held > 0))
            _tasks.ForEach(t => t.Forward());
    }

    private Record<long, long> Next(out int input, int inputs)
    {
        long number = _record++;
        input = (int)(number % inputs);
        return new Record<long, long>(
            number / inputs % Keys, number, 3_600_000 + number - (number % 10 == 0 ? 15 : 0));
    }
}
