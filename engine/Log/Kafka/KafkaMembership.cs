using System.Collections.Frozen;
using System.Globalization;
using Streams.Telemetry;
using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>
/// This process's membership in the application's group. The group shares out the partitions of a topic that
/// never holds a record, one per lane, cooperatively: lanes that stay are worked on while others move.
/// </summary>
internal sealed class KafkaMembership : LaneBoard
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly KafkaLog _log;
    private readonly int _total;
    private readonly int _slots;
    private readonly Client.IConsumer<Client.Ignore, Client.Ignore> _consumer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;
    private readonly KafkaStandbys? _standbys;
    private LogException? _failure;
    private bool _isNew = true;

    internal KafkaMembership(KafkaLog log, string tasksTopic, int total, int slots)
        : base(new Lanes(0, total, new Dictionary<int, int>()))
    {
        _log = log;
        _total = total;
        _slots = slots;
        _consumer = new Client.ConsumerBuilder<Client.Ignore, Client.Ignore>(
            KafkaProperties.Member(log.Options, log.ClientId, log.Application))
            .SetLogHandler(log.Logger.KafkaSays)
            .SetErrorHandler((client, error) =>
            {
                log.Brokers.Note(client, error);
                if (KafkaFailures.Of(error, $"joining the group '{log.Application}'", log.Options.Brokers)
                    is LogUnavailableException failure)
                    _failure = failure;
            })
            .SetPartitionsAssignedHandler((consumer, partitions) =>
            {
                Add(partitions);
                // Who is new gets nothing at first, because others have it all. librdkafka would let a second
                // pass before it asks for what they give up meanwhile, and nobody works on that; a
                // subscription asks at once.
                if (partitions.Count == 0 && _isNew)
                    consumer.Subscribe(tasksTopic);
                _isNew = false;
            })
            .SetPartitionsRevokedHandler(
                (_, partitions) => Remove(partitions.Select(p => p.Partition), false))
            .SetPartitionsLostHandler((_, partitions) => Remove(partitions.Select(p => p.Partition), true))
            .Build();
        _consumer.Subscribe(tasksTopic);
        _thread = new Thread(Run) { Name = "kafka-membership", IsBackground = true };
        _thread.Start();
        if (log.Options.StandbyReplicas > 0)
            _standbys = new KafkaStandbys(log, this, _consumer, tasksTopic, slots);
    }

    /// <summary>Proof of the membership, for the coordinator of a transaction.</summary>
    internal Client.IConsumerGroupMetadata Metadata => _consumer.ConsumerGroupMetadata;

    /// <summary>What ended the membership; null while nothing did.</summary>
    internal override LogException? Failure => Volatile.Read(ref _failure);

    /// <summary>Commits positions as a member.</summary>
    internal void Commit(IEnumerable<Client.TopicPartitionOffset> offsets) => KafkaFailures.Ask(
        "committing positions", _log.Options.Brokers, () =>
        {
            _consumer.Commit(offsets);
            return 0;
        });

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_stop.IsCancellationRequested)
            return;
        _stop.Cancel();
        _standbys?.Dispose();
        _thread.Join();
        _consumer.Dispose();
        _stop.Dispose();
        _log.Leave(this);
        base.Dispose(disposing);
    }

    private void Run()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
                Poll();
            // A member that is only closed keeps its partitions until its session times out; a static one is
            // meant to.
            if (_log.Options.Instance is null)
            {
                _consumer.Unsubscribe();
                long until = Environment.TickCount64 + 5_000;
                while (_consumer.Assignment.Count > 0 && Environment.TickCount64 < until)
                    _consumer.Consume(PollInterval);
            }
            _consumer.Close();
        }
        catch (Client.KafkaException e)
        {
            // Whatever ended it, no lane comes to this process again.
            _failure ??= KafkaFailures.Of(
                e.Error, $"being a member of the group '{_log.Application}'", _log.Options.Brokers)
                as LogUnavailableException ?? new LogUnavailableException(
                $"The membership in the group '{_log.Application}' at {_log.Options.Brokers} has ended: "
                + $"{e.Error.Reason}. This process stops; start it again.");
            _log.Logger.MembershipEnded(_log.Application, e.Error.Reason);
            Publish(new Lanes(Current.Version + 1, _total, new Dictionary<int, int>(), isLost: true));
        }
    }

    private void Poll()
    {
        try
        {
            _consumer.Consume(PollInterval);
            // librdkafka looks whether a heartbeat is due when it is asked something, else once a second.
            _ = _consumer.ConsumerGroupMetadata;
        }
        catch (Client.KafkaException e) when (IsPassing(e.Error))
        {
            // The client goes on by itself, as when the coordinator of the group moves to another broker.
            _log.Logger.KafkaFails(_consumer, e.Error);
            _stop.Token.WaitHandle.WaitOne(PollInterval);
        }
    }

    private bool IsPassing(Client.Error error) =>
        error is { IsFatal: false, Code: not Client.ErrorCode.Local_MaxPollExceeded }
        && KafkaFailures.Of(error, "being a member", _log.Options.Brokers) is LogInterruptedException;

    private void Add(List<Client.TopicPartition> partitions)
    {
        var slots = new Dictionary<int, int>(Current.Slots);
        foreach (int lane in partitions.Select(p => p.Partition.Value).Where(p => p < _total).Order())
        {
            // State that is at hand is with the thread that stood by.
            slots[lane] = Standbys.SlotOf(lane) is >= 0 and int slot ? slot
                : new Lanes(0, _total, slots).IdlestSlot(FrozenDictionary<int, int>.Empty, _slots);
        }
        Publish(new Lanes(Current.Version + 1, _total, slots));
        // Each rebalance of the group is told to all its members, also to those for whom nothing changes.
        if (partitions.Count == 0)
            return;
        EngineMeter.RecordRebalance("assigned");
        _log.Logger.LanesAssigned(
            _log.Application, List(partitions.Select(p => p.Partition)), List(slots.Keys));
    }

    // The client gives partitions up when this returns.
    private void Remove(IEnumerable<Client.Partition> partitions, bool isLost)
    {
        List<Client.Partition> removed = [.. partitions];
        var slots = new Dictionary<int, int>(Current.Slots);
        foreach (Client.Partition partition in removed)
            slots.Remove(partition.Value);
        long started = Environment.TickCount64;
        Publish(new Lanes(Current.Version + 1, _total, slots, isLost));
        IReadOnlyList<string> late = WaitForHolders(_log.Options.RevocationTimeout);
        if (late.Count > 0)
        {
            // Commits need this membership, so from here on none of this process can succeed.
            _failure ??= new LogUnavailableException(
                $"The work of {string.Join(", ", late)} on lanes {List(removed)} did not end within "
                + $"kafka.revocation_timeout, {_log.Options.RevocationTimeout.TotalSeconds:N0} s; this "
                + "process stops so that nobody does it twice.");
        }
        EngineMeter.RecordRebalance(isLost ? "lost" : "revoked");
        EngineMeter.RecordRevocation(TimeSpan.FromMilliseconds(Environment.TickCount64 - started));
        _log.Logger.LanesRevoked(
            _log.Application, isLost ? "lost" : "given up", List(removed), List(slots.Keys),
            Environment.TickCount64 - started);
    }

    private static string List(IEnumerable<Client.Partition> lanes) => List(lanes.Select(l => l.Value));

    internal static string List(IEnumerable<int> lanes)
    {
        string text = string.Join(
            ' ', lanes.Order().Select(l => l.ToString(CultureInfo.InvariantCulture)));
        return text.Length == 0 ? "none" : text;
    }
}
