namespace Streams.State;

/// <summary>
/// What a table that was dropped leaves for the next one, so that a store whose tables come and go with time
/// allocates nothing once it runs.
/// </summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class SpareMemory
{
    private readonly List<byte[]> _chunks = [];
    private ulong[]? _slots;

    /// <summary>Takes over the memory of a table that nobody reads any more; what was spare before
    /// goes.</summary>
    internal void TakeOver(TrackedTable table)
    {
        _chunks.Clear();
        table.Clear(this);
    }

    /// <summary>Adds a chunk.</summary>
    internal void Add(byte[] chunk) => _chunks.Add(chunk);

    /// <summary>Adds an index.</summary>
    internal void Add(ulong[] slots) => _slots = slots;

    /// <summary>A chunk of exactly that length, or null.</summary>
    internal byte[]? TakeChunk(int bytes)
    {
        int at = _chunks.FindLastIndex(chunk => chunk.Length == bytes);
        if (at < 0)
            return null;
        byte[] chunk = _chunks[at];
        _chunks.RemoveAt(at);
        return chunk;
    }

    /// <summary>An empty index, as long as that of the table that was dropped, or null.</summary>
    internal ulong[]? TakeSlots()
    {
        ulong[]? slots = _slots;
        _slots = null;
        if (slots is not null)
            Array.Clear(slots);
        return slots;
    }
}
