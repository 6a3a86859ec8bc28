using System.Text;
using Streams.Buffers;

namespace Streams.Log.Embedded.Format;

/// <summary>Reads the fields of an entry that is not a record batch.</summary>
/// <remarks>
/// The bytes have passed their checksum, so a field that does not fit is a fault of the program that wrote
/// it. After the first one, <see cref="Failed"/> stays set and every field reads as nothing.
/// </remarks>
internal ref struct EntryReader(ReadOnlySpan<byte> payload)
{
    private ReadOnlySpan<byte> _rest = payload;

    /// <summary>Whether a field did not fit.</summary>
    public bool Failed { get; private set; }

    /// <summary>Whether fields are left to read.</summary>
    public readonly bool HasMore => !Failed && !_rest.IsEmpty;

    /// <summary>Reads a varint that is a count, an identifier or an offset.</summary>
    public long ReadNumber()
    {
        int used = Varint.Read(_rest, out ulong value);
        if (Failed || used <= 0 || value > long.MaxValue)
        {
            Failed = true;
            return 0;
        }
        _rest = _rest[used..];
        return (long)value;
    }

    /// <summary>Reads a number that has to be one of an array's indexes.</summary>
    public int ReadIndex(int count)
    {
        long value = ReadNumber();
        Failed |= value >= count;
        return Failed ? 0 : (int)value;
    }

    /// <summary>Reads a length and that many bytes.</summary>
    public ReadOnlySpan<byte> ReadBytes()
    {
        long length = ReadNumber();
        if (Failed || length > _rest.Length)
        {
            Failed = true;
            return default;
        }
        ReadOnlySpan<byte> bytes = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return bytes;
    }

    /// <summary>Reads text.</summary>
    public string ReadText() => Encoding.UTF8.GetString(ReadBytes());
}

/// <summary>Writes what <see cref="EntryReader"/> reads.</summary>
internal static class EntryFields
{
    /// <summary>Appends a number that is not negative.</summary>
    public static void WriteNumber(this PooledBuffer buffer, long value) => buffer.WriteVarint((ulong)value);

    /// <summary>Appends a length and the bytes.</summary>
    public static void WriteBytes(this PooledBuffer buffer, ReadOnlySpan<byte> bytes)
    {
        buffer.WriteVarint((ulong)bytes.Length);
        buffer.Write(bytes);
    }

    /// <summary>Appends text.</summary>
    public static void WriteText(this PooledBuffer buffer, string text)
    {
        int count = Encoding.UTF8.GetByteCount(text);
        buffer.WriteVarint((ulong)count);
        Encoding.UTF8.GetBytes(text, buffer.Append(count));
    }
}
