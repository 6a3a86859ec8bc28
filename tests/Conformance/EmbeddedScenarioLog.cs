using Streams.Buffers;
using Streams.Connect;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Testing;
using Streams.Tests.Support;

namespace Streams.Tests.Conformance;

/// <summary>
/// A topology as production runs it: a stream thread of its own over the embedded log in a folder, with
/// commits and snapshots; only the wall clock is the scenario's.
/// </summary>
internal sealed class EmbeddedScenarioLog : IScenarioLog
{
    private const string ApplicationId = "conformance";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();
    private readonly Topology _topology;
    private readonly IReadOnlyList<string> _outputs;
    private readonly VirtualClock _clock = new(DateTimeOffset.UnixEpoch);
    private readonly Dictionary<string, long> _read = [];
    private IdleWatch _log = null!;
    private ILogWriter _input = null!;
    private CancellationTokenSource _stop = null!;
    private Thread _thread = null!;
    private Exception? _failure;

    internal EmbeddedScenarioLog(ConformanceTopology made)
    {
        _topology = made.Topology;
        _outputs = made.Outputs;
        Start();
    }

    public void Pipe(Emitted record)
    {
        _input.Append(_log.FindTopic(record.Topic)![0], new LogRecord
        {
            TimestampMs = record.TimestampMs,
            HasKey = record.Key is not null,
            Key = BytesOf(record.Key),
            HasValue = record.Value is not null,
            Value = BytesOf(record.Value),
            Headers = record.EncodedHeaders().Encoded,
        });
        _input.Commit();
        // A thread takes in what is new of global tables once a turn.
        if (_topology.Globals.Any(g => g.TopicName == record.Topic))
            WaitForTurn();
        else
            WaitUntil(() => IsCaughtUp);
    }

    public void AdvanceWallClock(TimeSpan by)
    {
        _clock.Advance(by);
        WaitForTurn();
    }

    public IEnumerable<Emitted> ReadAll()
    {
        using ILogReader reader = _log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        foreach (string name in _outputs)
        {
            TopicPartition partition = _log.FindTopic(name)![0];
            for (; reader.Read(partition, _read.GetValueOrDefault(name), batch);
                _read[name] = batch.NextOffset)
            {
                while (TryRead(batch, name) is { } record)
                    yield return record;
            }
        }
    }

    /// <summary>Stops as SIGTERM does, and starts again on what is in the folder.</summary>
    public void Restart()
    {
        Stop();
        Start();
    }

    public void Dispose()
    {
        Stop();
        _folder.Dispose();
    }

    private bool IsCaughtUp
    {
        get
        {
            List<(long Position, TopicPartition Partition)> positions = [.. _topology.Parts
                .SelectMany(p => p.Sources)
                .Select(s => s.IsInternal ? $"{ApplicationId}-{s.TopicName}" : s.TopicName)
                .Select(name => _log.FindTopic(name)![0])
                .Select(p => (_log.CommittedOffset(ApplicationId, p) ?? 0, p))];
            return positions.TrueForAll(
                p => p.Position == _log.EndOffset(p.Partition, ReadLevel.Committed));
        }
    }

    private void Start()
    {
        _log = new IdleWatch(EmbeddedLog.Open(new EmbeddedLogOptions
        {
            Directory = _folder.File("log"),
            DiskFreeBytesMin = 0,
        }));
        foreach (string topic in _topology.SourceTopics.Concat(_topology.SinkTopics))
            _log.EnsureTopic(new TopicSpec { Name = topic, Partitions = 1, Retention = null });
        var definition = new ApplicationDefinition
        {
            Id = ApplicationId,
            Topology = _topology,
            DataFolder = _folder.Path,
            Runtime = new RuntimeOptions
            {
                DecodingFailures = FailurePolicy.Fail,
                Snapshots = new SnapshotOptions { ChangelogBytesMin = 1, ChangelogPercentMin = 0 },
            },
        };
        IReadOnlyList<TaskId> tasks = new TopicSetup(definition, _log).Prepare();
        var environment = new TaskEnvironment(
            ApplicationId, _log, new LogRoom(), _folder.Path, definition.Runtime, _clock);
        _input = _log.OpenWriter("input");
        _stop = new CancellationTokenSource();
        var thread = new StreamThread(_topology, environment, _log.ShareWork(1, 1), tasks, 0, 1);
        _thread = new Thread(() => Run(thread, _stop.Token));
        _thread.Start();
    }

