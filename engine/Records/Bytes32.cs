using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.Records;

/// <summary>Exactly 32 bytes, held in place: a hash or an identifier.
/// Shown as lower-case hexadecimal, first byte first.</summary>
/// <remarks>Bitcoin's tools show hashes last byte first.
/// That is a matter of the Bitcoin connector, not of this type.</remarks>
[StructLayout(LayoutKind.Sequential)]
public readonly struct Bytes32 : IEquatable<Bytes32>
{
    /// <summary>The length in bytes.</summary>
    public const int Size = 32;

    /// <summary>The length as hexadecimal digits.</summary>
    public const int HexLength = 2 * Size;

    private readonly ulong _0;
    private readonly ulong _1;
    private readonly ulong _2;
    private readonly ulong _3;

    /// <summary>A copy of 32 bytes.</summary>
    /// <exception cref="ArgumentException">There are not 32.</exception>
    public Bytes32(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
            throw new ArgumentException($"{bytes.Length} bytes where {Size} are needed.", nameof(bytes));
        this = MemoryMarshal.Read<Bytes32>(bytes);
    }

    /// <summary>The bytes.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> Span
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => MemoryMarshal.AsBytes(new ReadOnlySpan<Bytes32>(in this));
    }

    /// <summary>Whether all bytes are zero.</summary>
    public bool IsZero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (_0 | _1 | _2 | _3) == 0;
    }

    /// <summary>Whether the bytes are the same.</summary>
    public static bool operator ==(in Bytes32 left, in Bytes32 right) => left.Equals(in right);

    /// <summary>Whether the bytes differ.</summary>
    public static bool operator !=(in Bytes32 left, in Bytes32 right) => !left.Equals(in right);

    /// <summary>Reads 64 hexadecimal digits.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static Bytes32 Parse(string hex) =>
        TryParse(System.Text.Encoding.UTF8.GetBytes(hex), out Bytes32 value)
            ? value
            : throw new FormatException($"'{hex}' is not {HexLength} hexadecimal digits.");

    /// <summary>Reads 64 hexadecimal digits of either case.</summary>
    /// <returns>Whether the text was exactly that.</returns>
    public static bool TryParse(ReadOnlySpan<byte> hex, out Bytes32 value)
    {
        Unsafe.SkipInit(out value);
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<Bytes32>(ref value));
        if (hex.Length == HexLength
            && Convert.FromHexString(hex, bytes, out _, out _) == System.Buffers.OperationStatus.Done)
        {
            return true;
        }
        value = default;
        return false;
    }

    /// <summary>Writes 64 lower-case hexadecimal digits.</summary>
    /// <param name="destination">At least <see cref="HexLength"/> bytes.</param>
    public void Format(Span<byte> destination) =>
        Convert.TryToHexStringLower(Span, destination[..HexLength], out _);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Equals(Bytes32 other) => Equals(in other);

    /// <summary>Whether the bytes are the same.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Equals(in Bytes32 other) =>
        ((_0 ^ other._0) | (_1 ^ other._1) | (_2 ^ other._2) | (_3 ^ other._3)) == 0;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Bytes32 other && Equals(in other);

    /// <summary>
    /// Differs from run to run, so that hashes chosen by an attacker do not collide in a dictionary.
    /// </summary>
    public override int GetHashCode() => HashCode.Combine(_0, _1, _2, _3);

    /// <summary>Order of the bytes.</summary>
    public int CompareTo(Bytes32 other) => Span.SequenceCompareTo(other.Span);

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(Span);
}
