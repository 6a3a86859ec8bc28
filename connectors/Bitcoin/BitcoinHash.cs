using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;

namespace Streams.Connectors.Bitcoin;

/// <summary>A transaction's or a block's hash, held as it stands on the wire.</summary>
/// <remarks>
/// There are two orders. <b>Wire order</b> is what SHA-256 puts out and what blocks and transactions contain.
/// <b>Display order</b> is the same 32 bytes reversed: what RPC, explorers and people write. Records carry
/// display order, so a hash is reversed once, by <see cref="CopyDisplayTo"/>, where it leaves the connector.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public readonly struct BitcoinHash : IEquatable<BitcoinHash>
{
    /// <summary>Bytes of a hash.</summary>
    public const int Bytes = 32;

    /// <summary>Characters of a hash in hexadecimal.</summary>
    public const int HexBytes = 2 * Bytes;

    // Memory order, whatever the processor's: the fields are only ever compared or viewed as bytes.
    private readonly ulong _first;
    private readonly ulong _second;
    private readonly ulong _third;
    private readonly ulong _fourth;

    /// <summary>Takes the first 32 bytes of <paramref name="wire"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer than 32 bytes.</exception>
    public BitcoinHash(ReadOnlySpan<byte> wire) => this = MemoryMarshal.Read<BitcoinHash>(wire);

    /// <summary>Whether every bit is zero, as in the previous output of a coinbase.</summary>
    public bool IsZero => (_first | _second | _third | _fourth) == 0;

    /// <summary>The 32 bytes in wire order.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> AsSpan() => MemoryMarshal.AsBytes(new ReadOnlySpan<BitcoinHash>(in this));

    /// <summary>Writes the 32 bytes in wire order.</summary>
    public void CopyTo(Span<byte> destination) => AsSpan().CopyTo(destination);

    /// <summary>Writes the 32 bytes in display order, as records carry them.</summary>
    public void CopyDisplayTo(Span<byte> destination)
    {
        AsSpan().CopyTo(destination);
        destination[..Bytes].Reverse();
    }

    /// <summary>Writes display order in lower-case hexadecimal: 64 bytes of UTF-8.</summary>
    public void WriteHex(Span<byte> destination)
    {
        Span<byte> display = stackalloc byte[Bytes];
        CopyDisplayTo(display);
        Convert.TryToHexStringLower(display, destination, out _);
    }

    /// <summary>Takes 32 bytes in display order.</summary>
    public static BitcoinHash FromDisplay(ReadOnlySpan<byte> display)
    {
        Span<byte> wire = stackalloc byte[Bytes];
        display[..Bytes].CopyTo(wire);
        wire.Reverse();
        return new BitcoinHash(wire);
    }

    /// <summary>Reads 64 hexadecimal digits in display order, as RPC writes them.</summary>
    /// <returns>Whether there were exactly 64 digits.</returns>
    public static bool TryParse(ReadOnlySpan<byte> hex, out BitcoinHash hash)
    {
        Span<byte> display = stackalloc byte[Bytes];
        bool valid = hex.Length == HexBytes
            && Convert.FromHexString(hex, display, out _, out _) == System.Buffers.OperationStatus.Done;
        hash = valid ? FromDisplay(display) : default;
        return valid;
    }

    /// <inheritdoc/>
    public bool Equals(BitcoinHash other) =>
        ((_first ^ other._first) | (_second ^ other._second)
            | (_third ^ other._third) | (_fourth ^ other._fourth)) == 0;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is BitcoinHash other && Equals(other);

    // The first bytes of the wire are the low ones: proof of work makes zeros at the other end only.
    /// <inheritdoc/>
    public override int GetHashCode() => _first.GetHashCode();

    /// <summary>Whether two hashes are the same.</summary>
    public static bool operator ==(BitcoinHash left, BitcoinHash right) => left.Equals(right);

    /// <summary>Whether two hashes differ.</summary>
    public static bool operator !=(BitcoinHash left, BitcoinHash right) => !left.Equals(right);

    /// <summary>Display order in hexadecimal.</summary>
    public override string ToString()
    {
        Span<byte> hex = stackalloc byte[HexBytes];
        WriteHex(hex);
        return Encoding.ASCII.GetString(hex);
    }

    /// <summary>The bytes of a hash that is about to be written, in wire order.</summary>
    internal static Span<byte> BytesOf(ref BitcoinHash hash) =>
        MemoryMarshal.AsBytes(new Span<BitcoinHash>(ref hash));
}
