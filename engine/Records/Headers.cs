using System.Text;
using Streams.Buffers;

namespace Streams.Records;

/// <summary>
/// A record's headers, in order, names may repeat, values may be absent. A view of their encoded bytes:
/// copying the struct copies no bytes, and adding a header makes new ones.
/// </summary>
/// <remarks>
/// Encoded as Kafka's record format does (Kafka protocol guide, "Record Header"), without the count: for each
/// header varint name length, name (UTF-8), zigzag varint value length (-1 for no value), value.
/// </remarks>
public readonly struct Headers
{
    private readonly ReadOnlyMemory<byte> _encoded;

    /// <summary>Headers over bytes that are already in the encoded form.</summary>
    /// <exception cref="FormatException">The bytes are not whole headers.</exception>
    public Headers(ReadOnlyMemory<byte> encoded)
    {
        _encoded = encoded;
        ReadOnlySpan<byte> rest = encoded.Span;
        while (!rest.IsEmpty)
            rest = rest[ReadOne(rest, out _, out _, out _)..];
    }

    private Headers(byte[] encoded) => _encoded = encoded;

    /// <summary>No headers.</summary>
    public static Headers Empty => default;

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => _encoded.IsEmpty;

    /// <summary>The encoded bytes.</summary>
    public ReadOnlySpan<byte> Encoded => _encoded.Span;

    /// <summary>These headers and one more, at the end.</summary>
    public Headers With(string name, ReadOnlySpan<byte> value)
    {
        using var buffer = new PooledBuffer(_encoded.Length + name.Length + value.Length + 16);
        buffer.Write(_encoded.Span);
        byte[] nameBytes = Encoding.UTF8.GetBytes(name);
        buffer.WriteVarint((ulong)nameBytes.Length);
        buffer.Write(nameBytes);
        buffer.WriteVarint(Varint.ZigZag(value.Length));
        buffer.Write(value);
        return new Headers(buffer.WrittenSpan.ToArray());
    }

    /// <summary>These headers and one more, whose value is text.</summary>
    public Headers With(string name, string value) => With(name, Encoding.UTF8.GetBytes(value));

    /// <summary>The value of the last header of that name.</summary>
    /// <returns>Whether there is such a header with a value.</returns>
    public bool TryGetLast(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        bool found = false;
        value = default;
        foreach (Header header in this)
        {
            if (!header.Name.SequenceEqual(name))
                continue;
            found = header.HasValue;
            value = header.Value;
        }
        return found;
    }

    /// <summary>A copy that owns its bytes.</summary>
    public Headers ToOwned() => IsEmpty ? default : new Headers(_encoded.ToArray());

    /// <summary>Goes through the headers in order.</summary>
    public Enumerator GetEnumerator() => new(_encoded.Span);

    /// <summary>Goes through headers in the encoded form, where they are.</summary>
    internal static Enumerator Of(ReadOnlySpan<byte> encoded) => new(encoded);

    private static int ReadOne(
        ReadOnlySpan<byte> source, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value,
        out bool hasValue)
    {
        int at = ReadLength(source, 0, out long nameBytes);
        name = Slice(source, at, nameBytes);
        at = ReadLength(source, at + name.Length, out long encodedValueBytes);
        long valueBytes = Varint.UnZigZag((ulong)encodedValueBytes);
        hasValue = valueBytes >= 0;
        value = hasValue ? Slice(source, at, valueBytes) : default;
        return at + value.Length;
    }

    private static int ReadLength(ReadOnlySpan<byte> source, int at, out long length)
    {
        int used = Varint.Read(source[at..], out ulong raw);
        length = (long)raw;
        return used > 0 ? at + used
            : throw new FormatException($"A header's length is cut off at byte {at}.");
    }

    private static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> source, int at, long length) =>
        (ulong)length <= (ulong)(source.Length - at)
            ? source.Slice(at, (int)length)
            : throw new FormatException(
                $"A header of {length} bytes at byte {at} runs past the end ({source.Length}).");

    /// <summary>One header, as a view.</summary>
    public readonly ref struct Header
    {
        /// <summary>The name, UTF-8.</summary>
        public required ReadOnlySpan<byte> Name { get; init; }

        /// <summary>The value; empty where <see cref="HasValue"/> is false.</summary>
        public required ReadOnlySpan<byte> Value { get; init; }

        /// <summary>Whether the header has a value.</summary>
        public required bool HasValue { get; init; }
    }

    /// <summary>Goes through headers without allocating.</summary>
    public ref struct Enumerator
    {
        private ReadOnlySpan<byte> _rest;

        internal Enumerator(ReadOnlySpan<byte> encoded) => _rest = encoded;

        /// <summary>The header that the last <see cref="MoveNext"/> found.</summary>
        public Header Current { get; private set; }

        /// <summary>Itself, for a loop over what <see cref="Of"/> gives.</summary>
        public readonly Enumerator GetEnumerator() => this;

        /// <summary>Moves to the next header.</summary>
        public bool MoveNext()
        {
            if (_rest.IsEmpty)
                return false;
            int used = ReadOne(
                _rest, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value, out bool hasValue);
            Current = new Header { Name = name, Value = value, HasValue = hasValue };
            _rest = _rest[used..];
            return true;
        }
    }
}
