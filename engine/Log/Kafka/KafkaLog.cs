using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>
/// A log on Apache Kafka: topics are its topics, a commit is one of its transactions, positions are those of
/// consumer groups, and several processes share an application's work. KIP-447 and KIP-429 are what it rests
/// on; docs/kafka.md is for those who run it.
/// </summary>
public sealed class KafkaLog : ITopicLog
{
    private readonly string _process;
    private readonly ConcurrentDictionary<int, long> _written = new();
    private KafkaMembership? _membership;
    private long _commits;

    private KafkaLog(string application, KafkaLogOptions options, ILogger logger)
    {
        Application = application;
        Options = options;
        Logger = logger;
        _process = options.Instance ?? Guid.NewGuid().ToString("N")[..12];
        ClientId = $"{application}-{_process}";
        Brokers = new KafkaBrokers(options, ClientId, logger);
        TopicsOf = new KafkaTopics(options, Brokers);
        Offsets = new KafkaOffsets(options, ClientId, TopicsOf, Brokers, logger);
        Cursors = new KafkaCursors(this);
    }

    /// <inheritdoc/>
    public string Id { get; private set; } = "";

    /// <inheritdoc/>
    public bool SharesWork => true;

    /// <inheritdoc/>
    public IReadOnlyList<Topic> Topics => TopicsOf.List();

    /// <inheritdoc/>
    public long DurableCommit => LastCommit;

    internal string Application { get; }

    internal KafkaLogOptions Options { get; }

    internal ILogger Logger { get; }

    internal string ClientId { get; }

    internal KafkaBrokers Brokers { get; }

    internal KafkaTopics TopicsOf { get; }

    internal KafkaOffsets Offsets { get; }

    internal KafkaCursors Cursors { get; }

    internal long LastCommit => Interlocked.Read(ref _commits);

    /// <summary>The applications whose topics are among those of a cluster.</summary>
    public static IReadOnlyList<string> ApplicationsAmong(IEnumerable<Topic> topics) =>
        [.. topics.Where(t => t.Name.EndsWith(KafkaCursors.Suffix, StringComparison.Ordinal))
            .Select(t => t.Name[..^KafkaCursors.Suffix.Length])];

