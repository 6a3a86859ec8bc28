using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Log.Embedded.Files;

namespace Streams.Log.Embedded.Segments;

/// <summary>
/// Notes, after each fsync, how far the log had reached the disk. Commits carry the same as their watermark;
/// the note covers the last of them, behind which nothing stands. It is not synced itself: it never claims
/// more than is true, and after a power cut an older note merely proves less.
/// </summary>
internal sealed class DurableNote : IDisposable
{
    /// <summary>The note's file.</summary>
    public const string FileName = "durable";

    // Two slots a sector apart are written in turn, so that a torn write leaves the other one.
    private const int SlotBytes = 512;
    private const int UsedBytes = 48;
    private const int ChecksumAt = 44;

    private readonly Lock _lock = new();
    private readonly ILogFile _file;
    private readonly byte[] _slot = new byte[UsedBytes];
    private readonly ulong _logId;
    private int _next;

    /// <summary>Opens the note to write it.</summary>
    public DurableNote(ILogFileSystem files, ulong logId)
    {
        _logId = logId;
        _file = files.Open(FileName, files.Exists(FileName) ? LogFileMode.Write : LogFileMode.Create);
        Extend();
    }

    private static ReadOnlySpan<byte> Magic => "STRMDUR\x01"u8;

    /// <summary>Writes that everything before a position of a segment has reached the disk.</summary>
    /// <remarks>Where the disk was full when the file was made, it may have no room for a slot; nothing
    /// happens then: an older note stays true.</remarks>
    public void Write(long segment, long position, long commit)
    {
        lock (_lock)
        {
            Span<byte> slot = _slot;
            Magic.CopyTo(slot);
            BinaryPrimitives.WriteUInt64LittleEndian(slot[8..], _logId);
            BinaryPrimitives.WriteInt64LittleEndian(slot[16..], segment);
            BinaryPrimitives.WriteInt64LittleEndian(slot[24..], position);
            BinaryPrimitives.WriteInt64LittleEndian(slot[32..], commit);
            BinaryPrimitives.WriteUInt32LittleEndian(slot[ChecksumAt..], Crc32C.Compute(slot[..ChecksumAt]));
            try
            {
                _file.WriteAt(slot, _next * SlotBytes);
                _next = 1 - _next;
            }
            catch (LogFullException)
            {
                // See the remarks.
            }
        }
    }

    // At its full size from the beginning, the file needs no room when the disk is full later.
    private void Extend()
    {
        int missing = SlotBytes + UsedBytes - (int)Math.Min(_file.Length, SlotBytes + UsedBytes);
        try
        {
            _file.WriteAt(new byte[missing], _file.Length);
        }
        catch (LogFullException)
        {
            // See the remarks at Write.
        }
    }

    /// <summary>Reads the furthest of the notes that are whole.</summary>
    /// <returns>The note, or null where there is no whole one.</returns>
    public static DurableMark? Read(ILogFileSystem files)
    {
        if (!files.Exists(FileName))
            return null;
        using ILogFile file = files.Open(FileName, LogFileMode.Read);
        DurableMark? furthest = null;
        Span<byte> slot = stackalloc byte[UsedBytes];
        for (int i = 0; i < 2; i++)
        {
            bool isRead = file.ReadAt(slot, i * SlotBytes) == UsedBytes && slot.StartsWith(Magic);
            uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(slot[ChecksumAt..]);
            if (!isRead || checksum != Crc32C.Compute(slot[..ChecksumAt]))
                continue;
            var mark = new DurableMark(
                BinaryPrimitives.ReadUInt64LittleEndian(slot[8..]),
                BinaryPrimitives.ReadInt64LittleEndian(slot[16..]),
                BinaryPrimitives.ReadInt64LittleEndian(slot[24..]),
                BinaryPrimitives.ReadInt64LittleEndian(slot[32..]));
            if (furthest is not { } best || mark.Segment > best.Segment
                || (mark.Segment == best.Segment && mark.Position > best.Position))
            {
                furthest = mark;
            }
        }
        return furthest;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}

/// <summary>How far a log had reached the disk.</summary>
/// <param name="LogId">Which log.</param>
/// <param name="Segment">The segment that was written to.</param>
/// <param name="Position">Everything before this position of it was on the disk.</param>
/// <param name="Commit">The last commit before that.</param>
internal readonly record struct DurableMark(ulong LogId, long Segment, long Position, long Commit);
