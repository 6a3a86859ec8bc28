using System.Runtime.CompilerServices;

namespace Streams.Records;

/// <summary>
/// UTF-8 text in a record: a view of bytes that somebody else owns, usually the record's
/// <see cref="RecordMemory"/>.
/// </summary>
/// <remarks>
/// A text is valid for as long as its owner keeps the bytes: one that a decoder set, until the record is
/// filled anew. Assigning a text to a field of another record copies the view only, which is enough when that
/// record is encoded before the first one is refilled; otherwise copy it with
/// <see cref="RecordMemory.Text(ReadOnlySpan{byte})"/>.
/// </remarks>
public readonly struct Text : IEquatable<Text>
{
    private readonly byte[]? _bytes;
    private readonly int _offset;
    private readonly int _length;

    /// <summary>Text that owns its bytes, for constants and tests: this allocates.</summary>
    public Text(string text)
    {
        _bytes = System.Text.Encoding.UTF8.GetBytes(text);
        _length = _bytes.Length;
    }

    /// <summary>A view of bytes that are known to be UTF-8 and in range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Text(byte[] bytes, int offset, int length)
    {
        _bytes = bytes;
        _offset = offset;
        _length = length;
    }

    /// <summary>Length in bytes.</summary>
    public int Length => _length;

    /// <summary>
    /// Whether there is no byte. An empty text is present; an absent one is a null <c>Text?</c>.
    /// </summary>
    public bool IsEmpty => _length == 0;

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> Span
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(_bytes, _offset, _length);
    }

    /// <summary>Whether the bytes are the same.</summary>
    public static bool operator ==(Text left, Text right) => left.Equals(right);

    /// <summary>Whether the bytes differ.</summary>
    public static bool operator !=(Text left, Text right) => !left.Equals(right);

    /// <summary>Whether the text is what <paramref name="utf8"/> says.</summary>
    public bool Equals(ReadOnlySpan<byte> utf8) => Span.SequenceEqual(utf8);

    /// <inheritdoc/>
    public bool Equals(Text other) => Span.SequenceEqual(other.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Text other && Equals(other);

    /// <summary>
    /// Differs from run to run, as the hash codes of strings do: never let it reach a record.
    /// </summary>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }

    /// <summary>Order of the bytes, which for UTF-8 is the order of the code points.</summary>
    public int CompareTo(Text other) => Span.SequenceCompareTo(other.Span);

    /// <summary>A string with the same text.</summary>
    public override string ToString() => System.Text.Encoding.UTF8.GetString(Span);
}
