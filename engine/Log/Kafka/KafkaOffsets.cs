using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Streams.Telemetry;
using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>
/// Asks where partitions begin and end and how far groups have come. What was asked once is kept up to date
/// by a thread, for figures that need not be exact. Thread-safe.
/// </summary>
internal sealed class KafkaOffsets : IDisposable
{
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DeletionInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LeaderWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(3);

    // Times that ask for the first offset and for the end: Kafka's ListOffsets, EARLIEST and LATEST.
    private const long Earliest = -2;
    private const long Latest = -1;

    private readonly KafkaLogOptions _options;
    private readonly string _clientId;
    private readonly KafkaTopics _topics;
    private readonly KafkaBrokers _brokers;
    private readonly ILogger _logger;
    private readonly Client.IConsumer<Client.Ignore, Client.Ignore> _undecided;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Client.IConsumer<Client.Ignore, Client.Ignore>> _groups = [];
    private readonly ConcurrentDictionary<TopicPartition, long> _starts = new();
    private readonly ConcurrentDictionary<TopicPartition, long> _ends = new();
    private readonly ConcurrentDictionary<(string Group, TopicPartition Partition), long?> _committed = new();
    private readonly ConcurrentDictionary<TopicPartition, long> _processed = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _refresher;
    private volatile Action<long>? _endsAsked;

    internal KafkaOffsets(
        KafkaLogOptions options, string clientId, KafkaTopics topics, KafkaBrokers brokers, ILogger logger)
    {
        _brokers = brokers;
        _options = options;
        _clientId = clientId;
        _topics = topics;
        _logger = logger;
        _undecided = Open(clientId, Client.IsolationLevel.ReadUncommitted);
        _refresher = new Thread(Refresh) { Name = "kafka-offsets", IsBackground = true };
        _refresher.Start();
    }

    /// <summary>Called when all ends were asked for anew, with the time at which that began.</summary>
    internal Action<long>? EndsAsked
    {
        set => _endsAsked = value;
    }

    /// <summary>The first offset kept.</summary>
    internal long Start(TopicPartition partition) =>
        _starts[partition] = Ask(_undecided, partition, Earliest)!.Value;

    /// <summary>The start as it was when it was asked for last.</summary>
    internal long KnownStart(TopicPartition partition) =>
        _starts.TryGetValue(partition, out long start) ? start : Start(partition);

    /// <summary>One past the last offset that a reader of committed records can reach.</summary>
    internal long End(TopicPartition partition) =>
        _ends[partition] = Ask(OfGroup(_clientId), partition, Latest)!.Value;

    /// <summary>One past the last offset appended, decided or not.</summary>
    internal long HighWatermark(TopicPartition partition) => Ask(_undecided, partition, Latest)!.Value;

    /// <summary>The first offset of that time or a later one; the end where there is none.</summary>
    internal long AtOrAfter(TopicPartition partition, long timeMs) =>
        Ask(_undecided, partition, Math.Max(timeMs, 0)) ?? End(partition);

    /// <summary>The end as it was a moment ago.</summary>
    internal long KnownEnd(TopicPartition partition) =>
        _ends.TryGetValue(partition, out long end) ? end : End(partition);

    /// <summary>The group's position; waits for a transaction that is about to move it.</summary>
    internal long? Committed(string group, TopicPartition partition)
    {
        List<Client.TopicPartitionOffset> answers = KafkaFailures.Ask(
            $"asking for the position of {group}", _options.Brokers,
            () => OfGroup(group).Committed([_topics.Of(partition)], _options.RequestTimeout));
        long? committed = answers[0].Offset.IsSpecial ? null : answers[0].Offset.Value;
        _committed[(group, partition)] = committed;
        return committed;
    }

    /// <summary>The group's position as it was a moment ago.</summary>
    internal long? KnownCommitted(string group, TopicPartition partition) =>
        _committed.TryGetValue((group, partition), out long? committed)
            ? committed : Committed(group, partition);

    /// <summary>Notes a position that this process has committed.</summary>
    internal void Note(string group, TopicPartition partition, long offset)
    {
        _committed[(group, partition)] = offset;
        if (_topics.ById(partition.Topic).Spec.IsInternal)
            _processed[partition] = offset;
    }

    /// <summary>Deletes what this process has processed of topics that nobody else reads.</summary>
    internal void DeleteProcessed()
    {
        foreach (TopicPartition partition in _processed.Keys)
        {
            if (_processed.TryRemove(partition, out long offset))
                _topics.DeleteRecords(partition, offset);
        }
    }

    private void TryDeleteProcessed()
    {
        try
        {
            DeleteProcessed();
        }
        catch (LogException e)
        {
            // Kept until more of the partition is processed.
            _logger.RepartitionsNotPurged(e.Message);
        }
    }

