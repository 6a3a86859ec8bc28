using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.State;

/// <summary>Told of each entry that a rollback set back.</summary>
/// <param name="store">The store's name.</param>
/// <param name="key">The entry's key.</param>
public delegate void RolledBack(string store, ReadOnlySpan<byte> key);

/// <summary>
/// Points of a task's state that it can be rolled back to, exactly: a chain topology opens one per block and
/// rolls back when the block leaves the chain. While a savepoint is open, the first change of an entry keeps
/// what was there before; a rollback puts it back. What is kept lies in a store of its own, so it survives a
/// restart like any state.
/// </summary>
/// <remarks>
/// Only stores that were declared with savepoints take part. Belongs to the task's thread. The cost is one
/// copy of each entry per savepoint in which it changes. A store with retention gives up expired entries a
/// segment later than it must, so its rollback is exact while the savepoints kept span less event time than a
/// segment, half of its retention.
/// </remarks>
public sealed class Savepoints : IUndoLog, IDisposable
{
    /// <summary>Captured bytes are kept in pieces of about this size.</summary>
    internal const int ChunkBytes = 1 << 20;

    private const int KeyBytes = 8;

    private readonly BytesStore _chunks;
    private readonly List<StateStore> _stores = [];
    private readonly SortedList<uint, int> _chunkCounts = [];
    private readonly PooledBuffer _open = new(64 * 1024);
    private uint _last;

    internal Savepoints(BytesStore chunks) => _chunks = chunks;

    /// <summary>The savepoint that is open; 0 for none.</summary>
    public uint Current { get; private set; }

    /// <summary>Savepoints that can be rolled back to.</summary>
    public int Count => _chunkCounts.Count;

    /// <summary>Closes the savepoint that is open and opens a new one: the state as it is now.</summary>
    /// <returns>Its number, higher than any before it.</returns>
    public uint Begin()
    {
        Seal();
        Current = ++_last;
        // An empty first piece, so that a savepoint under which nothing changes survives a restart too.
        _chunks.Put(ChunkKey(stackalloc byte[KeyBytes], Current, 0), default);
        _chunkCounts.Add(Current, 1);
        return Current;
    }

    /// <summary>
    /// Sets the state back to what it was when a savepoint began; it and all later ones are gone, and the one
    /// before it is open again.
    /// </summary>
    /// <param name="savepoint">What <see cref="Begin"/> returned.</param>
    /// <param name="observer">Told of each entry set back, once per savepoint that changed it; may be
    /// null.</param>
    /// <exception cref="ArgumentException">There is no such savepoint any more.</exception>
    public void Rollback(uint savepoint, RolledBack? observer = null)
    {
        if (!_chunkCounts.ContainsKey(savepoint))
            throw new ArgumentException(
                $"The savepoint {savepoint} is not kept any more.", nameof(savepoint));
        Seal();
        // Nothing is captured while old values go back.
        Current = 0;
        while (Newest >= savepoint)
        {
            uint newest = Newest;
            for (int chunk = _chunkCounts[newest] - 1; chunk >= 0; chunk--)
                Apply(newest, chunk, observer);
            _chunkCounts.Remove(newest);
        }
        Current = Newest;
    }

