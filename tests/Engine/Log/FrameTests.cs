using Streams.Log.Embedded.Format;
using Xunit;

namespace Streams.Tests.Engine.Log;

/// <summary>What a frame's checksums have to tell.</summary>
public sealed class FrameTests
{
    private const int Position = 64;

    private static readonly Place Here = new(logId: 1, segment: 2);

    [Fact]
    public void A_frame_is_whole_where_it_was_written_and_nowhere_else()
    {
        byte[] frame = Build("one", "two");
        Assert.Equal(LogDefect.None, Check(frame, Here, Position));
        Assert.Equal(LogDefect.FrameHeader, Check(frame, Here, Position + 1));
        Assert.Equal(LogDefect.FrameHeader, Check(frame, new Place(logId: 1, segment: 3), Position));
        Assert.Equal(LogDefect.FrameHeader, Check(frame, new Place(logId: 2, segment: 2), Position));
    }

    [Fact]
    public void Two_attempts_at_one_commit_do_not_mix()
    {
        // A first attempt that a full disk stopped, a second one over it, and a crash that kept parts of
        // both.
        byte[] first = Build("one", "two");
        byte[] second = Build("six", "ten");
        Assert.Equal(first.Length, second.Length);
        int entryBytes = EntryHeader.Bytes + 3;
        for (int kept = FrameHeader.Bytes; kept <= FrameHeader.Bytes + entryBytes; kept += entryBytes)
        {
            byte[] mixed = [.. second[..kept], .. first[kept..]];
            Assert.Equal(LogDefect.EntrySet, Check(mixed, Here, Position));
        }
    }

    [Fact]
    public void Every_flipped_bit_of_a_frame_is_found()
    {
        byte[] frame = Build("one", "two");
        for (int bit = 0; bit < 8 * frame.Length; bit++)
        {
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(LogDefect.None, Check(frame, Here, Position));
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    private static byte[] Build(params string[] payloads)
    {
        using var builder = new FrameBuilder();
        foreach (string payload in payloads)
            builder.Add(EntryKind.Cursors, 0, System.Text.Encoding.ASCII.GetBytes(payload));
        builder.Seal(FrameKind.Commit, 7, 0, 0, Here, Position);
        return builder.Frame.ToArray();
    }

    private static LogDefect Check(byte[] frame, Place place, long position)
    {
        var header = FrameHeader.TryRead(frame, place, position, out FrameHeader read);
        if (!header.IsDone)
            return header.Defect;
        if (read.FrameBytes != frame.Length)
            return LogDefect.FrameCutOff;
        var body = FrameEntries.Check(read, frame.AsSpan(FrameHeader.Bytes), place, position);
        return body.Defect;
    }
}