    /// <summary>Commits positions of a group that has no members.</summary>
    internal void Commit(string group, IEnumerable<Client.TopicPartitionOffset> offsets) => KafkaFailures.Ask(
        $"committing the position of {group}", _options.Brokers, () =>
        {
            OfGroup(group).Commit(offsets);
            return 0;
        });

    /// <summary>The metadata of a group that has no members.</summary>
    internal Client.IConsumerGroupMetadata Metadata(string group) => OfGroup(group).ConsumerGroupMetadata;

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _refresher.Join();
        lock (_gate)
        {
            foreach (Client.IConsumer<Client.Ignore, Client.Ignore> consumer in _groups.Values)
                consumer.Dispose();
        }
        _undecided.Dispose();
        _stop.Dispose();
    }

    // Not QueryWatermarkOffsets, which waits without end for a broker that is lost.
    private long? Ask(
        Client.IConsumer<Client.Ignore, Client.Ignore> consumer, TopicPartition partition, long timeMs)
    {
        var time = new Client.Timestamp(timeMs, Client.TimestampType.CreateTime);
        Client.Offset offset = KafkaFailures.Ask(
            $"asking where {_topics.Describe(partition)} {Words(timeMs)}", _options.Brokers,
            () => WhileLeadersMove(consumer, partition, timeout => consumer.OffsetsForTimes(
                [new Client.TopicPartitionTimestamp(_topics.Of(partition), time)], timeout)[0].Offset));
        return offset.IsSpecial ? null : offset.Value;
    }

    private static string Words(long timeMs) => timeMs switch
    {
        Earliest => "begins",
        Latest => "ends",
        _ => string.Create(CultureInfo.InvariantCulture, $"reaches {timeMs} ms since 1970"),
    };

    // The client remembers who led a partition, and after a broker's failure goes on asking it until it is
    // made to look again.
    private T WhileLeadersMove<T>(
        Client.IClient client, TopicPartition partition, Func<TimeSpan, T> request)
    {
        TimeSpan attempt = _options.RequestTimeout < AttemptTimeout
            ? _options.RequestTimeout : AttemptTimeout;
        long until = Environment.TickCount64 + (long)_options.RequestTimeout.TotalMilliseconds;
        while (true)
        {
            try
            {
                return request(attempt);
            }
            catch (Client.KafkaException e) when (
                MayHaveMoved(e) && Environment.TickCount64 < until && !_stop.IsCancellationRequested)
            {
                _stop.Token.WaitHandle.WaitOne(LeaderWait);
                LookAgain(client, partition, attempt);
            }
        }
    }

    private static bool MayHaveMoved(Client.KafkaException e) =>
        KafkaFailures.ErrorOf(e).Code
            is Client.ErrorCode.NotLeaderForPartition or Client.ErrorCode.LeaderNotAvailable
            or Client.ErrorCode.Local_TimedOut or Client.ErrorCode.Local_Transport;

    private void LookAgain(Client.IClient client, TopicPartition partition, TimeSpan timeout)
    {
        try
        {
            using Client.IAdminClient admin = new Client.DependentAdminClientBuilder(client.Handle).Build();
            admin.GetMetadata(_topics.ById(partition.Topic).Name, timeout);
        }
        catch (Client.KafkaException)
        {
            // The request that follows says what is wrong, if it still is.
        }
    }

    private Client.IConsumer<Client.Ignore, Client.Ignore> OfGroup(string group)
    {
        lock (_gate)
        {
            if (!_groups.TryGetValue(group, out Client.IConsumer<Client.Ignore, Client.Ignore>? consumer))
                _groups.Add(group, consumer = Open(group, Client.IsolationLevel.ReadCommitted));
            return consumer;
        }
    }

    private Client.IConsumer<Client.Ignore, Client.Ignore> Open(string group, Client.IsolationLevel level) =>
        new Client.ConsumerBuilder<Client.Ignore, Client.Ignore>(
            KafkaProperties.Reader(_options, $"{_clientId}-offsets", group, level))
            .SetLogHandler(_logger.KafkaSays).SetErrorHandler(_brokers.Note).Build();

    private void Refresh()
    {
        long deleted = Environment.TickCount64;
        while (!_stop.Token.WaitHandle.WaitOne(RefreshInterval))
        {
            _brokers.Probe();
            if (Environment.TickCount64 - deleted > DeletionInterval.TotalMilliseconds)
            {
                deleted = Environment.TickCount64;
                TryDeleteProcessed();
            }
            try
            {
                long began = Stopwatch.GetTimestamp();
                foreach (TopicPartition partition in _ends.Keys)
                {
                    if (_stop.IsCancellationRequested)
                        return;
                    End(partition);
                }
                _endsAsked?.Invoke(began);
                foreach ((string group, TopicPartition partition) in _committed.Keys)
                {
                    if (_stop.IsCancellationRequested)
                        return;
                    Committed(group, partition);
                }
            }
            catch (LogException)
            {
                // Figures grow old while the brokers do not answer; whoever needs exact ones is told.
            }
        }
    }
}
