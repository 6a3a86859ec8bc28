using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>What was found in a node's block file.</summary>
public enum BlockFileItemKind : byte
{
    /// <summary>A block in its frame.</summary>
    Block,

    /// <summary>Space that the node reserved and has not written: to be skipped, and counted.</summary>
    Padding,

    /// <summary>Bytes that are neither: to be kept as a dead letter.</summary>
    Garbage,
}

/// <summary>One stretch of a node's block file. Stretches follow each other without a gap.</summary>
public readonly ref struct BlockFileItem
{
    /// <summary>What it is.</summary>
    public required BlockFileItemKind Kind { get; init; }

    /// <summary>All its bytes; as many have been consumed.</summary>
    public required ReadOnlySpan<byte> Raw { get; init; }

    /// <summary>The block without its frame; empty where this is none. Whether it is valid is the matter of
    /// <see cref="BitcoinBlockReader.ReadWhole"/>.</summary>
    public ReadOnlySpan<byte> Block =>
        Kind == BlockFileItemKind.Block ? Raw[BitcoinBlockFileReader.FrameBytes..] : default;
}

/// <summary>Finds the blocks in a node's <c>blk*.dat</c> files, whatever stands between them.</summary>
/// <remarks>
/// <code>magic 4 | length 4, little-endian | block        and zeros between frames, or at the end</code>
/// Blocks stand in the order in which they arrived, branches that lost included. It starts at any position,
/// and finds its way back after damage by looking for the next magic. Pure: the bytes come from the caller,
/// already cleared of their obfuscation by <see cref="BlockFileKey.Apply"/>. Sources: Bitcoin Core,
/// <c>node/blockstorage.cpp</c> and <c>LoadExternalBlockFile</c>.
/// </remarks>
public sealed class BitcoinBlockFileReader
{
    /// <summary>Bytes before each block: magic and length.</summary>
    public const int FrameBytes = MagicBytes + sizeof(uint);

    /// <summary>The most bytes of garbage that are reported at once: 1 MiB.</summary>
    public const int GarbageBytesMax = 1024 * 1024;

    private const int MagicBytes = 4;

    // A header, a count and the smallest transaction.
    private const int BlockBytesMin = BitcoinHeader.Bytes + 1 + 10;

    private readonly byte[] _magic = new byte[MagicBytes];
    private readonly BlockFileKey _key;
    private readonly int _blockBytesMax;

    /// <summary>Reads files of the options' network.</summary>
    /// <param name="options">The network and the largest block.</param>
    /// <param name="key">The files' key, with which unwritten space is recognised; default for none.</param>
    public BitcoinBlockFileReader(BitcoinReaderOptions options, BlockFileKey key)
    {
        options.Validate();
        BinaryPrimitives.WriteUInt32LittleEndian(_magic, options.Network.Magic);
        _blockBytesMax = options.BlockBytesMax;
        _key = key;
    }

    /// <summary>Reads the next stretch.</summary>
    /// <param name="source">Cleared bytes of the file, from where the last stretch ended.</param>
    /// <param name="filePosition">Where in the file they begin.</param>
    /// <param name="isEnd">Whether the file ends with them and will not grow; else an unfinished block is
    /// waited for.</param>
    /// <param name="item">The stretch, unless more is needed. Its <see cref="BlockFileItem.Raw"/> says how
    /// far to move on.</param>
    /// <returns>Done with a block or padding; Invalid with garbage, and why it is; NeedMoreData, which at the
    /// end means that there is nothing left.</returns>
    /// <remarks>
    /// Where a block turns out invalid, its length may have been the damage: move on by <see
    /// cref="FrameBytes"/> only rather than by all of it, and what comes next is garbage up to the next
    /// frame, and then that frame.
    /// </remarks>
    public ParseResult<BitcoinDefect> TryRead(
        ReadOnlySpan<byte> source, long filePosition, bool isEnd, out BlockFileItem item)
    {
        item = default;
        if (source.IsEmpty)
            return ParseResult<BitcoinDefect>.NeedMoreData;
        int common = source.CommonPrefixLength(_magic);
        if (common == MagicBytes)
            return ReadFrame(source, isEnd, out item);
        if (common == source.Length && !isEnd)
            return ParseResult<BitcoinDefect>.NeedMoreData;
        int padding = PaddingBytes(source, filePosition);
        if (padding == 0)
            return SkipGarbage(BitcoinDefect.FrameMagic.At(0), source, isEnd, out item);
        item = new BlockFileItem { Kind = BlockFileItemKind.Padding, Raw = source[..padding] };
        return ParseResult<BitcoinDefect>.Done;
    }

    private ParseResult<BitcoinDefect> ReadFrame(
        ReadOnlySpan<byte> source, bool isEnd, out BlockFileItem item)
    {
        item = default;
        bool isWhole = source.Length >= FrameBytes;
        if (isWhole)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(source[MagicBytes..]);
            if (length < BlockBytesMin || length > (uint)_blockBytesMax)
                return SkipGarbage(BitcoinDefect.FrameLength.At(MagicBytes), source, isEnd, out item);
            int frameBytes = FrameBytes + (int)length;
            isWhole = source.Length >= frameBytes;
            if (isWhole)
                item = new BlockFileItem { Kind = BlockFileItemKind.Block, Raw = source[..frameBytes] };
        }
        if (isWhole)
            return ParseResult<BitcoinDefect>.Done;
        return isEnd
            ? SkipGarbage(BitcoinDefect.FrameTruncated.At(source.Length), source, isEnd, out item)
            : ParseResult<BitcoinDefect>.NeedMoreData;
    }

    // Up to the next magic, or to where one may begin that has not arrived yet.
    private ParseResult<BitcoinDefect> SkipGarbage(
        ParseResult<BitcoinDefect> why, ReadOnlySpan<byte> source, bool isEnd, out BlockFileItem item)
    {
        ReadOnlySpan<byte> rest = source[1..Math.Min(source.Length, GarbageBytesMax)];
        int next = rest.IndexOf(_magic);
        bool isAllThereIs = isEnd && source.Length <= GarbageBytesMax;
        if (next < 0)
            next = isAllThereIs ? rest.Length : rest.Length - BytesOfMagicAtEnd(rest);
        item = new BlockFileItem { Kind = BlockFileItemKind.Garbage, Raw = source[..(1 + next)] };
        return why;
    }

    private int BytesOfMagicAtEnd(ReadOnlySpan<byte> bytes)
    {
        for (int count = Math.Min(MagicBytes - 1, bytes.Length); count > 0; count--)
        {
            if (bytes[^count..].SequenceEqual(_magic.AsSpan(0, count)))
                return count;
        }
        return 0;
    }

    // Zeros that were obfuscated, or zeros that were not and that clearing made into the key.
    private int PaddingBytes(ReadOnlySpan<byte> source, long filePosition)
    {
        int count = source.IndexOfAnyExcept((byte)0);
        if (count < 0)
            count = source.Length;
        if (count == 0)
        {
            while (count < source.Length && source[count] == _key.ZeroAt(filePosition + count))
                count++;
        }
        // The last of them may be the first of a frame instead: then the next stretch begins there.
        for (int at = Math.Max(1, count - MagicBytes + 1); at < count; at++)
        {
            if (IsMagicPossible(source[at..]))
                return at;
        }
        return count;
    }

    private bool IsMagicPossible(ReadOnlySpan<byte> source)
    {
        int compared = Math.Min(source.Length, MagicBytes);
        return source[..compared].SequenceEqual(_magic.AsSpan(0, compared));
    }
}
