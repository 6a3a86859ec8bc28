using System.Collections.Frozen;

namespace Streams.Log;

/// <summary>
/// The share of an application's work that this process has. A lane is a partition number: whoever has it
/// runs the tasks of that partition in every part of the topology, and delivers that partition of every topic
/// to the sinks. docs/decisions/0022-lanes.md says why.
/// </summary>
public sealed class Lanes
{
    private readonly FrozenDictionary<int, int> _slots;

    internal Lanes(int version, int total, IReadOnlyDictionary<int, int> slots, bool isLost = false)
    {
        Version = version;
        Total = total;
        IsLost = isLost;
        _slots = slots.ToFrozenDictionary();
    }

    /// <summary>Grows with each change.</summary>
    public int Version { get; }

    /// <summary>How many lanes the application has, over all processes.</summary>
    public int Total { get; }

    /// <summary>Whether lanes of the version before went to somebody else already, so that nothing of them
    /// may be committed any more.</summary>
    public bool IsLost { get; }

    /// <summary>The lanes of this process.</summary>
    public IEnumerable<int> Owned => _slots.Keys.Order();

    /// <summary>Whether this process has the lane of a partition.</summary>
    public bool Owns(int partition) => _slots.ContainsKey(LaneOf(partition));

    /// <summary>Which of the process's threads has the lane of a partition; -1 for none of them.</summary>
    public int SlotOf(int partition) => _slots.GetValueOrDefault(LaneOf(partition), -1);

    /// <summary>The thread with the fewest lanes, these and some others, the first of them where some have
    /// equally few.</summary>
    internal int IdlestSlot(IReadOnlyDictionary<int, int> others, int slots) => Enumerable.Range(0, slots)
        .MinBy(slot => _slots.Values.Concat(others.Values).Count(s => s == slot));

    /// <summary>The lane of a partition: topics may have more partitions than there are lanes.</summary>
    private int LaneOf(int partition) => partition % Total;

    /// <summary>The slots, by lane.</summary>
    internal IReadOnlyDictionary<int, int> Slots => _slots;
}

/// <summary>
/// Where components see which lanes are theirs, and say when they have let go of those that are not any more.
/// Thread-safe.
/// </summary>
public class LaneBoard : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<LaneHolder> _holders = [];
    private volatile Lanes _current;
    private volatile Lanes _standbys;
    private volatile bool _isOverdue;

    internal LaneBoard(Lanes first)
    {
        _current = first;
        _standbys = new Lanes(0, first.Total, FrozenDictionary<int, int>.Empty);
    }

    /// <summary>The lanes as they are now.</summary>
    public Lanes Current => _current;

    /// <summary>Lanes of other processes whose state is kept at hand here. It does not matter when this is
    /// seen.</summary>
    public Lanes Standbys => _standbys;

    /// <summary>All lanes, for ever: for a log that one process has to itself.</summary>
    internal static LaneBoard All(int lanes, int slots) => new(new Lanes(
        1, lanes, Enumerable.Range(0, lanes).ToDictionary(l => l, l => l % slots)));

    /// <summary>What ended this process's share of the work; null while nothing did.</summary>
    internal virtual LogException? Failure => null;

    /// <summary>Whether lanes that were asked for have not been let go of in half the time that there is for
    /// it: whoever tries again and again to end its work on them should rather fail.</summary>
    internal bool IsOverdue => _isOverdue;

    /// <summary>Takes part: a lane goes to another process only when this holder has let go of it. Until it
    /// acknowledges lanes it holds none.</summary>
    /// <param name="name">Who it is, for messages.</param>
    internal LaneHolder Join(string name)
    {
        var holder = new LaneHolder(this, name);
        lock (_gate)
            _holders.Add(holder);
        return holder;
    }

    /// <summary>Ends the membership, once nobody holds anything.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the membership.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Says what the lanes are from now on.</summary>
    internal void Publish(Lanes lanes)
    {
        lock (_gate)
            _current = lanes;
    }

    /// <summary>Says whose state is kept at hand from now on.</summary>
    internal void PublishStandbys(Lanes lanes) => _standbys = lanes;

    /// <summary>Waits until every holder goes by the current lanes.</summary>
    /// <returns>Who did not when the time was over; none where all do.</returns>
    internal IReadOnlyList<string> WaitForHolders(TimeSpan timeout)
    {
        long started = Environment.TickCount64;
        try
        {
            while (true)
            {
                IReadOnlyList<string> late = Late();
                double waitedMs = Environment.TickCount64 - started;
                if (late.Count == 0 || waitedMs > timeout.TotalMilliseconds)
                    return late;
                _isOverdue = waitedMs > timeout.TotalMilliseconds / 2;
                Thread.Sleep(1);
            }
        }
        finally
        {
            _isOverdue = false;
        }
    }

    internal bool Acknowledge(LaneHolder holder, Lanes lanes)
    {
        lock (_gate)
        {
            holder.Version = lanes.Version;
            return _current == lanes;
        }
    }

    internal void Leave(LaneHolder holder)
    {
        lock (_gate)
            _holders.Remove(holder);
    }

    private IReadOnlyList<string> Late()
    {
        lock (_gate)
        {
            return _holders.TrueForAll(h => h.Version >= _current.Version)
                ? [] : [.. _holders.Where(h => h.Version < _current.Version).Select(h => h.Name)];
        }
    }
}

/// <summary>A component that works on lanes.</summary>
internal sealed class LaneHolder(LaneBoard board, string name) : IDisposable
{
    /// <summary>Who it is.</summary>
    internal string Name => name;

    /// <summary>The version that it goes by: any, as long as it holds nothing. For the board.</summary>
    internal int Version { get; set; } = int.MaxValue;

    /// <summary>The lanes as they are now.</summary>
    internal Lanes Current => board.Current;

    /// <summary>Lanes of others whose state is kept at hand.</summary>
    internal Lanes Standbys => board.Standbys;

    /// <summary>Goes on only where lanes can still come.</summary>
    /// <exception cref="LogException">What ended this process's share of the work.</exception>
    internal void RequireShare()
    {
        if (board.Failure is { } failure)
            throw failure;
    }

    /// <summary>Says that nothing is done any more that those lanes do not allow.</summary>
    /// <returns>Whether they are still the current ones, so that work on them may begin.</returns>
    internal bool Acknowledge(Lanes lanes) => board.Acknowledge(this, lanes);

    /// <summary>Holds nothing any more.</summary>
    public void Dispose() => board.Leave(this);
}
