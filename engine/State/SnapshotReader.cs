using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Log.Embedded.Files;

namespace Streams.State;

/// <summary>The frames of a snapshot's file, one after the other. The next is read, and its checksum
/// computed, beside the work on this one.</summary>
internal sealed class SnapshotReader : IDisposable
{
    private readonly ILogFile _file;
    private readonly TaskScheduler _background;
    private byte[] _frame = new byte[PageArena.PageBytes + SnapshotFile.FrameBytes];
    private byte[] _next = new byte[PageArena.PageBytes + SnapshotFile.FrameBytes];
    private Task<int>? _reading;

    internal SnapshotReader(ILogFile file, TaskScheduler background)
    {
        _file = file;
        _background = background;
        Position = SnapshotFile.HeaderBytes;
    }

    /// <summary>Where in the file the frame ends.</summary>
    internal long Position { get; private set; }

    /// <summary>The frame's part.</summary>
    internal long Part => BinaryPrimitives.ReadInt64LittleEndian(_frame.AsSpan(8));

    /// <summary>The frame's bytes, until the next is read.</summary>
    internal ReadOnlySpan<byte> Bytes =>
        _frame.AsSpan(SnapshotFile.FrameBytes, BinaryPrimitives.ReadInt32LittleEndian(_frame));

    /// <summary>Goes to the next frame.</summary>
    /// <returns>Whether there is a whole one.</returns>
    internal bool Read()
    {
        int bytes = (_reading ?? Begin()).GetAwaiter().GetResult();
        _reading = null;
        if (bytes == 0)
            return false;
        (_frame, _next) = (_next, _frame);
        Position += bytes;
        if (Part != SnapshotFile.ClosingPart)
            _reading = Begin();
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            // The file must not be closed under it.
            _reading?.Wait();
        }
        catch (AggregateException)
        {
            // Nobody wants that page any more.
        }
    }

    private Task<int> Begin()
    {
        long position = Position;
        return Task.Factory.StartNew(
            () => ReadAt(position), CancellationToken.None, TaskCreationOptions.DenyChildAttach, _background);
    }

    // Returns how many bytes of the file the frame takes; 0 where there is no whole one.
    private int ReadAt(long position)
    {
        const int HeaderBytes = SnapshotFile.FrameBytes;
        if (_file.ReadAt(_next.AsSpan(0, HeaderBytes), position) < HeaderBytes)
            return 0;
        int length = BinaryPrimitives.ReadInt32LittleEndian(_next);
        if (length < 0 || length > _file.Length - position - HeaderBytes)
            return 0;
        if (_next.Length < length + HeaderBytes)
            Array.Resize(ref _next, length + HeaderBytes);
        if (_file.ReadAt(_next.AsSpan(HeaderBytes, length), position + HeaderBytes) < length)
            return 0;
        uint crc = BinaryPrimitives.ReadUInt32LittleEndian(_next.AsSpan(4));
        return Crc32C.Compute(_next.AsSpan(8, length + 8)) == crc ? HeaderBytes + length : 0;
    }
}
