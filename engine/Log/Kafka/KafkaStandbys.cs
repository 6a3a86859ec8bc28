using Streams.Telemetry;
using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>Asks now and then who is in the group, and says for which lanes of others this process stands
/// by.</summary>
internal sealed class KafkaStandbys : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(5);

    private readonly KafkaLog _log;
    private readonly LaneBoard _board;
    private readonly Client.IConsumer<Client.Ignore, Client.Ignore> _member;
    private readonly string _topic;
    private readonly int _threads;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;

    internal KafkaStandbys(
        KafkaLog log, LaneBoard board, Client.IConsumer<Client.Ignore, Client.Ignore> member, string topic,
        int threads)
    {
        _log = log;
        _board = board;
        _member = member;
        _topic = topic;
        _threads = threads;
        _thread = new Thread(Run) { Name = "kafka-standbys", IsBackground = true };
        _thread.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Run()
    {
        while (!_stop.Wait(Interval))
        {
            try
            {
                Look();
            }
            catch (Client.KafkaException e)
            {
                // Standbys stay what they are until somebody answers.
                _log.Logger.KafkaFails(_log.Brokers.Admin, e.Error);
            }
            catch (LogException e)
            {
                _log.Logger.StandbysWait(_thread.Name!, e.Message);
            }
        }
    }

    private void Look()
    {
        Client.GroupInfo group = _log.Brokers.Admin.ListGroup(_log.Application, AskTimeout);
        if (GroupMembers.Read(group, _topic) is not { } lanesOf)
            return;
        Lanes known = _board.Standbys;
        IReadOnlyList<int> mine = GroupMembers.StandbysOf(
            lanesOf, _member.MemberId, known.Total, _log.Options.StandbyReplicas);
        if (mine.SequenceEqual(known.Owned))
            return;
        var slots = new Dictionary<int, int>();
        foreach (int lane in mine)
            slots[lane] = known.Owns(lane) ? known.SlotOf(lane) : _board.Current.IdlestSlot(slots, _threads);
        _board.PublishStandbys(new Lanes(known.Version + 1, known.Total, slots));
        _log.Logger.StandbysChosen(_log.Application, KafkaMembership.List(mine));
    }
}
