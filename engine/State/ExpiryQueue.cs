using System.Buffers.Binary;

namespace Streams.State;

/// <summary>
/// Which keys of a store may have outlived their time: each once, in the bucket of the time that its entry
/// had when it came in. When a bucket is due, an entry that was renewed since goes to the bucket of its newer
/// time.
/// </summary>
/// <param name="timeToLiveMs">How long an entry lives.</param>
/// <param name="budget">What memory is taken from.</param>
internal sealed class ExpiryQueue(long timeToLiveMs, StateBudget budget)
{
    private const int BucketsPerLife = 16;

    private readonly SortedDictionary<long, FlatTable> _buckets = [];
    private readonly SpareMemory _spare = new();
    private readonly long _widthMs = Math.Max(1, timeToLiveMs / BucketsPerLife);
    private uint[] _names = new uint[64];

    /// <summary>Bytes of memory reserved.</summary>
    internal long BytesReserved
    {
        get
        {
            long bytes = 0;
            foreach (FlatTable bucket in _buckets.Values)
                bytes += bucket.BytesReserved;
            return bytes;
        }
    }

    /// <summary>Whether an entry's life is over at a stream time.</summary>
    internal bool IsOver(long timestampMs, long streamTimeMs) =>
        streamTimeMs != long.MinValue && timestampMs <= streamTimeMs - timeToLiveMs;

    /// <summary>Notes a key whose entry has a time.</summary>
    internal void Add(ReadOnlySpan<byte> key, long timestampMs)
    {
        long number = Math.DivRem(timestampMs, _widthMs, out long rest);
        number -= rest < 0 ? 1 : 0;
        if (!_buckets.TryGetValue(number, out FlatTable? bucket))
            _buckets.Add(number, bucket = new FlatTable(budget, _spare));
        uint hash = KeyHash.Of(key);
        if (bucket.Find(key, hash) == 0)
            bucket.Add(key, hash, 0);
    }

    /// <summary>Deletes the entries whose life is over.</summary>
    internal void Drop(IKeyValueEntries entries, long streamTimeMs)
    {
        while (streamTimeMs != long.MinValue && TryFirst(out long number)
            && IsOver((number + 1) * _widthMs - 1, streamTimeMs))
        {
            FlatTable due = _buckets[number];
            _buckets.Remove(number);
            if (_names.Length < due.Count)
                Array.Resize(ref _names, Math.Max(due.Count, _names.Length * 2));
            int count = due.CopyEntries(_names);
            // Not by hash, which is another in each process: the changelog must not be.
            _names.AsSpan(0, count).Sort((a, b) => due.Key(a).SequenceCompareTo(due.Key(b)));
            foreach (uint name in _names.AsSpan(0, count))
                DropOrKeep(due.Key(name), entries, streamTimeMs);
            due.Clear(_spare);
        }
    }

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        foreach (FlatTable bucket in _buckets.Values)
            bucket.Clear();
        _buckets.Clear();
    }

    private void DropOrKeep(ReadOnlySpan<byte> key, IKeyValueEntries entries, long streamTimeMs)
    {
        if (!entries.TryGet(key, out ReadOnlySpan<byte> value))
            return;
        long timestampMs = BinaryPrimitives.ReadInt64LittleEndian(value);
        if (IsOver(timestampMs, streamTimeMs))
            entries.Delete(key);
        else
            Add(key, timestampMs);
    }

    private bool TryFirst(out long number)
    {
        foreach (long first in _buckets.Keys)
        {
            number = first;
            return true;
        }
        number = 0;
        return false;
    }
}
