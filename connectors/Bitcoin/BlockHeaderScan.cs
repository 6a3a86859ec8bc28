using System.Buffers.Binary;

namespace Streams.Connectors.Bitcoin;

/// <summary>Takes each header that a scan found.</summary>
internal delegate void HeaderFound(in BitcoinHash hash, in BitcoinHeader header, in BlockPlace place);

/// <summary>
/// Finds the headers of a file's blocks without reading the blocks: which blocks there are decides whether
/// one whose predecessor is not known waits for it or begins a chain.
/// </summary>
internal sealed class BlockHeaderScan(BitcoinReaderOptions options)
{
    private const int SearchBytes = 1 << 20;

    private readonly byte[] _head = new byte[BitcoinBlockFileReader.FrameBytes + BitcoinHeader.Bytes];
    private readonly byte[] _search = new byte[SearchBytes];

    /// <summary>Goes through the headers whose block begins in a range of a file.</summary>
    internal void Run(BlockFile file, long from, long to, HeaderFound found)
    {
        if (!file.IsFramed)
        {
            if (from == 0 && to > 0
                && file.Read(_head.AsSpan(0, BitcoinHeader.Bytes), 0) == BitcoinHeader.Bytes)
                Report(_head, new BlockPlace(file.Number, 0, (int)Math.Min(to, int.MaxValue)), found);
            return;
        }
        for (long position = from; position < to;)
        {
            if (!TryReadFrame(file, position, out int length))
            {
                position = FindFrame(file, position + 1, to);
                continue;
            }
            var place = new BlockPlace(file.Number, position + BitcoinBlockFileReader.FrameBytes, length);
            Report(_head.AsSpan(BitcoinBlockFileReader.FrameBytes), place, found);
            position = place.Position + length;
        }
    }

    // A header without work could be anything; the reader will say what.
    private void Report(ReadOnlySpan<byte> bytes, in BlockPlace place, HeaderFound found)
    {
        BitcoinHeader.TryRead(bytes, out BitcoinHeader header);
        BitcoinHash hash = header.ComputeHash();
        if (header.CheckWork(hash, options.Network).IsDone)
            found(hash, header, place);
    }

    private bool TryReadFrame(BlockFile file, long position, out int length)
    {
        length = 0;
        if (file.Read(_head, position) < _head.Length
            || BinaryPrimitives.ReadUInt32LittleEndian(_head) != options.Network.Magic)
            return false;
        uint declared = BinaryPrimitives.ReadUInt32LittleEndian(_head.AsSpan(4));
        length = (int)Math.Min(declared, int.MaxValue);
        return declared >= BitcoinHeader.Bytes && declared <= (uint)options.BlockBytesMax;
    }

    // The next place where a frame may begin; the end where there is none.
    private long FindFrame(BlockFile file, long from, long to)
    {
        Span<byte> magic = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(magic, options.Network.Magic);
        for (long position = from; position < to; position += SearchBytes - magic.Length)
        {
            int read = file.Read(_search, position);
            int at = _search.AsSpan(0, read).IndexOf(magic);
            if (at >= 0)
                return position + at;
            if (read < SearchBytes)
                break;
        }
        return to;
    }
}
