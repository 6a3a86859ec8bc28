using Streams.Buffers;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded.Segments;

/// <summary>Reads a segment frame by frame, checking every byte.</summary>
internal sealed class SegmentScan : IDisposable
{
    private const int ReadBytes = 1024 * 1024;

    private readonly ILogFile _file;
    private readonly Place _place;
    private readonly PooledBuffer _window = new(ReadBytes);
    private long _windowStart;

    /// <summary>Starts behind the segment's header.</summary>
    public SegmentScan(ILogFile file, Place place)
    {
        _file = file;
        _place = place;
        Length = file.Length;
    }

    /// <summary>Bytes of the file when the scan began.</summary>
    public long Length { get; }

    /// <summary>Where the current frame starts.</summary>
    public long Position { get; private set; }

    /// <summary>Where the current frame ends and the next one is looked for.</summary>
    public long End { get; private set; } = SegmentHeader.Bytes;

    /// <summary>The current frame's header.</summary>
    public FrameHeader Frame { get; private set; }

    /// <summary>The current frame's entries; valid until the next call.</summary>
    public ReadOnlySpan<byte> Body => Window(Position + FrameHeader.Bytes, Frame.BodyBytes);

    /// <summary>Moves to the next frame.</summary>
    /// <returns>Done; NeedMoreData at the end of the file; Invalid with the defect's distance from
    /// <see cref="End"/>, and the scan stays where it was.</returns>
    public ParseResult<LogDefect> ReadNext()
    {
        if (End == Length)
            return ParseResult<LogDefect>.NeedMoreData;
        if (!Fill(End, FrameHeader.Bytes))
            return ParseResult<LogDefect>.Invalid(LogDefect.FrameCutOff, 0);
        ParseResult<LogDefect> result =
            FrameHeader.TryRead(Window(End, FrameHeader.Bytes), _place, End, out FrameHeader frame);
        if (!result.IsDone)
            return result;
        if (!Fill(End, frame.FrameBytes))
            return ParseResult<LogDefect>.Invalid(LogDefect.FrameCutOff, 0);
        result = FrameEntries.Check(frame, Window(End + FrameHeader.Bytes, frame.BodyBytes), _place, End);
        if (!result.IsDone)
            return result;
        Position = End;
        Frame = frame;
        End += frame.FrameBytes;
        return result;
    }

    /// <summary>Goes on at another position, such as where <see cref="FindFrame"/> found something.</summary>
    public void SkipTo(long position) => End = position;

    /// <summary>Looks for the next header of a frame that is whole, whether or not its body is.</summary>
    /// <param name="from">Where to begin.</param>
    /// <param name="frame">The header.</param>
    /// <returns>Its position, or -1.</returns>
    public long FindFrame(long from, out FrameHeader frame)
    {
        long position = from;
        while ((position = FindMagic(FrameHeader.Magic, FrameHeader.Bytes, position)) >= 0)
        {
            if (FrameHeader.TryRead(Window(position, FrameHeader.Bytes), _place, position, out frame).IsDone)
                return position;
            position++;
        }
        frame = default;
        return -1;
    }

    /// <summary>Looks for the next entry that is whole.</summary>
    /// <param name="from">Where to begin.</param>
    /// <param name="limit">Where it has to end at the latest.</param>
    /// <param name="entry">Its header.</param>
    /// <returns>Its position, or -1.</returns>
    public long FindEntry(long from, long limit, out EntryHeader entry)
    {
        long position = from;
        while ((position = FindMagic(EntryHeader.Magic, EntryHeader.Bytes, position)) >= 0
            && position + EntryHeader.Bytes <= limit)
        {
            ReadOnlySpan<byte> header = Window(position, EntryHeader.Bytes);
            bool isHeader = EntryHeader.TryRead(header, _place, position, out entry).IsDone;
            if (isHeader && position + entry.EntryBytes <= limit)
            {
                ReadOnlySpan<byte> payload = Raw(position, entry.EntryBytes)[EntryHeader.Bytes..];
                if (Crc32C.Compute(payload) == entry.PayloadChecksum)
                    return position;
            }
            position++;
        }
        entry = default;
        return -1;
    }

    /// <summary>Bytes of the file as they are; valid until the next call.</summary>
    public ReadOnlySpan<byte> Raw(long position, int count) =>
        Fill(position, count) ? Window(position, count) : default;

    /// <inheritdoc/>
    public void Dispose() => _window.Dispose();

    // The next place where the bytes stand that a header begins with, and a whole header has room.
    private long FindMagic(ReadOnlySpan<byte> magic, int headerBytes, long from)
    {
        for (long position = from; Fill(position, headerBytes);)
        {
            int available = (int)(_windowStart + _window.Length - position);
            int at = Window(position, available)[..^(headerBytes - magic.Length)].IndexOf(magic);
            if (at >= 0)
                return Fill(position + at, headerBytes) ? position + at : -1;
            position += available - headerBytes + 1;
        }
        return -1;
    }

    private ReadOnlySpan<byte> Window(long position, int count) =>
        _window.WrittenSpan.Slice((int)(position - _windowStart), count);

    // Sees to it that the window holds these bytes; false where the file ends before.
    private bool Fill(long position, int count)
    {
        if (position >= _windowStart && position + count <= _windowStart + _window.Length)
            return true;
        if (position + count > Length)
            return false;
        _window.Clear();
        _windowStart = position;
        int wanted = (int)Math.Min(Math.Max(count, ReadBytes), Length - position);
        int read = _file.ReadAt(_window.Append(wanted), position);
        _window.Truncate(read);
        return read >= count;
    }
}
