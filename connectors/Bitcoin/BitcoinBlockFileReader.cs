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

/// <summary>What is known of the file after the bytes at hand.</summary>
public enum BlockFilePart : byte
{
    /// <summary>The node may still write to the file. What looks like unwritten space or an unfinished block
    /// at the end of the bytes is waited for; it must be read from the file anew, for it changes in
    /// place.</summary>
    Growing,

    /// <summary>The node has gone on to another file, and more of this one follows.</summary>
    Middle,

    /// <summary>The node has gone on to another file, and the bytes reach the end of this one.</summary>
    End,
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
    /// <param name="part">What follows them.</param>
    /// <param name="item">The stretch, unless more is needed. Its <see cref="BlockFileItem.Raw"/> says how
    /// far to move on.</param>
    /// <returns>Done with a block or padding; Invalid with garbage, and why it is; NeedMoreData, which at the
    /// end means that there is nothing left.</returns>
    /// <remarks>
    /// Where a block turns out invalid, its length may have been the damage: move on by only
    /// <see cref="FrameBytes"/>, and what comes next is garbage up to the next frame, and then that frame.
    /// The last block of a growing file may be invalid because the node has not finished writing it: read it
    /// again first.
    /// </remarks>
    public ParseResult<BitcoinDefect> TryRead(
        ReadOnlySpan<byte> source, long filePosition, BlockFilePart part, out BlockFileItem item)
    {
        item = default;
        if (source.IsEmpty)
            return ParseResult<BitcoinDefect>.NeedMoreData;
        int common = source.CommonPrefixLength(_magic);
        if (common == MagicBytes)
            return ReadFrame(source, part, out item);
        if (common == source.Length && part != BlockFilePart.End)
            return ParseResult<BitcoinDefect>.NeedMoreData;
        int padding = PaddingBytes(source, filePosition);
        if (padding == source.Length && part == BlockFilePart.Growing)
            return ParseResult<BitcoinDefect>.NeedMoreData;
        if (padding == 0)
            return SkipGarbage(BitcoinDefect.FrameMagic.At(0), source, part, out item);
        item = new BlockFileItem { Kind = BlockFileItemKind.Padding, Raw = source[..padding] };
        return ParseResult<BitcoinDefect>.Done;
    }

    private ParseResult<BitcoinDefect> ReadFrame(
        ReadOnlySpan<byte> source, BlockFilePart part, out BlockFileItem item)
    {
        if (source.Length < FrameBytes)
            return WaitOrSkip(source, part, out item);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(source[MagicBytes..]);
        if (length < BlockBytesMin || length > (uint)_blockBytesMax)
            return SkipGarbage(BitcoinDefect.FrameLength.At(MagicBytes), source, part, out item);
        int frameBytes = FrameBytes + (int)length;
        if (source.Length < frameBytes)
            return WaitOrSkip(source, part, out item);
        item = new BlockFileItem { Kind = BlockFileItemKind.Block, Raw = source[..frameBytes] };
        return ParseResult<BitcoinDefect>.Done;
    }

    private ParseResult<BitcoinDefect> WaitOrSkip(
        ReadOnlySpan<byte> source, BlockFilePart part, out BlockFileItem item)
    {
        item = default;
        return part == BlockFilePart.End
            ? SkipGarbage(BitcoinDefect.FrameTruncated.At(source.Length), source, part, out item)
            : ParseResult<BitcoinDefect>.NeedMoreData;
    }

    // Up to the next magic, or to where one may begin that has not arrived yet.
    private ParseResult<BitcoinDefect> SkipGarbage(
        ParseResult<BitcoinDefect> why, ReadOnlySpan<byte> source, BlockFilePart part, out BlockFileItem item)
    {
        ReadOnlySpan<byte> rest = source[1..Math.Min(source.Length, GarbageBytesMax)];
        int next = rest.IndexOf(_magic);
        bool isAllThereIs = part == BlockFilePart.End && source.Length <= GarbageBytesMax;
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
