using System.Buffers;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>A stretch of a file, in the reader's buffer: valid until the next read.</summary>
internal readonly ref struct BlockFrame
{
    internal required BlockFileItemKind Kind { get; init; }

    /// <summary>All bytes of the stretch.</summary>
    internal required ReadOnlySpan<byte> Raw { get; init; }

    /// <summary>The block in it.</summary>
    internal ReadOnlySpan<byte> Block { get; init; }

    /// <summary>Why it is garbage.</summary>
    internal BitcoinDefect Defect { get; init; }
}

/// <summary>Reads stretches of files through one buffer.</summary>
internal sealed class BlockFrames(BitcoinReaderOptions options) : IDisposable
{
    private const int ReadAheadBytes = 4 << 20;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(ReadAheadBytes);
    private byte[] _again = [];
    private BitcoinBlockFileReader? _reader;
    private int _file = -1;
    private long _start;
    private int _length;

    private int FrameBytesMax => options.BlockBytesMax + BitcoinBlockFileReader.FrameBytes;

    /// <summary>Reads the stretch at a file's position.</summary>
    /// <param name="file">The file.</param>
    /// <param name="mayGrow">Whether the node may still write to the file: an unfinished block is waited
    /// for.</param>
    /// <param name="frame">The stretch.</param>
    /// <returns>False where there is nothing whole yet.</returns>
    internal bool TryRead(BlockFile file, bool mayGrow, out BlockFrame frame)
    {
        if (!file.IsFramed)
            return TryReadRaw(file, out frame);
        if (_file != file.Number || _reader is null)
            _reader = new BitcoinBlockFileReader(options, file.Key);
        ReadOnlySpan<byte> bytes = Buffered(file, file.Position);
        if (TryReadFrame(file, bytes, mayGrow, out frame))
            return true;
        // The buffer may end inside the block, or the node has written since; from the block's start on it
        // fits.
        bytes = Fill(file, file.Position);
        return TryReadFrame(file, bytes, mayGrow, out frame);
    }

    /// <summary>Whether what stands behind a frame is another one, unwritten space, or the end.</summary>
    internal bool IsFollowedByFrame(BlockFile file, in BlockFrame frame)
    {
        if (!file.IsFramed)
            return true;
        Span<byte> next = stackalloc byte[4];
        int read = file.Read(next, file.Position + frame.Raw.Length);
        return read < next.Length || next.IndexOfAnyExcept((byte)0) < 0
            || BitConverter.ToUInt32(next) == options.Network.Magic;
    }

    /// <summary>Reads a block once more; valid until the next call.</summary>
    internal ReadOnlySpan<byte> ReadAgain(BlockFile file, in BlockPlace place)
    {
        if (_again.Length < place.Bytes)
            _again = new byte[Math.Max(place.Bytes, 1 << 20)];
        return _again.AsSpan(0, file.Read(_again.AsSpan(0, place.Bytes), place.Position));
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _file = -1;
    }

    private bool TryReadFrame(BlockFile file, ReadOnlySpan<byte> bytes, bool mayGrow, out BlockFrame frame)
    {
        bool reachesEnd = file.Position + bytes.Length >= file.Length;
        BlockFilePart part = mayGrow ? BlockFilePart.Growing : reachesEnd ? BlockFilePart.End
            : BlockFilePart.Middle;
        ParseResult<BitcoinDefect> result = _reader!.TryRead(
            bytes, file.Position, part, out BlockFileItem item);
        if (result.Status == ParseStatus.NeedMoreData)
        {
            frame = default;
            return false;
        }
        frame =
            new BlockFrame { Kind = item.Kind, Raw = item.Raw, Block = item.Block, Defect = result.Defect };
        return true;
    }

    // A file without frames is one block, whole. One that is too long shows its beginning.
    private bool TryReadRaw(BlockFile file, out BlockFrame frame)
    {
        ReadOnlySpan<byte> bytes = Fill(file, file.Position);
        frame = new BlockFrame { Kind = BlockFileItemKind.Block, Raw = bytes, Block = bytes };
        return bytes.Length > 0;
    }

    private ReadOnlySpan<byte> Buffered(BlockFile file, long position)
    {
        bool inside = _file == file.Number && position >= _start && position < _start + _length;
        return inside ? _buffer.AsSpan((int)(position - _start), (int)(_start + _length - position))
            : Fill(file, position);
    }

    private ReadOnlySpan<byte> Fill(BlockFile file, long position)
    {
        int wanted = Math.Max(FrameBytesMax + 1, ReadAheadBytes);
        if (_buffer.Length < wanted)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = ArrayPool<byte>.Shared.Rent(wanted);
        }
        _file = file.Number;
        _start = position;
        _length = file.Read(_buffer, position);
        return _buffer.AsSpan(0, _length);
    }
}
