using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.State;

/// <summary>
/// A key-value store of bytes, changed in place. The fastest store there is: a fixed-size struct can live in
/// it and be updated by reference, without encoding.
/// </summary>
/// <remarks>
/// Views and references are valid until the next call that inserts, resizes or deletes an entry of this
/// store.
/// </remarks>
public sealed class BytesStore : StateStore, IKeyValueEntries
{
    private readonly TrackedTable _table;
    // The order of the keys is kept from the first read by range on: whoever reads none pays nothing for it.
    private OrderedIndex? _order;
    private EntryReading? _readings;

    internal BytesStore(StoreOptions options, IUndoLog? undo, int undoStore)
        : this(options, new StateBudget(options), undo, undoStore)
    {
    }

    internal BytesStore(StoreOptions options, StateBudget budget, IUndoLog? undo, int undoStore)
        : base(options) => _table = new TrackedTable(budget, undo, undoStore);

    /// <inheritdoc/>
    public override long BytesReserved => _table.BytesReserved + (_order?.BytesReserved ?? 0);

    /// <inheritdoc/>
    public override long Count => _table.Count;

    /// <summary>Reads a value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryGet(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        uint entry = _table.Find(key);
        value = entry == 0 ? default : _table.Read(entry);
        return entry != 0;
    }

    /// <summary>Finds an entry, to read it and then to change it without finding it again.</summary>
    /// <param name="key">The key.</param>
    /// <param name="entry">The entry; valid like a view.</param>
    /// <param name="value">Its value as it is.</param>
    public bool TryFind(ReadOnlySpan<byte> key, out StoreEntry entry, out ReadOnlySpan<byte> value)
    {
        entry = new StoreEntry(_table.Find(key));
        value = entry.Name == 0 ? default : _table.Read(entry.Name);
        return entry.Name != 0;
    }

    /// <summary>Opens an entry that was found, for change in place; its length stays.</summary>
    public Span<byte> Change(StoreEntry entry)
    {
        Detach();
        return _table.Change(entry.Name);
    }

    /// <summary>Gives an entry that was found another length, and opens it; what fits is kept.</summary>
    public Span<byte> Resize(StoreEntry entry, int valueBytes)
    {
        Detach();
        uint resized = _table.Resize(entry.Name, valueBytes);
        if (_order is not null && resized != entry.Name)
            _order.Rename(_table.Key(resized), resized);
        return _table.Change(resized);
    }

    /// <summary>Deletes an entry that was found.</summary>
    public void Delete(StoreEntry entry)
    {
        Detach();
        _order?.Remove(_table.Key(entry.Name));
        _table.Delete(entry.Name);
    }

    /// <summary>Opens a value for change in place; its length stays.</summary>
    public bool TryChange(ReadOnlySpan<byte> key, out Span<byte> value)
    {
        Detach();
        uint entry = _table.Find(key);
        value = entry == 0 ? default : _table.Change(entry);
        return entry != 0;
    }

    /// <summary>Opens a value of that length for filling, making the entry where it is absent.</summary>
    /// <param name="key">At most 65,535 bytes.</param>
    /// <param name="valueBytes">The length. What fits of an old value is kept; the rest is arbitrary.</param>
    /// <param name="existed">Whether there was an entry.</param>
    /// <exception cref="StateLimitException">The store is full.</exception>
    public Span<byte> Put(ReadOnlySpan<byte> key, int valueBytes, out bool existed)
    {
        Detach();
        if (_order is not null)
            return PutInOrder(key, valueBytes, out existed);
        return _table.Change(_table.Put(key, valueBytes, out existed));
    }

    /// <summary>Sets a value.</summary>
    /// <exception cref="StateLimitException">The store is full.</exception>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        value.CopyTo(Put(key, value.Length, out _));

    /// <summary>The struct stored under a key, made of zeroes where there is none.</summary>
    /// <typeparam name="T">Its size is the value's length: it must not change while the state
    /// lives.</typeparam>
    public ref T GetOrAdd<T>(ReadOnlySpan<byte> key, out bool existed)
        where T : unmanaged
    {
        Span<byte> value = Put(key, Unsafe.SizeOf<T>(), out existed);
        if (!existed)
            value.Clear();
        return ref MemoryMarshal.AsRef<T>(value);
    }

    /// <summary>Deletes an entry.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Delete(ReadOnlySpan<byte> key)
    {
        uint entry = _table.Find(key);
        if (entry == 0)
            return false;
        Delete(new StoreEntry(entry));
        return true;
    }

    /// <summary>
    /// Starts loading where a lookup of the key will begin. Who looks up several keys at once calls this for
    /// all of them first, then <see cref="PrefetchEntry"/> for all, so that the waits overlap.
    /// </summary>
    /// <returns>The key's hash.</returns>
    public uint Prefetch(ReadOnlySpan<byte> key) => _table.Prefetch(key);

    /// <summary>Starts loading the entry of a key whose index line is there.</summary>
    /// <param name="hash">What <see cref="Prefetch"/> returned.</param>
    public void PrefetchEntry(uint hash) => _table.PrefetchEntry(hash);

    /// <summary>All entries, ordered by key bytes, copied; not for the record path.</summary>
    public IEnumerable<KeyValuePair<byte[], byte[]>> All() => Read(KeyRange.All);

    /// <summary>Entries in the order of their keys' bytes, as they are when reading begins, whatever changes
    /// meanwhile; copied, so not for the record path.</summary>
    /// <param name="range">Which keys.</param>
    /// <param name="descending">From the last to the first.</param>
    public IEnumerable<KeyValuePair<byte[], byte[]>> Read(KeyRange range, bool descending = false) =>
        Read(range, descending, int.MaxValue);

    IEnumerable<KeyValuePair<byte[], byte[]>> IKeyValueEntries.Read(
        KeyRange range, bool descending, int limit) => Read(range, descending, limit);

    private IEnumerable<KeyValuePair<byte[], byte[]>> Read(KeyRange range, bool descending, int limit)
    {
        using var reading = new EntryReading(this, NamesOf(range, descending, limit));
        while (reading.TryTake(out KeyValuePair<byte[], byte[]> entry))
            yield return entry;
    }

    internal override IEnumerable<StateEntry> Query(StateQuery query)
    {
        if (query.Range.IsOne(out byte[]? key))
            return TryGet(key, out ReadOnlySpan<byte> value) ? [EntryOf(key!, value)] : [];
        return Read(query.Range, query.Descending, query.EntriesMax).Select(e => EntryOf(e.Key, e.Value));
    }

    internal override void Flush(IChangelog changelog)
    {
        var writer = new ChangeWriter(changelog);
        _table.Flush(ref writer);
    }

    internal override void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        _order = null;
        if (hasValue)
            value.CopyTo(_table.Restore(key, value.Length));
        else
            _table.RestoreDeleted(key);
    }

    internal override uint Expect(ReadOnlySpan<byte> changelogKey) => Prefetch(changelogKey);

    internal override void ExpectEntry(uint hash) => PrefetchEntry(hash);

    internal override void Undo(long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        if (hasValue)
            Put(key, value);
        else
            Delete(key);
    }

    internal override IReadOnlyList<SnapshotPart> SnapshotParts() => [new SnapshotPart(0, _table)];

    internal override TrackedTable RestorePart(long part)
    {
        _order = null;
        return _table;
    }

    internal override void Clear()
    {
        Detach();
        _order = null;
        _table.Clear();
    }

    void IKeyValueEntries.Flush(IChangelog changelog) => Flush(changelog);

    void IKeyValueEntries.Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
        Restore(key, hasValue, value);

    void IKeyValueEntries.Clear() => Clear();

    private static StateEntry EntryOf(byte[] key, ReadOnlySpan<byte> value) =>
        new(StateText.OfBytes(key), key, StateText.Hex(value));

    private Span<byte> PutInOrder(ReadOnlySpan<byte> key, int valueBytes, out bool existed)
    {
        uint before = _table.Find(key);
        uint entry = _table.Put(key, valueBytes, out existed);
        if (!existed)
            _order!.Insert(key, entry);
        else if (entry != before)
            _order!.Rename(key, entry);
        return _table.Change(entry);
    }

    private uint[] NamesOf(KeyRange range, bool descending, int limit)
    {
        // Somebody who reads a few entries once does not make every change dearer from then on.
        if (_order is null && limit != int.MaxValue)
            return _table.FirstByKey(range, descending, limit);
        if (_order is null && range == KeyRange.All && !descending)
            return _table.LiveEntriesByKey();
        if (_order is null)
        {
            _order = new OrderedIndex(_table);
            _order.Rebuild(_table.LiveEntriesByKey());
        }
        uint[] names = _order.Names(range);
        if (descending)
            Array.Reverse(names);
        return names;
    }

    // What is being read keeps what it was: what is left of it is copied before the first change.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Detach()
    {
        if (_readings is not null)
            DetachAll();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void DetachAll()
    {
        for (EntryReading? reading = _readings; reading is not null; reading = reading.Next)
            reading.Copy();
        _readings = null;
    }

    /// <summary>Somebody who reads entries one after the other.</summary>
    private sealed class EntryReading : IDisposable
    {
        private readonly BytesStore _store;
        private readonly uint[] _names;
        private KeyValuePair<byte[], byte[]>[]? _copies;
        private int _next;

        internal EntryReading(BytesStore store, uint[] names)
        {
            _store = store;
            _names = names;
            Next = store._readings;
            store._readings = this;
        }

        internal EntryReading? Next { get; private set; }

        internal bool TryTake(out KeyValuePair<byte[], byte[]> entry)
        {
            entry = _next == _names.Length ? default : _copies?[_next] ?? At(_next);
            return _next++ < _names.Length;
        }

        internal void Copy()
        {
            _copies = new KeyValuePair<byte[], byte[]>[_names.Length];
            for (int i = _next; i < _names.Length; i++)
                _copies[i] = At(i);
        }

        public void Dispose()
        {
            if (_store._readings == this)
                _store._readings = Next;
            for (EntryReading? other = _store._readings; other is not null; other = other.Next)
            {
                if (other.Next == this)
                    other.Next = Next;
            }
        }

        private KeyValuePair<byte[], byte[]> At(int place) =>
            new(_store._table.Key(_names[place]).ToArray(), _store._table.Read(_names[place]).ToArray());
    }

    private readonly struct ChangeWriter(IChangelog changelog) : IChangeVisitor
    {
        public void Changed(ReadOnlySpan<byte> key, Span<byte> value) => changelog.Append(key, true, value);

        public void Deleted(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
            changelog.Append(key, false, default);
    }
}

/// <summary>An entry of a <see cref="BytesStore"/> that was found. Valid until the next call that inserts,
/// resizes or deletes one.</summary>
/// <param name="Name">The table's own name of it; 0 for none.</param>
public readonly record struct StoreEntry(uint Name);
