using Streams.Buffers;

namespace Streams.Errors;

/// <summary>A set of offsets, kept as the ranges that it consists of: what was replayed of a partition is
/// mostly one.</summary>
internal sealed class OffsetSet
{
    private readonly List<(long First, long Last)> _ranges = [];

    /// <summary>Whether an offset is in it.</summary>
    internal bool Contains(long offset)
    {
        int at = IndexAtOrAfter(offset);
        return at < _ranges.Count && _ranges[at].First <= offset;
    }

    /// <summary>Adds an offset.</summary>
    /// <returns>False where it was in it.</returns>
    internal bool Add(long offset)
    {
        int at = IndexAtOrAfter(offset);
        if (at < _ranges.Count && _ranges[at].First <= offset)
            return false;
        bool joinsBefore = at > 0 && _ranges[at - 1].Last == offset - 1;
        bool joinsAfter = at < _ranges.Count && _ranges[at].First == offset + 1;
        long first = joinsBefore ? _ranges[at - 1].First : offset;
        long last = joinsAfter ? _ranges[at].Last : offset;
        if (joinsAfter)
            _ranges.RemoveAt(at);
        if (joinsBefore)
            _ranges[at - 1] = (first, last);
        else
            _ranges.Insert(at, (first, last));
        return true;
    }

    /// <summary>Appends the set: for each range how far it begins behind the one before, and its length, as
    /// varints.</summary>
    internal void Write(PooledBuffer destination)
    {
        long end = 0;
        foreach ((long first, long last) in _ranges)
        {
            destination.WriteVarint((ulong)(first - end));
            destination.WriteVarint((ulong)(last - first));
            end = last;
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are something else.</exception>
    internal static OffsetSet Read(ReadOnlySpan<byte> source)
    {
        var set = new OffsetSet();
        long end = 0;
        while (!source.IsEmpty)
        {
            long first = end + Take(ref source);
            end = first + Take(ref source);
            set._ranges.Add((first, end));
        }
        return set;
    }

    private static long Take(ref ReadOnlySpan<byte> source)
    {
        int used = Varint.Read(source, out ulong value);
        if (used <= 0)
            throw new FormatException("The offsets that were replayed are cut off.");
        source = source[used..];
        return (long)value;
    }

    // The first range that ends at the offset or after it.
    private int IndexAtOrAfter(long offset)
    {
        int low = 0;
        int high = _ranges.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_ranges[middle].Last < offset)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