    /// <summary>Gives up the savepoints before one: what they changed is final.</summary>
    public void Release(uint before)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        while (_chunkCounts.Count > 0 && _chunkCounts.GetKeyAtIndex(0) < before)
        {
            uint oldest = _chunkCounts.GetKeyAtIndex(0);
            for (int chunk = 0; chunk < _chunkCounts[oldest]; chunk++)
                _chunks.Delete(ChunkKey(key, oldest, chunk));
            _chunkCounts.RemoveAt(0);
        }
    }

    /// <summary>Whether a savepoint can still be rolled back to.</summary>
    public bool IsKept(uint savepoint) => _chunkCounts.ContainsKey(savepoint);

    /// <inheritdoc/>
    public void Dispose() => _open.Dispose();

    /// <summary>Makes a store take part; returns its number in the undo log.</summary>
    internal int Register(Func<int, StateStore> create, out StateStore store)
    {
        int number = _stores.Count;
        store = create(number);
        _stores.Add(store);
        return number;
    }

    void IUndoLog.Capture(
        int store, long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        _open.WriteVarint((ulong)store);
        _open.WriteVarint(Varint.ZigZag(part));
        _open.WriteVarint((ulong)key.Length);
        _open.Write(key);
        _open.WriteVarint(hasValue ? (ulong)value.Length + 1 : 0);
        _open.Write(value);
        if (_open.Length >= ChunkBytes)
            Seal();
    }

    /// <summary>Puts what was captured so far into the store, before the stores' changes are
    /// flushed.</summary>
    internal void Seal()
    {
        if (_open.Length == 0)
            return;
        Span<byte> key = stackalloc byte[KeyBytes];
        int chunk = _chunkCounts[Current];
        _chunks.Put(ChunkKey(key, Current, chunk), _open.WrittenSpan);
        _chunkCounts[Current] = chunk + 1;
        _open.Clear();
    }

    /// <summary>Finds the savepoints that a restored store holds; the newest stays open.</summary>
    internal void Reopen()
    {
        _open.Clear();
        _chunkCounts.Clear();
        foreach ((byte[] key, _) in _chunks.All())
        {
            uint savepoint = BinaryPrimitives.ReadUInt32BigEndian(key);
            _chunkCounts[savepoint] = BinaryPrimitives.ReadInt32BigEndian(key.AsSpan(4)) + 1;
        }
        Current = _last = Newest;
    }

    private uint Newest => _chunkCounts.Count == 0 ? 0 : _chunkCounts.GetKeyAtIndex(_chunkCounts.Count - 1);

    private static ReadOnlySpan<byte> ChunkKey(Span<byte> key, uint savepoint, int chunk)
    {
        BinaryPrimitives.WriteUInt32BigEndian(key, savepoint);
        BinaryPrimitives.WriteInt32BigEndian(key[4..], chunk);
        return key;
    }

    // The captures of a chunk go back last to first: the first capture of an entry is the oldest.
    private void Apply(uint savepoint, int chunk, RolledBack? observer)
    {
        byte[] key = ChunkKey(stackalloc byte[KeyBytes], savepoint, chunk).ToArray();
        if (!_chunks.TryGet(key, out ReadOnlySpan<byte> stored))
            throw new InvalidOperationException($"Chunk {chunk} of savepoint {savepoint} is missing.");
        byte[] bytes = stored.ToArray();
        var starts = new List<int>();
        for (int at = 0; at < bytes.Length;)
        {
            starts.Add(at);
            Read(bytes, ref at, out _, out _, out _, out _, out _);
        }
        for (int i = starts.Count - 1; i >= 0; i--)
        {
            int at = starts[i];
            Read(bytes, ref at, out int store, out long part, out Range keyRange, out bool hasValue,
                out Range value);
            _stores[store].Undo(part, bytes.AsSpan(keyRange), hasValue, bytes.AsSpan(value));
            observer?.Invoke(_stores[store].Name, bytes.AsSpan(keyRange));
        }
        _chunks.Delete(key);
    }

    private static void Read(
        byte[] bytes, ref int at, out int store, out long part, out Range key, out bool hasValue,
        out Range value)
    {
        store = (int)ReadVarint(bytes, ref at);
        part = Varint.UnZigZag(ReadVarint(bytes, ref at));
        int keyBytes = (int)ReadVarint(bytes, ref at);
        key = at..(at + keyBytes);
        at += keyBytes;
        int valueBytes = (int)ReadVarint(bytes, ref at) - 1;
        hasValue = valueBytes >= 0;
        valueBytes = Math.Max(valueBytes, 0);
        value = at..(at + valueBytes);
        at += valueBytes;
    }

    private static ulong ReadVarint(byte[] bytes, ref int at)
    {
        int used = Varint.Read(bytes.AsSpan(at), out ulong value);
        if (used <= 0)
            throw new InvalidOperationException($"The undo log is damaged at byte {at}.");
        at += used;
        return value;
    }
}
