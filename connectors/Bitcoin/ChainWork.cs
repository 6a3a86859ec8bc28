using System.Diagnostics.CodeAnalysis;

namespace Streams.Connectors.Bitcoin;

/// <summary>Expected hashes behind a block or a chain; the chain with the most is the valid one.</summary>
/// <remarks>
/// A height does not decide between branches: a longer branch of easier blocks can hold less work. Add the
/// work of each header along a branch and compare sums. Source: Bitcoin developer guide, "Block Height and
/// Forking".
/// </remarks>
public readonly struct ChainWork : IComparable<ChainWork>, IEquatable<ChainWork>
{
    /// <summary>Bytes of a serialised work.</summary>
    public const int Bytes = Number256.Bytes;

    private readonly Number256 _value;

    internal ChainWork(Number256 value) => _value = value;

    /// <summary>Reads 32 bytes, big-endian, as RPC's <c>chainwork</c> has them.</summary>
    public ChainWork(ReadOnlySpan<byte> bigEndian) => _value = Number256.ReadBigEndian(bigEndian);

    /// <summary>Writes 32 bytes, big-endian.</summary>
    public void CopyTo(Span<byte> destination) => _value.WriteBigEndian(destination);

    /// <summary>The work of one branch and the block after it. No real chain comes near 2^256.</summary>
    public static ChainWork operator +(ChainWork left, ChainWork right) => new(left._value + right._value);

    /// <summary>Whether the left branch has less work.</summary>
    public static bool operator <(ChainWork left, ChainWork right) => left.CompareTo(right) < 0;

    /// <summary>Whether the left branch has more work.</summary>
    public static bool operator >(ChainWork left, ChainWork right) => left.CompareTo(right) > 0;

    /// <summary>Whether the left branch has no more work.</summary>
    public static bool operator <=(ChainWork left, ChainWork right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left branch has no less work.</summary>
    public static bool operator >=(ChainWork left, ChainWork right) => left.CompareTo(right) >= 0;

    /// <summary>Whether both have the same work.</summary>
    public static bool operator ==(ChainWork left, ChainWork right) => left.Equals(right);

    /// <summary>Whether their work differs.</summary>
    public static bool operator !=(ChainWork left, ChainWork right) => !left.Equals(right);

    /// <inheritdoc/>
    public int CompareTo(ChainWork other) => _value.CompareTo(other._value);

    /// <inheritdoc/>
    public bool Equals(ChainWork other) => _value == other._value;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is ChainWork other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _value.GetHashCode();

    /// <summary>The 32 bytes in hexadecimal, as RPC's <c>chainwork</c>.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
