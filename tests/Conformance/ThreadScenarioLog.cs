using Microsoft.Extensions.Logging.Abstractions;
using Streams.Buffers;
using Streams.Connect;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Kafka;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Testing;
using Streams.Tests.Support;

namespace Streams.Tests.Conformance;

/// <summary>
/// A topology as production runs it: a stream thread of its own over the embedded log in a folder, or over
/// Kafka, with commits and snapshots; only the wall clock is the scenario's.
/// </summary>
internal sealed class ThreadScenarioLog : IScenarioLog
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static int _applications;

    private readonly TemporaryFolder _folder = new();
    private readonly Topology _topology;
    private readonly IReadOnlyList<string> _outputs;
    private readonly VirtualClock _clock = new(DateTimeOffset.UnixEpoch);
    private readonly Dictionary<string, long> _read = [];
    private readonly Func<string, string, ITopicLog> _open;
    private readonly string _application;
    private IdleWatch _log = null!;
    private ILogWriter _input = null!;
    private LaneBoard _board = null!;
    private CancellationTokenSource _stop = null!;
    private Thread _thread = null!;
    private Exception? _failure;

    /// <summary>Starts a topology on a log.</summary>
    /// <param name="made">The topology.</param>
    /// <param name="open">Opens the log for an application of that name, in a folder.</param>
    private ThreadScenarioLog(ConformanceTopology made, Func<string, string, ITopicLog> open)
    {
        _open = open;
        _application = $"c{Guid.NewGuid():N}"[..8] + Interlocked.Increment(ref _applications);
        _topology = made.Topology;
        _outputs = made.Outputs;
        Start();
    }

    internal static ThreadScenarioLog Embedded(ConformanceTopology made) => new(
        made, (_, folder) => EmbeddedLog.Open(new EmbeddedLogOptions
        {
            Directory = folder,
            DiskFreeBytesMin = 0,
        }));

    internal static ThreadScenarioLog Kafka(ConformanceTopology made, string brokers) => new(
        made, (application, _) => KafkaLog.Open(
            application, new KafkaLogOptions { Brokers = brokers }, NullLogger.Instance));

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
            long end = _log.HighWatermark(partition);
            while (_read.GetValueOrDefault(name) < end)
            {
                if (!reader.Read(partition, _read.GetValueOrDefault(name), batch))
                {
                    reader.WaitForMore();
                    continue;
                }
                while (TryRead(batch, name) is { } record)
                    yield return record;
                _read[name] = batch.NextOffset;
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
        End();
        foreach (Topic topic in _log.SharesWork ? _log.OwnTopics : [])
            _log.DeleteTopic(topic.Name);
        _log.Dispose();
        _folder.Dispose();
    }

    private bool IsCaughtUp
    {
        get
        {
            List<(long Position, TopicPartition Partition)> positions = [.. _topology.Parts
                .SelectMany(p => p.Sources)
                .Select(s => s.IsInternal ? $"{_application}-{s.TopicName}" : s.TopicName)
                .Select(name => _log.FindTopic(name)![0])
                .Select(p => (_log.CommittedOffset(_application, p) ?? 0, p))];
            return positions.TrueForAll(p => p.Position == _log.HighWatermark(p.Partition));
        }
    }

    private void Start()
    {
        _log = new IdleWatch(_open(_application, _folder.File("log")), $"{_application}-");
        foreach (string topic in _topology.SourceTopics.Concat(_topology.SinkTopics))
            _log.EnsureTopic(new TopicSpec { Name = topic, Partitions = 1, Retention = null });
        var definition = new ApplicationDefinition
        {
            Id = _application,
            Topology = _topology,
            DataFolder = _folder.Path,
            Runtime = new RuntimeOptions
            {
                DecodingFailures = FailurePolicy.Fail,
                CommitInterval = TimeSpan.Zero,
                Snapshots = new SnapshotOptions { ChangelogBytesMin = 1, ChangelogPercentMin = 0 },
            },
        };
        IReadOnlyList<TaskId> tasks = new TopicSetup(definition, _log, _log.SharesWork).Prepare();
        var environment = new TaskEnvironment(
            _application, _log, new LogRoom(), _folder.Path, definition.Runtime, _clock);
        _input = _log.OpenWriter("input");
        _stop = new CancellationTokenSource();
        _board = _log.ShareWork(1, 1);
        var thread = new StreamThread(_topology, environment, _board, tasks, 0, 1);
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
        End();
        _log.Dispose();
    }

    private void End()
    {
        _stop.Cancel();
        _thread.Join();
        _board.Dispose();
        _stop.Dispose();
        _input.Dispose();
    }

    // The turn under way may have looked at the clock before; the one after it has not; where commits are
    // made by time, the one after that commits.
    private void WaitForTurn()
    {
        long idle = _log.IdleTurns;
        WaitUntil(() => _log.IdleTurns >= idle + 3 && IsCaughtUp);
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

/// <summary>A log that counts how often the stream thread found nothing to do, and whose topics have names of
/// this application alone, for others may use the same brokers.</summary>
internal sealed class IdleWatch(ITopicLog log, string prefix) : ITopicLog
{
    private long _idleTurns;

    public string Id => log.Id;

    public IReadOnlyList<Topic> Topics => log.Topics;

    public long DurableCommit => log.DurableCommit;

    internal long IdleTurns => Interlocked.Read(ref _idleTurns);

    internal IEnumerable<Topic> OwnTopics =>
        log.Topics.Where(t => t.Name.StartsWith(prefix, StringComparison.Ordinal));

    public Topic EnsureTopic(TopicSpec spec) => log.EnsureTopic(spec with { Name = NameOf(spec.Name) });

    public bool DeleteTopic(string name) => log.DeleteTopic(NameOf(name));

    public Topic? FindTopic(string name) => log.FindTopic(NameOf(name));

    private string NameOf(string name) =>
        name.StartsWith(prefix, StringComparison.Ordinal) ? name : prefix + name;

    public bool SharesWork => log.SharesWork;

    public LaneBoard ShareWork(int lanes, int slots) => log.ShareWork(lanes, slots);

    public ILogWriter OpenWriter(string writerId, bool exclusive = true) =>
        log.OpenWriter(writerId, exclusive);

    public ILogReader OpenReader(ReadLevel level) => log.OpenReader(level);

    public long StartOffset(TopicPartition partition) => log.StartOffset(partition);

    public long EndOffset(TopicPartition partition, ReadLevel level) => log.EndOffset(partition, level);

    public long HighWatermark(TopicPartition partition) => log.HighWatermark(partition);

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
