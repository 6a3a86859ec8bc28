using System.Diagnostics;
using System.Numerics;
using System.Text.Unicode;

namespace Streams.Records;

/// <summary>
/// Which encoding a record's unknown fields were found in; only that one can write them again.
/// </summary>
internal enum RecordFormat : byte
{
    Protobuf,
    Json,
}

/// <summary>The object behind <see cref="RecordMemory"/>: two byte arrays that grow and are kept.</summary>
internal sealed class RecordStore
{
    private const int CapacityMin = 256;

    /// <summary>Unknown fields beyond this are given back when the record is refilled, so that one strange
    /// record does not leave its size behind in every item of a list.</summary>
    private const int UnknownKeptMax = 4096;

    private byte[] _bytes = [];
    private int _used;
    private byte[] _unknown = [];

    /// <summary>Bytes of the unknown fields, as they were found, in the order found.</summary>
    public ReadOnlySpan<byte> Unknown => new(_unknown, 0, UnknownLength);

    /// <summary>Length of <see cref="Unknown"/>.</summary>
    public int UnknownLength { get; private set; }

    /// <summary>The encoding of <see cref="Unknown"/>.</summary>
    public RecordFormat UnknownFormat { get; private set; }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _used = 0;
        ClearUnknown();
    }

    /// <summary>Forgets everything and takes a copy of an encoded record.</summary>
    /// <param name="encoded">The record.</param>
    /// <param name="slackBytes">Zeros to put behind it,
    /// so that its reader may load whole words at the end.</param>
    /// <returns>An array that begins with the copy.</returns>
    public byte[] Load(ReadOnlySpan<byte> encoded, int slackBytes)
    {
        Clear();
        int needed = encoded.Length + slackBytes;
        if (_bytes.Length < needed)
            _bytes = new byte[Capacity(needed)];
        encoded.CopyTo(_bytes);
        _bytes.AsSpan(encoded.Length, slackBytes).Clear();
        _used = encoded.Length;
        return _bytes;
    }

    /// <summary>Copies bytes in.</summary>
    /// <returns>The array that they are in now.</returns>
    public byte[] Append(ReadOnlySpan<byte> bytes, out int offset)
    {
        Reserve(bytes.Length);
        offset = _used;
        bytes.CopyTo(_bytes.AsSpan(offset));
        _used += bytes.Length;
        return _bytes;
    }

    /// <summary>Encodes characters as UTF-8.</summary>
    /// <returns>The array that they are in now.</returns>
    /// <exception cref="ArgumentException">A surrogate stands alone.</exception>
    public byte[] AppendUtf8(ReadOnlySpan<char> characters, out int offset, out int length)
    {
        Reserve(checked(characters.Length * 3));
        offset = _used;
        var status = Utf8.FromUtf16(
            characters, _bytes.AsSpan(_used), out _, out length, replaceInvalidSequences: false);
        if (status != System.Buffers.OperationStatus.Done)
            throw new ArgumentException("A surrogate stands alone.", nameof(characters));
        _used += length;
        return _bytes;
    }

    /// <summary>Adds the encoded form of a field that the description does not know.</summary>
    public void AddUnknown(ReadOnlySpan<byte> encoded, RecordFormat format)
    {
        Debug.Assert(UnknownLength == 0 || UnknownFormat == format, "A record is decoded from one encoding.");
        int needed = UnknownLength + encoded.Length;
        if (_unknown.Length < needed)
            Array.Resize(ref _unknown, (int)BitOperations.RoundUpToPowerOf2((uint)needed));
        encoded.CopyTo(_unknown.AsSpan(UnknownLength));
        UnknownLength = needed;
        UnknownFormat = format;
    }

    private void ClearUnknown()
    {
        UnknownLength = 0;
        if (_unknown.Length > UnknownKeptMax)
            _unknown = [];
    }

    /// <summary>
    /// Makes room. Texts that are in an array that becomes too small keep that array, and stay valid.
    /// </summary>
    private void Reserve(int count)
    {
        if (_bytes.Length - _used >= count)
            return;
        _bytes = new byte[Capacity(Math.Max(count, 2 * _bytes.Length))];
        _used = 0;
    }

    private static int Capacity(int needed) =>
        (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(needed, CapacityMin));
}
