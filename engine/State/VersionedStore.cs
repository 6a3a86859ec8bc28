using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Records;

namespace Streams.State;

/// <summary>What putting a version did.</summary>
public enum VersionPut
{
    /// <summary>It is the key's latest version.</summary>
    Latest,

    /// <summary>It went into the key's history, before its latest version.</summary>
    History,

    /// <summary>It is older than the history that is kept: nothing was stored.</summary>
    TooOld,
}

/// <summary>
/// A key-value store that keeps the versions of each value: at which times what was valid. The latest version
/// of each key stays; those before it stay until the history is over.
/// </summary>
/// <remarks>
/// A version that has ended lies in a window table under its key and the time at which it ended. A deletion
/// is
/// a version too: where nothing was valid before, it is kept as one that ended as it began. Source: Kafka
/// Streams' versioned stores (KIP-889).
/// </remarks>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed class VersionedStore<TKey, TValue> : StateStore, IReadOnlyVersionedStore<TKey, TValue>
{
    // Neither a segment nor what ends a snapshot.
    private const long LatestPart = long.MaxValue - 1;
    private const int FromBytes = 8;
    private const int ListsPerHistory = 16;
    private const byte LatestTag = 0;
    private const byte HistoryTag = 1;

    private readonly TrackedTable _latest;
    private readonly WindowTable _history;
    private readonly Serde<TKey> _keySerde;
    private readonly Serde<TValue> _valueSerde;
    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _value = new();
    private readonly PooledBuffer _moved = new();

    internal VersionedStore(
        StoreOptions options, long historyMs, Serde<TKey> keySerde, Serde<TValue> valueSerde, IUndoLog? undo,
        int undoStore)
        : base(options)
    {
        var budget = new StateBudget(options);
        _latest = new TrackedTable(budget, undo, undoStore, LatestPart);
        _history = new WindowTable(options, historyMs, undo, undoStore, historyMs / ListsPerHistory, budget);
        _keySerde = keySerde;
        _valueSerde = valueSerde;
        HistoryMs = historyMs;
    }

    /// <summary>How far behind the highest time put a version can end and still be found.</summary>
    public long HistoryMs { get; }

    /// <inheritdoc/>
    public override long BytesReserved => _latest.BytesReserved + _history.Segments.BytesReserved;

    /// <summary>Number of keys that have a value now.</summary>
    public override long Count => _latest.Count;

    internal override long ObservedMs
    {
        get => _history.Segments.ObservedMs;
        set => _history.Segments.ResetObserved(value);
    }

    /// <summary>Reads the latest value of a key and the time from which it is valid, refilling
    /// <paramref name="value"/> where its type allows that.</summary>
    public bool TryGet(in TKey key, ref TValue value, out long fromMs)
    {
        uint entry = _latest.Find(Encode(key));
        return Decode(entry == 0 ? default : _latest.Read(entry), ref value, out fromMs);
    }

    /// <summary>Reads the value of a key that was valid at a time.</summary>
    /// <param name="key">The key.</param>
    /// <param name="timeMs">Before the history, only a key's latest version answers.</param>
    /// <param name="value">Refilled where its type allows that.</param>
    /// <param name="fromMs">Since when the value was valid.</param>
    public bool TryGetAsOf(in TKey key, long timeMs, ref TValue value, out long fromMs)
    {
        ReadOnlySpan<byte> keyBytes = Encode(key);
        uint entry = _latest.Find(keyBytes);
        if (entry != 0 && Decode(_latest.Read(entry), timeMs, ref value, out fromMs))
            return true;
        fromMs = 0;
        if (timeMs < HorizonMs || !TryFirstEndedAfter(keyBytes, timeMs, out _, out ReadOnlySpan<byte> ended))
            return false;
        return Decode(ended, timeMs, ref value, out fromMs);
    }

    /// <summary>Adds a version; the same time replaces one.</summary>
    /// <exception cref="StateLimitException">The store is full.</exception>
    public VersionPut Put(in TKey key, in TValue value, long fromMs)
    {
        _value.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(_value.Append(FromBytes), fromMs);
        _valueSerde.Serialize(value, _value);
        return Put(Encode(key), fromMs, _value.WrittenSpan, true);
    }

    /// <summary>Adds the version that a key has no value from a time on.</summary>
    public VersionPut Delete(in TKey key, long fromMs)
    {
        _value.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(_value.Append(FromBytes), fromMs);
        return Put(Encode(key), fromMs, _value.WrittenSpan, false);
    }

    internal override IEnumerable<StateEntry> Query(StateQuery query)
    {
        // A key that has no value now may have had one then.
        var keys = new SortedSet<byte[]>(
            _history.Keys(query.Range), Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));
        foreach (uint entry in _latest.LiveEntriesByKey())
        {
            if (query.Range.Contains(_latest.Key(entry)))
                keys.Add(_latest.Key(entry).ToArray());
        }
        foreach (byte[] bytes in query.Descending ? keys.Reverse() : keys)
        {
            TKey key = _keySerde.Deserialize(bytes);
            TValue value = default!;
            bool found = query.ToMs == long.MaxValue
                ? TryGet(key, ref value, out long fromMs)
                : TryGetAsOf(key, query.ToMs, ref value, out fromMs);
            if (found)
                yield return new StateEntry(StateText.Of(_keySerde, bytes), bytes, TextOf(value))
                {
                    StartMs = fromMs,
                };
        }
    }

    internal override byte[] QueryKey(string text) => StateText.KeyOf(_keySerde, text);

    internal override void Flush(IChangelog changelog)
    {
        var writer = new LatestWriter(this, changelog);
        _latest.Flush(ref writer);
        _history.Flush(new HistoryChangelog(this, changelog));
    }

    internal override void WriteAll(IChangelog changelog)
    {
        _latest.MarkAll();
        Flush(changelog);
        _history.WriteAll(new HistoryChangelog(this, changelog));
    }

    internal override void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        if (key[0] == HistoryTag)
            _history.Restore(key[1..], hasValue, value);
        else if (hasValue)
            value.CopyTo(_latest.Restore(key[1..], value.Length));
        else
            _latest.RestoreDeleted(key[1..]);
    }

    internal override void Undo(long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        if (part != LatestPart)
            _history.Undo(part, key, hasValue, value);
        else if (hasValue)
            SetLatest(key, value);
        else if (_latest.Find(key) is not 0 and uint entry)
            _latest.Delete(entry);
    }

    internal override IReadOnlyList<SnapshotPart> SnapshotParts() =>
        [new SnapshotPart(LatestPart, _latest), .. _history.Segments.SnapshotParts()];

    internal override TrackedTable RestorePart(long part) =>
        part == LatestPart ? _latest : _history.Segments.GetOrAdd(part);

    internal override void Clear()
    {
        _latest.Clear();
        _history.Segments.Clear();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _key.Dispose();
        _value.Dispose();
        _moved.Dispose();
    }

    private string TextOf(in TValue value)
    {
        _value.Clear();
        _valueSerde.Serialize(value, _value);
        return StateText.Of(_valueSerde, _value.WrittenSpan);
    }

    private long HorizonMs => ObservedMs == long.MinValue ? long.MinValue : ObservedMs - HistoryMs;

    // A version is its start, eight bytes, and the value; one without a value is only kept as an end.
    private VersionPut Put(ReadOnlySpan<byte> key, long fromMs, ReadOnlySpan<byte> version, bool hasValue)
    {
        _history.Observe(fromMs);
        if (fromMs < HorizonMs)
            return VersionPut.TooOld;
        uint entry = _latest.Find(key);
        if (entry != 0)
        {
            long latestMs = FromOf(_latest.Read(entry));
            if (fromMs < latestMs)
                return Insert(key, fromMs, latestMs, version, hasValue);
            if (fromMs > latestMs)
                End(key, fromMs, _latest.Read(entry));
            else if (!hasValue && !_history.TryGet(key, fromMs, out _))
                End(key, fromMs, version);
        }
        else if (LastEnd(key) is { } deletedMs && fromMs < deletedMs)
        {
            return Insert(key, fromMs, deletedMs, version, hasValue);
        }
        else if (!hasValue && !_history.TryGet(key, fromMs, out _))
        {
            End(key, fromMs, version);
        }
        if (hasValue)
            SetLatest(key, version);
        else if (entry != 0)
            _latest.Delete(entry);
        return VersionPut.Latest;
    }

    // Puts a version between others: it takes the rest of the time of the one that was valid, or the time to
    // the next one where none was.
    private VersionPut Insert(
        ReadOnlySpan<byte> key, long fromMs, long nextMs, ReadOnlySpan<byte> version, bool hasValue)
    {
        if (TryFirstEndedAfter(key, fromMs, out long endMs, out ReadOnlySpan<byte> covering))
        {
            long coveringMs = FromOf(covering);
            if (coveringMs > fromMs)
            {
                nextMs = coveringMs;
            }
            else
            {
                if (coveringMs < fromMs)
                {
                    _moved.Clear();
                    _moved.Write(covering);
                    End(key, fromMs, _moved.WrittenSpan);
                }
                if (hasValue)
                    End(key, endMs, version);
                else
                    EndAtOnce(key, endMs);
                return VersionPut.History;
            }
        }
        if (hasValue)
            End(key, nextMs, version);
        else if (!_history.TryGet(key, fromMs, out _))
            End(key, fromMs, version);
        return VersionPut.History;
    }

    // Keeps that something ended, without what it was.
    private void EndAtOnce(ReadOnlySpan<byte> key, long endMs)
    {
        Span<byte> version = stackalloc byte[FromBytes];
        BinaryPrimitives.WriteInt64LittleEndian(version, endMs);
        End(key, endMs, version);
    }

    private void End(ReadOnlySpan<byte> key, long endMs, ReadOnlySpan<byte> version)
    {
        if (_history.TryPut(key, endMs, version.Length, out Span<byte> payload, out _))
            version.CopyTo(payload);
    }

    private void SetLatest(ReadOnlySpan<byte> key, ReadOnlySpan<byte> version) =>
        version.CopyTo(_latest.Change(_latest.Put(key, version.Length, out _)));

    private bool TryFirstEndedAfter(
        ReadOnlySpan<byte> key, long timeMs, out long endMs, out ReadOnlySpan<byte> version)
    {
        WindowElements elements = _history.Elements(key, timeMs + 1, long.MaxValue);
        bool found = elements.MoveNext();
        endMs = found ? elements.TimeMs : 0;
        version = found ? elements.Payload : default;
        return found;
    }

    private long? LastEnd(ReadOnlySpan<byte> key)
    {
        long? last = null;
        WindowElements elements = _history.Elements(key, long.MinValue, long.MaxValue);
        while (elements.MoveNext())
            last = elements.TimeMs;
        return last;
    }

    private static long FromOf(ReadOnlySpan<byte> version) => BinaryPrimitives.ReadInt64LittleEndian(version);

    private bool Decode(ReadOnlySpan<byte> version, ref TValue value, out long fromMs)
    {
        fromMs = 0;
        if (version.IsEmpty)
            return false;
        fromMs = FromOf(version);
        _valueSerde.Deserialize(version[FromBytes..], ref value);
        return true;
    }

    // A version that ended as it began was a deletion and covers no time, so nothing is read of it.
    private bool Decode(ReadOnlySpan<byte> version, long timeMs, ref TValue value, out long fromMs)
    {
        fromMs = FromOf(version);
        return fromMs <= timeMs && Decode(version, ref value, out fromMs);
    }

    private void AppendTagged(
        byte tag, IChangelog changelog, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> version)
    {
        _moved.Clear();
        _moved.WriteByte(tag);
        _moved.Write(key);
        changelog.Append(_moved.WrittenSpan, hasValue, version);
    }

    private ReadOnlySpan<byte> Encode(in TKey key)
    {
        _key.Clear();
        _keySerde.Serialize(key, _key);
        return _key.WrittenSpan;
    }

    private readonly struct LatestWriter(VersionedStore<TKey, TValue> owner, IChangelog changelog)
        : IChangeVisitor
    {
        public void Changed(ReadOnlySpan<byte> key, Span<byte> value) =>
            owner.AppendTagged(LatestTag, changelog, key, true, value);

        public void Deleted(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
            owner.AppendTagged(LatestTag, changelog, key, false, default);
    }

    // A byte before the key tells the store's two tables apart in its changelog.
    private sealed class HistoryChangelog(VersionedStore<TKey, TValue> owner, IChangelog inner) : IChangelog
    {
        public void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
            owner.AppendTagged(HistoryTag, inner, key, hasValue, value);
    }
}

/// <summary>What a versioned store lets others read.</summary>
public interface IReadOnlyVersionedStore<TKey, TValue>
{
    /// <summary>Reads the latest value of a key and the time from which it is valid.</summary>
    bool TryGet(in TKey key, ref TValue value, out long fromMs);

    /// <summary>Reads the value of a key that was valid at a time.</summary>
    bool TryGetAsOf(in TKey key, long timeMs, ref TValue value, out long fromMs);
}
