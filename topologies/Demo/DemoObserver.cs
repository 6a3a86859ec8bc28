using Streams.Connectors.Chain;
using Streams.Log;
using Streams.Records;
using Streams.Topologies.Transactions;

namespace Streams.Topologies.Demo;

/// <summary>An alert as it is shown.</summary>
internal sealed record ShownAlert(
    long BlockNs, RiskRule Rule, int Score, long SumSatoshi, Bytes32 TxId, string Evidence);

/// <summary>
/// A consumer like any other: reads the enriched transactions and the alerts once a power cut could not take
/// them any more, says how long that took, and gathers what was found.
/// </summary>
internal sealed class DemoObserver : IDisposable
{
    /// <summary>How many of the latest alerts are shown.</summary>
    internal const int ShownMax = 8;

    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(10);

    private readonly ITopicLog _log;
    private readonly BlockClock _clock;
    private readonly string _sink;
    private readonly ILogReader _reader;
    private readonly LogBatch _batch;
    private readonly Serde<ChainTransaction> _transactions = RecordSerde.Protobuf<ChainTransaction>();
    private readonly Serde<Alert> _alerts = RecordSerde.Protobuf<Alert>();
    private readonly Queue<(long Offset, long Height)> _unwritten = new();
    private readonly Lock _lock = new();
    private readonly Queue<ShownAlert> _shown = new();
    private readonly long[] _alertsByRule = new long[Enum.GetValues<RiskRule>().Length];
    private readonly ManualResetEventSlim _ending = new();
    private ChainTransaction _transaction = new();
    private Alert _alert = new();
    private long _nextTransaction;
    private long _nextAlert;
    private long _alertCount;

    /// <summary>Prepares to read; <see cref="Run"/> reads.</summary>
    /// <param name="log">The log of the run.</param>
    /// <param name="clock">When blocks were fed.</param>
    /// <param name="sink">The name of the sink whose commits are timed too.</param>
    internal DemoObserver(ITopicLog log, BlockClock clock, string sink)
    {
        _log = log;
        _clock = clock;
        _sink = sink;
        _reader = log.OpenReader(ReadLevel.Durable);
        _batch = _reader.CreateBatch();
    }

    /// <summary>What was found.</summary>
    internal DemoEvaluation Evaluation { get; } = new();

    /// <summary>From the raw block to its last enriched transaction.</summary>
    internal LatencyHistogram ToEnriched { get; } = new();

    /// <summary>From the raw block to an alert on one of its transactions.</summary>
    internal LatencyHistogram ToAlert { get; } = new();

    /// <summary>From the raw block to its last row.</summary>
    internal LatencyHistogram ToSink { get; } = new();

    /// <summary>Enriched transactions so far.</summary>
    internal long Enriched => Interlocked.Read(ref _nextTransaction);

    /// <summary>Alerts so far.</summary>
    internal long Alerts => Interlocked.Read(ref _alertCount);

    /// <summary>The latest alerts, the newest first, and how many there were by rule.</summary>
    internal (IReadOnlyList<ShownAlert> Latest, IReadOnlyList<long> ByRule) Shown()
    {
        lock (_lock)
            return ([.. _shown.Reverse()], [.. _alertsByRule]);
    }

    /// <summary>Reads until <see cref="End"/>, and then to the end.</summary>
    internal void Run()
    {
        TopicPartition transactions = _log.FindTopic(TransactionsTopology.Enriched)![0];
        TopicPartition alerts = _log.FindTopic(TransactionsTopology.Alerts)![0];
        while (true)
        {
            bool isEnding = _ending.IsSet;
            bool hasMore = ReadTransactions(transactions) | ReadAlerts(alerts);
            TimeRows(transactions);
            if (hasMore)
                continue;
            if (isEnding)
                return;
            _ending.Wait(Wait);
        }
    }

    /// <summary>Lets <see cref="Run"/> end when it has read everything.</summary>
    internal void End() => _ending.Set();

    /// <inheritdoc/>
    public void Dispose()
    {
        _batch.Dispose();
        _reader.Dispose();
        _ending.Dispose();
    }

    private bool ReadTransactions(TopicPartition partition)
    {
        if (!_reader.Read(partition, _nextTransaction, _batch))
            return false;
        while (_batch.TryRead(out LogRecord record))
        {
            _transactions.Deserialize(record.Value, ref _transaction);
            Evaluation.Add(_transaction);
            bool isLastOfBlock = _transaction.TxIndex == _transaction.BlockTxCount - 1;
            if (!isLastOfBlock || _transaction.BlockHeight is not { } height)
                continue;
            if (_clock.Since(height) is { } latency)
                ToEnriched.Add(latency);
            _unwritten.Enqueue((record.Offset, height));
        }
        Interlocked.Exchange(ref _nextTransaction, _batch.NextOffset);
        return true;
    }

    private bool ReadAlerts(TopicPartition partition)
    {
        if (!_reader.Read(partition, _nextAlert, _batch))
            return false;
        while (_batch.TryRead(out LogRecord record))
        {
            _alerts.Deserialize(record.Value, ref _alert);
            Evaluation.Add(_alert);
            if (_alert.BlockHeight is { } height && _clock.Since(height) is { } latency)
                ToAlert.Add(latency);
            Show(_alert);
        }
        _nextAlert = _batch.NextOffset;
        return true;
    }

    private void Show(Alert alert)
    {
        lock (_lock)
        {
            _alertsByRule[(int)alert.Rule]++;
            _shown.Enqueue(new ShownAlert(
                alert.EventNs, alert.Rule, alert.Score, alert.OutputSumBase, alert.TxId,
                alert.Evidence.ToString()));
            if (_shown.Count > ShownMax)
                _shown.Dequeue();
        }
        Interlocked.Increment(ref _alertCount);
    }

    private void TimeRows(TopicPartition partition)
    {
        if (_unwritten.Count == 0)
            return;
        long written = _log.CommittedOffset(_sink, partition) ?? 0;
        while (_unwritten.TryPeek(out (long Offset, long Height) block) && block.Offset < written)
        {
            _unwritten.Dequeue();
            if (_clock.Since(block.Height) is { } latency)
                ToSink.Add(latency);
        }
    }
}
