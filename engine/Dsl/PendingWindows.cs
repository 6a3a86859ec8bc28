using Streams.Buffers;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>The windows that are not emitted yet, by the time that their closing goes by, key and
/// start.</summary>
/// <remarks>
/// An entry's name is the time, the key and the start. So that a key sorts before those that it begins,
/// whatever the start, a key's zero bytes are followed by 0xFF and its end is marked by 0x00 0x01.
/// </remarks>
internal sealed class PendingWindows<TKey>(OrderedStore store, Serde<TKey> keySerde) : IDisposable
{
    private const int TimeBytes = OrderedStore.TimeBytes;
    private const byte ZeroFollower = 0xFF;

    private readonly PooledBuffer _place = new();
    private readonly PooledBuffer _key = new();

    private static ReadOnlySpan<byte> KeyEnd => [0, 1];

    /// <summary>Notes a window; again does nothing.</summary>
    internal void Add(in TKey key, long timeMs, long startMs)
    {
        Encode(key, timeMs, startMs);
        if (!store.TryGet(_place.WrittenSpan, out _))
            store.Put(_place.WrittenSpan, default);
    }

    /// <summary>Forgets a window.</summary>
    internal void Remove(in TKey key, long timeMs, long startMs)
    {
        Encode(key, timeMs, startMs);
        store.Delete(_place.WrittenSpan);
    }

    /// <summary>Takes the first window whose time is before or at a time.</summary>
    internal bool TryTake(long untilMs, ref TKey key, out long timeMs, out long startMs)
    {
        timeMs = startMs = 0;
        if (!store.TryFirst(out ReadOnlySpan<byte> place, out _))
            return false;
        timeMs = OrderedStore.ReadTime(place);
        if (timeMs > untilMs)
            return false;
        startMs = OrderedStore.ReadTime(place[^TimeBytes..]);
        keySerde.Deserialize(Unescape(place[TimeBytes..^(KeyEnd.Length + TimeBytes)]), ref key);
        store.Delete(place);
        return true;
    }

    public void Dispose()
    {
        _place.Dispose();
        _key.Dispose();
    }

    private void Encode(in TKey key, long timeMs, long startMs)
    {
        _key.Clear();
        keySerde.Serialize(key, _key);
        _place.Clear();
        OrderedStore.WriteTime(_place.Append(TimeBytes), timeMs);
        ReadOnlySpan<byte> rest = _key.WrittenSpan;
        for (int zero; (zero = rest.IndexOf((byte)0)) >= 0; rest = rest[(zero + 1)..])
        {
            _place.Write(rest[..(zero + 1)]);
            _place.WriteByte(ZeroFollower);
        }
        _place.Write(rest);
        _place.Write(KeyEnd);
        OrderedStore.WriteTime(_place.Append(TimeBytes), startMs);
    }

    private ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> escaped)
    {
        int zero = escaped.IndexOf((byte)0);
        if (zero < 0)
            return escaped;
        _key.Clear();
        for (; zero >= 0; zero = escaped.IndexOf((byte)0))
        {
            _key.Write(escaped[..(zero + 1)]);
            escaped = escaped[(zero + 2)..];
        }
        _key.Write(escaped);
        return _key.WrittenSpan;
    }
}
