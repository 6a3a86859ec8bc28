using System.Runtime.CompilerServices;

namespace Streams.Records;

/// <summary>
/// Bytes in a record: a view of what somebody else owns, usually the record's <see cref="RecordMemory"/>.
/// Valid for as long as a <see cref="Text"/> would be.
/// </summary>
public readonly struct Bytes : IEquatable<Bytes>
{
    private readonly byte[]? _bytes;
    private readonly int _offset;
    private readonly int _length;

    /// <summary>A view of all of an array.</summary>
    public Bytes(byte[] bytes) : this(bytes, 0, bytes.Length)
    {
    }

    /// <summary>A view of a part that is known to be in range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Bytes(byte[] bytes, int offset, int length)
    {
        _bytes = bytes;
        _offset = offset;
        _length = length;
    }

    /// <summary>Length in bytes.</summary>
    public int Length => _length;

    /// <summary>
    /// Whether there is no byte. Empty bytes are present; absent ones are a null <c>Bytes?</c>.
    /// </summary>
    public bool IsEmpty => _length == 0;

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> Span
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(_bytes, _offset, _length);
    }

    /// <summary>Whether the bytes are the same.</summary>
    public static bool operator ==(Bytes left, Bytes right) => left.Equals(right);

    /// <summary>Whether the bytes differ.</summary>
    public static bool operator !=(Bytes left, Bytes right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(Bytes other) => Span.SequenceEqual(other.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Bytes other && Equals(other);

    /// <summary>Differs from run to run: never let it reach a record.</summary>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }

    /// <summary>Lower-case hexadecimal.</summary>
    public override string ToString() => Convert.ToHexStringLower(Span);
}
