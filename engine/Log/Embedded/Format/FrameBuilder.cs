using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.Log.Embedded.Format;

/// <summary>
/// Puts entries together to a frame. Everything that costs time per byte happens when an entry is added;
/// <see cref="Seal"/>, which runs under the log's lock, touches headers only.
/// </summary>
internal sealed class FrameBuilder : IDisposable
{
    private readonly PooledBuffer _bytes = new(4096);

    public FrameBuilder() => Clear();

    /// <summary>Number of entries added.</summary>
    public int Entries { get; private set; }

    /// <summary>Size of the frame so far, in bytes.</summary>
    public int Length => _bytes.Length;

    /// <summary>The frame; complete after <see cref="Seal"/>.</summary>
    public ReadOnlySpan<byte> Frame => _bytes.WrittenSpan;

    /// <summary>The entries without the frame's header.</summary>
    public Span<byte> Body => _bytes.WrittenMutable[FrameHeader.Bytes..];

    /// <summary>Starts a new frame.</summary>
    public void Clear()
    {
        _bytes.Clear();
        _bytes.Append(FrameHeader.Bytes);
        Entries = 0;
    }

    /// <summary>Adds an entry.</summary>
    /// <param name="header">Its size and checksum are filled in here.</param>
    /// <param name="payload">Its bytes.</param>
    public void Add(in EntryHeader header, ReadOnlySpan<byte> payload)
    {
        EntryHeader whole = header with
        {
            PayloadBytes = payload.Length,
            PayloadChecksum = Crc32C.Compute(payload),
        };
        whole.Write(_bytes.Append(EntryHeader.Bytes));
        _bytes.Write(payload);
        Entries++;
    }

    /// <summary>Adds an entry that has no partition.</summary>
    public void Add(EntryKind kind, int topic, ReadOnlySpan<byte> payload) =>
        Add(new EntryHeader { Kind = kind, Topic = topic }, payload);

    /// <summary>
    /// Completes the headers for a frame that is going to stand at <paramref name="position"/>.
    /// </summary>
    /// <remarks>May be called again for another place: what it writes depends on nothing that it wrote
    /// before.</remarks>
    public FrameHeader Seal(
        FrameKind kind, long commit, long appendTimeMs, long watermark, Place place, long position)
    {
        Span<byte> body = Body;
        uint entriesChecksum = Crc32C.Start;
        Span<byte> checksum = stackalloc byte[4];
        int at = 0;
        while (at < body.Length)
        {
            Span<byte> header = body.Slice(at, EntryHeader.Bytes);
            BinaryPrimitives.WriteUInt32LittleEndian(
                checksum, EntryHeader.Seal(header, place, position + FrameHeader.Bytes + at));
            entriesChecksum = Crc32C.Append(entriesChecksum, checksum);
            at += EntryHeader.ReadUnchecked(header).EntryBytes;
        }
        var frame = new FrameHeader(
            kind, body.Length, Entries, commit, appendTimeMs, watermark, Crc32C.Finish(entriesChecksum));
        frame.Write(_bytes.WrittenMutable, place, position);
        return frame;
    }

    /// <inheritdoc/>
    public void Dispose() => _bytes.Dispose();
}
