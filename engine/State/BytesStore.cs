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
public sealed class BytesStore : StateStore
{
    private readonly TrackedTable _table;

    internal BytesStore(StoreOptions options, IUndoLog? undo, int undoStore)
        : base(options) => _table = new TrackedTable(options.StateBytesMax, undo, undoStore);

    /// <inheritdoc/>
    public override long BytesReserved => _table.BytesReserved;

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
    public Span<byte> Change(StoreEntry entry) => _table.Change(entry.Name);

    /// <summary>Gives an entry that was found another length, and opens it; what fits is kept.</summary>
    public Span<byte> Resize(StoreEntry entry, int valueBytes) =>
        _table.Change(_table.Resize(entry.Name, valueBytes));

    /// <summary>Deletes an entry that was found.</summary>
    public void Delete(StoreEntry entry) => _table.Delete(entry.Name);

    /// <summary>Opens a value for change in place; its length stays.</summary>
    public bool TryChange(ReadOnlySpan<byte> key, out Span<byte> value)
    {
        uint entry = _table.Find(key);
        value = entry == 0 ? default : _table.Change(entry);
        return entry != 0;
    }

    /// <summary>Opens a value of that length for filling, making the entry where it is absent.</summary>
    /// <param name="key">At most 65,535 bytes.</param>
    /// <param name="valueBytes">The length. What fits of an old value is kept; the rest is arbitrary.</param>
    /// <param name="existed">Whether there was an entry.</param>
    /// <exception cref="StateLimitException">The store is full.</exception>
    public Span<byte> Put(ReadOnlySpan<byte> key, int valueBytes, out bool existed) =>
        _table.Change(_table.Put(key, valueBytes, out existed));

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
        _table.Delete(entry);
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
    public IEnumerable<KeyValuePair<byte[], byte[]>> All()
    {
        foreach (uint entry in _table.LiveEntriesByKey())
            yield return new(_table.Key(entry).ToArray(), _table.Read(entry).ToArray());
    }

    internal override void Flush(IChangelog changelog)
    {
        var writer = new ChangeWriter(changelog);
        _table.Flush(ref writer);
    }

    internal override void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        if (hasValue)
            value.CopyTo(_table.Restore(key, value.Length));
        else
            _table.RestoreDeleted(key);
    }

    internal override void Undo(long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        if (hasValue)
            Put(key, value);
        else
            Delete(key);
    }

    internal override IReadOnlyList<SnapshotPart> SnapshotParts() => [new SnapshotPart(0, _table)];

    internal override TrackedTable RestorePart(long part) => _table;

    internal override void Clear() => _table.Clear();

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