    /// <summary>Connects.</summary>
    /// <param name="application">The application: its group, and the front part of its own topics' and
    /// transactions' names.</param>
    /// <param name="options">Where and how.</param>
    /// <param name="logger">Told what the clients say.</param>
    /// <exception cref="LogInterruptedException">No broker answers.</exception>
    /// <exception cref="LogUnavailableException">The brokers refuse.</exception>
    /// <exception cref="KafkaOptionException">An option is wrong.</exception>
    public static KafkaLog Open(string application, KafkaLogOptions options, ILogger logger)
    {
        var log = new KafkaLog(application, options, logger);
        try
        {
            log.Id = log.Brokers.Connect();
            return log;
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Topic EnsureTopic(TopicSpec spec) => TopicsOf.Ensure(spec);

    /// <inheritdoc/>
    public Topic? FindTopic(string name) => TopicsOf.Find(name);

    /// <inheritdoc/>
    public string? Trouble => Brokers.Trouble;

    /// <inheritdoc/>
    public long? Written(Topic topic) => _written.GetValueOrDefault(topic.Id);

    /// <inheritdoc/>
    public IReadOnlyList<string> MembersOf(string group) => Brokers.MembersOf(GroupOf(group));

    /// <inheritdoc/>
    public bool DeleteTopic(string name) => TopicsOf.Delete(name);

    /// <inheritdoc/>
    public ILogWriter OpenWriter(string writerId, bool exclusive = true) => new KafkaLogWriter(
        this,
        Options.Guarantee == DeliveryGuarantee.AtLeastOnce ? null
            : exclusive ? $"{Application}-{writerId}" : $"{ClientId}-{writerId}");

    /// <inheritdoc/>
    public ILogReader OpenReader(ReadLevel level) => new KafkaLogReader(this);

    /// <inheritdoc/>
    public LaneBoard ShareWork(int lanes, int slots)
    {
        string name = $"{Application}-tasks";
        if (TopicsOf.Find(name) is { } found && found.Partitions < lanes)
            TopicsOf.Widen(name, lanes);
        else
            TopicsOf.Ensure(new TopicSpec
            {
                Name = name,
                Partitions = Math.Max(lanes, TopicsOf.Find(name)?.Partitions ?? 0),
                Retention = null,
            });
        return _membership = new KafkaMembership(this, name, lanes, slots);
    }

    /// <inheritdoc/>
    public long StartOffset(TopicPartition partition) => Offsets.Start(partition);

    /// <inheritdoc/>
    public long EndOffset(TopicPartition partition, ReadLevel level) => Offsets.End(partition);

    /// <inheritdoc/>
    public long? OffsetAtOrAfter(TopicPartition partition, long timeMs) =>
        Offsets.AtOrAfter(partition, timeMs);

    /// <inheritdoc/>
    public long KnownEndOffset(TopicPartition partition) => Offsets.KnownEnd(partition);

    /// <inheritdoc/>
    public void WhenEndsAreAsked(Action<long> action) => Offsets.EndsAsked = action;

    /// <inheritdoc/>
    public long HighWatermark(TopicPartition partition) => Offsets.HighWatermark(partition);

    /// <inheritdoc/>
    public long? CommittedOffset(string group, TopicPartition partition) =>
        Offsets.Committed(GroupOf(group), partition);

    /// <inheritdoc/>
    public long? KnownCommittedOffset(string group, TopicPartition partition) =>
        Offsets.KnownCommitted(GroupOf(group), partition);

    /// <inheritdoc/>
    public long KnownPosition(string group, TopicPartition partition) =>
        Offsets.KnownCommitted(GroupOf(group), partition) ?? Offsets.KnownStart(partition);

    /// <inheritdoc/>
    public byte[]? Cursor(string source, string key) => Cursors.Find(source, key);

    /// <inheritdoc/>
    IReadOnlyList<KeyValuePair<string, byte[]>> ITopicLog.Cursors(string source) => Cursors.FindAll(source);

    /// <inheritdoc/>
    /// <remarks>A transaction that is committed is on all replicas.</remarks>
    public void WaitDurable(long commit, CancellationToken cancellation)
    {
    }

    /// <inheritdoc/>
    /// <remarks>Other processes commit too, so the wait is short whatever is asked for.</remarks>
    public long WaitForCommit(long commit, TimeSpan timeout, CancellationToken cancellation)
    {
        if (timeout > TimeSpan.Zero && LastCommit <= commit)
            cancellation.WaitHandle.WaitOne(
                TimeSpan.FromMilliseconds(Math.Min(2, timeout.TotalMilliseconds)));
        return LastCommit;
    }

    /// <inheritdoc/>
    /// <remarks>A compacted topic is kept whole, for the process that takes over without a
    /// snapshot.</remarks>
    public void DeleteRecordsBefore(TopicPartition partition, long offset)
    {
        if (!TopicsOf.ById(partition.Topic).Spec.Compacted)
            TopicsOf.DeleteRecords(partition, offset);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _membership?.Dispose();
        Cursors.Dispose();
        Offsets.Dispose();
        Brokers.Dispose();
    }

    /// <summary>Notes records that were committed.</summary>
    internal void NoteWritten(ReadOnlySpan<RecordPages.Entry> records)
    {
        for (int i = 0, run; i < records.Length; i += run)
        {
            int topic = records[i].Partition.Topic;
            for (run = 1; i + run < records.Length && records[i + run].Partition.Topic == topic;)
                run++;
            _written.AddOrUpdate(
                topic, static (_, count) => count, static (_, known, count) => known + count, run);
        }
    }

    internal long NextCommit() => Interlocked.Increment(ref _commits);

    /// <summary>The group's full name: groups of one cluster are shared by all applications.</summary>
    internal string GroupOf(string group) => group == Application ? group : $"{Application}-{group}";

    /// <summary>The lanes of this process, once it shares work.</summary>
    internal Lanes Lanes => _membership!.Current;

    /// <summary>Whether this process is a member of the group.</summary>
    internal bool IsMember(string group) => group == Application && _membership is not null;

    /// <summary>Whether this process was taken for dead, so that its lanes are somebody else's.</summary>
    internal bool HasLostLanes => _membership is { } membership
        && (membership.Current.IsLost || membership.Failure is not null);

    /// <summary>Whether the group has waited long for lanes of this process.</summary>
    internal bool IsOverdue => _membership is { IsOverdue: true };

    /// <summary>The membership has ended: positions are committed without one again.</summary>
    internal void Leave(KafkaMembership membership)
    {
        if (_membership == membership)
            _membership = null;
    }

    internal Client.IConsumerGroupMetadata MetadataOf(string group)
    {
        if (!IsMember(group))
            return Offsets.Metadata(GroupOf(group));
        return _membership!.Failure is { } failure ? throw failure : _membership.Metadata;
    }

    internal void CommitPositions(string group, IReadOnlyList<Client.TopicPartitionOffset> positions)
    {
        if (IsMember(group))
            _membership!.Commit(positions);
        else
            Offsets.Commit(GroupOf(group), positions);
    }
}
