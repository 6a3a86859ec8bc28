using System.Runtime.CompilerServices;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>Goes through bytes that may be incomplete or hostile, and remembers why it stopped.</summary>
/// <remarks>
/// Every method either moves and returns true, or stays, sets <see cref="Failure"/> and returns false.
/// Nothing is looped over or allocated on the word of a count: a count is first held against the limit, then
/// against the bytes.
/// </remarks>
internal ref struct BitcoinCursor
{
    private readonly ReadOnlySpan<byte> _source;
    private readonly int _bytesMax;

    /// <summary>Starts at the first byte.</summary>
    /// <param name="source">The bytes so far; those over the limit are never looked at.</param>
    /// <param name="bytesMax">What the whole value may take.</param>
    public BitcoinCursor(ReadOnlySpan<byte> source, int bytesMax)
    {
        _source = source.Length > bytesMax ? source[..bytesMax] : source;
        _bytesMax = bytesMax;
    }

    /// <summary>Bytes from the start of the value.</summary>
    public int Offset { get; private set; }

    /// <summary>Why the last call returned false.</summary>
    public ParseResult<BitcoinDefect> Failure { get; private set; }

    /// <summary>Moves over a field of fixed size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TrySkip(int bytes)
    {
        if (bytes > _source.Length - Offset)
            return Starve();
        Offset += bytes;
        return true;
    }

    /// <summary>Moves over a length and as many bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TrySkipSized()
    {
        if (!TryReadCount(elementBytesMin: 1, out int bytes))
            return false;
        Offset += bytes;
        return true;
    }

    /// <summary>Moves over a count of elements that have a least size.</summary>
    /// <param name="elementBytesMin">At least 1.</param>
    /// <param name="count">As many elements can still follow in the bytes at hand.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReadCount(int elementBytesMin, out int count)
    {
        int used = CompactSize.Read(_source[Offset..], out ulong value);
        int left = _source.Length - Offset - used;
        count = (int)value;
        // The product cannot overflow: element sizes are below 2^7 and anything over 2^31 is refused first.
        if (used <= 0 || value > int.MaxValue || (long)value * elementBytesMin > left)
            return Refuse(used, value, elementBytesMin);
        Offset += used;
        return true;
    }

    /// <summary>Ends with a defect at <paramref name="offset"/>.</summary>
    public bool Refuse(BitcoinDefect defect, int offset)
    {
        Failure = defect.At(offset);
        return false;
    }

    private bool Refuse(int used, ulong value, int elementBytesMin)
    {
        if (used == CompactSize.NotCanonical)
            return Refuse(BitcoinDefect.CompactSizeNotCanonical, Offset);
        ulong allowed = (ulong)Math.Max(0, _bytesMax - Offset - used) / (uint)elementBytesMin;
        return used > 0 && value > allowed ? Refuse(BitcoinDefect.TransactionTooLarge, Offset) : Starve();
    }

    // To wait for more than the limit would be to wait for ever.
    private bool Starve()
    {
        if (_source.Length >= _bytesMax)
            return Refuse(BitcoinDefect.TransactionTooLarge, Offset);
        Failure = ParseResult<BitcoinDefect>.NeedMoreData;
        return false;
    }
}
