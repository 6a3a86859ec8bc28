using System.Buffers.Binary;
using System.Text;
using Streams.State;

namespace Streams.Processing;

/// <summary>
/// Keeps what a task knows of event time across a restart, so that what is late or forgotten does not depend
/// on when the process stopped: the stream time of the task, of each input and of each store's operator.
/// </summary>
internal sealed class TaskClocks
{
    private readonly BytesStore _store;
    private readonly List<Clock> _clocks = [];

    internal TaskClocks(BytesStore store) => _store = store;

    /// <summary>Adds a time to keep.</summary>
    internal void Add(string name, Func<long> get, Action<long> set) =>
        _clocks.Add(new Clock(Encoding.UTF8.GetBytes(name), get, set));

    /// <summary>Writes the times that moved since the last commit.</summary>
    internal void Flush()
    {
        foreach (Clock clock in _clocks)
        {
            long now = clock.Get();
            if (now == clock.WrittenMs)
                continue;
            BinaryPrimitives.WriteInt64LittleEndian(_store.Put(clock.Key, 8, out _), now);
            clock.WrittenMs = now;
        }
    }

    /// <summary>Sets the times as they were at the last commit.</summary>
    internal void Restore()
    {
        foreach (Clock clock in _clocks)
        {
            if (!_store.TryGet(clock.Key, out ReadOnlySpan<byte> value))
                continue;
            clock.WrittenMs = BinaryPrimitives.ReadInt64LittleEndian(value);
            clock.Set(clock.WrittenMs);
        }
    }

    private sealed class Clock(byte[] key, Func<long> get, Action<long> set)
    {
        internal byte[] Key { get; } = key;

        internal Func<long> Get { get; } = get;

        internal Action<long> Set { get; } = set;

        internal long WrittenMs { get; set; } = long.MinValue;
    }
}

/// <summary>A time that an operator keeps, as of the last commit after a restart.</summary>
internal sealed class StreamClock(long startMs)
{
    /// <summary>The time, in milliseconds.</summary>
    internal long Ms { get; set; } = startMs;

    /// <summary>Moves the clock on to a later time.</summary>
    /// <returns>What it shows now.</returns>
    internal long Observe(long timeMs)
    {
        if (timeMs > Ms)
            Ms = timeMs;
        return Ms;
    }
}
