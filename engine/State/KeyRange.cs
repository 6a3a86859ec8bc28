namespace Streams.State;

/// <summary>Keys between two bounds, in the order of their bytes.</summary>
/// <param name="From">The first key; null for the first that there is.</param>
/// <param name="Before">The first key that is not in the range any more; null for none.</param>
public readonly record struct KeyRange(byte[]? From, byte[]? Before)
{
    /// <summary>Every key.</summary>
    public static KeyRange All => default;

    /// <summary>Keys from one to another, both included; null leaves an end open.</summary>
    public static KeyRange Between(byte[]? from, byte[]? to) => new(from, to is null ? null : [.. to, 0]);

    /// <summary>Keys that begin with some bytes.</summary>
    public static KeyRange Prefix(ReadOnlySpan<byte> prefix)
    {
        int last = prefix.LastIndexOfAnyExcept((byte)0xFF);
        if (last < 0)
            return new KeyRange(prefix.ToArray(), null);
        byte[] before = prefix[..(last + 1)].ToArray();
        before[last]++;
        return new KeyRange(prefix.ToArray(), before);
    }

    /// <summary>The key, where the range can only have one.</summary>
    internal bool IsOne(out byte[]? key)
    {
        key = From;
        return From is not null && Before is not null && Before.Length == From.Length + 1 && Before[^1] == 0
            && Before.AsSpan(0, From.Length).SequenceEqual(From);
    }

    /// <summary>Whether a key is in the range.</summary>
    public bool Contains(ReadOnlySpan<byte> key) =>
        (From is null || key.SequenceCompareTo(From) >= 0)
        && (Before is null || key.SequenceCompareTo(Before) < 0);
}

/// <summary>Entries of a key-value store, wherever they lie.</summary>
internal interface IKeyValueEntries
{
    /// <summary>Number of entries.</summary>
    long Count { get; }

    /// <summary>Bytes of memory reserved.</summary>
    long BytesReserved { get; }

    /// <summary>Reads a value; the view is valid until the next call.</summary>
    bool TryGet(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value);

    /// <summary>Opens a value of that length for filling: all of it, for its bytes are arbitrary.</summary>
    Span<byte> Put(ReadOnlySpan<byte> key, int valueBytes, out bool existed);

    /// <summary>Deletes an entry.</summary>
    /// <returns>Whether it was there.</returns>
    bool Delete(ReadOnlySpan<byte> key);

    /// <summary>Entries in the order of their keys' bytes, as they are when reading begins, whatever changes
    /// meanwhile; copied, so not for the record path.</summary>
    /// <param name="range">Which keys.</param>
    /// <param name="descending">From the last to the first.</param>
    /// <param name="limit">How many are going to be read at most.</param>
    IEnumerable<KeyValuePair<byte[], byte[]>> Read(
        KeyRange range, bool descending = false, int limit = int.MaxValue);

    /// <summary>Writes what changed since the last flush.</summary>
    void Flush(IChangelog changelog);

    /// <summary>Takes one changelog record.</summary>
    void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value);

    /// <summary>Forgets everything.</summary>
    void Clear();
}