    private void Run(StreamThread thread, CancellationToken cancellation)
    {
        try
        {
            thread.Run(cancellation);
        }
        catch (Exception e)
        {
            // What waits for the thread reports it.
            _failure = e;
        }
    }

    private void Stop()
    {
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
        _input.Dispose();
        _log.Dispose();
    }

    // The turn under way may have looked at the clock before; the one after it has not.
    private void WaitForTurn()
    {
        long idle = _log.IdleTurns;
        WaitUntil(() => _log.IdleTurns >= idle + 2 && IsCaughtUp);
    }

    private void WaitUntil(Func<bool> isSo)
    {
        long started = Environment.TickCount64;
        var waiting = new SpinWait();
        while (!isSo())
        {
            if (_failure is not null)
                throw new InvalidOperationException(
                    $"The stream thread failed: {_failure.Message}", _failure);
            if (Environment.TickCount64 - started > Patience.TotalMilliseconds)
                throw new TimeoutException($"Nothing came of a step within {Patience.TotalSeconds:N0} s.");
            waiting.SpinOnce();
        }
    }

    private static Emitted? TryRead(LogBatch batch, string topic) =>
        batch.TryRead(out LogRecord record) ? Emitted.Of(topic, record) : null;

    private static byte[] BytesOf(string? text)
    {
        using var bytes = new PooledBuffer();
        if (text is not null)
            Serdes.String.Serialize(text, bytes);
        return bytes.WrittenSpan.ToArray();
    }
}

/// <summary>A log that counts how often the stream thread found nothing to do.</summary>
internal sealed class IdleWatch(ITopicLog log) : ITopicLog
{
    private long _idleTurns;

    public string Id => log.Id;

    public IReadOnlyList<Topic> Topics => log.Topics;

    public long DurableCommit => log.DurableCommit;

    internal long IdleTurns => Interlocked.Read(ref _idleTurns);

    public Topic EnsureTopic(TopicSpec spec) => log.EnsureTopic(spec);

    public bool DeleteTopic(string name) => log.DeleteTopic(name);

    public Topic? FindTopic(string name) => log.FindTopic(name);

    public bool SharesWork => log.SharesWork;

    public LaneBoard ShareWork(int lanes, int slots) => log.ShareWork(lanes, slots);

    public ILogWriter OpenWriter(string writerId, bool exclusive = true) =>
        log.OpenWriter(writerId, exclusive);

    public ILogReader OpenReader(ReadLevel level) => log.OpenReader(level);

    public long StartOffset(TopicPartition partition) => log.StartOffset(partition);

    public long EndOffset(TopicPartition partition, ReadLevel level) => log.EndOffset(partition, level);

    public long? CommittedOffset(string group, TopicPartition partition) =>
        log.CommittedOffset(group, partition);

    public byte[]? Cursor(string source, string key) => log.Cursor(source, key);

    public IReadOnlyList<KeyValuePair<string, byte[]>> Cursors(string source) => log.Cursors(source);

    public void WaitDurable(long commit, CancellationToken cancellation) =>
        log.WaitDurable(commit, cancellation);

    public long WaitForCommit(long commit, TimeSpan timeout, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _idleTurns);
        return log.WaitForCommit(commit, timeout, cancellation);
    }

    public void DeleteRecordsBefore(TopicPartition partition, long offset) =>
        log.DeleteRecordsBefore(partition, offset);

    public void Dispose() => log.Dispose();
}
