using System.Buffers.Text;
using Streams.Records;

namespace Streams.Topologies.Transactions;

/// <summary>Writes a short line of UTF-8 without allocating; what does not fit is cut off.</summary>
internal sealed class Utf8Line
{
    private readonly byte[] _bytes = new byte[512];
    private int _length;

    /// <summary>The line.</summary>
    internal ReadOnlySpan<byte> Span => _bytes.AsSpan(0, _length);

    /// <summary>Begins anew.</summary>
    internal Utf8Line Clear()
    {
        _length = 0;
        return this;
    }

    /// <summary>Appends text.</summary>
    internal Utf8Line Add(ReadOnlySpan<byte> text)
    {
        int room = _bytes.Length - _length;
        // Not inside a character: continuation bytes begin with the bits 10.
        int count = Math.Min(text.Length, room);
        while (count > 0 && count < text.Length && (text[count] & 0xC0) == 0x80)
            count--;
        text[..count].CopyTo(_bytes.AsSpan(_length));
        _length += count;
        return this;
    }

    /// <summary>Appends text.</summary>
    internal Utf8Line Add(Text text) => Add(text.Span);

    /// <summary>Appends a number.</summary>
    internal Utf8Line Add(long number)
    {
        if (Utf8Formatter.TryFormat(number, _bytes.AsSpan(_length), out int written))
            _length += written;
        return this;
    }
}
