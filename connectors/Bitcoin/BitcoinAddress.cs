using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>Where coins can be sent: a type of script, and the hash or program that makes it one.</summary>
/// <remarks>
/// A value of its own: it keeps no bytes of a transaction. Its text depends on the network; its script does
/// not. Sources: Bitcoin developer reference, "Address Conversion" (P2PKH, P2SH); BIP173 and BIP350
/// (witness).
/// </remarks>
public readonly struct BitcoinAddress : IEquatable<BitcoinAddress>
{
    /// <summary>Bytes of UTF-8 that any address fits in.</summary>
    public const int TextBytesMax = Bech32.TextBytesMax;

    /// <summary>Bytes of script that any address fits in: version, length, program.</summary>
    public const int ScriptBytesMax = 2 + ProgramBytesMax;

    /// <summary>Bytes of the longest program.</summary>
    public const int ProgramBytesMax = 40;

    private const int ProgramBytesMin = 2;
    private const int WitnessVersionMax = 16;

    // The prefix byte and a hash of 20 bytes.
    private const int HashPayloadBytes = 1 + Hash160.HashBytes;

    private readonly ProgramBytes _program;
    private readonly byte _programBytes;
    private readonly byte _witnessVersion;

    private BitcoinAddress(BitcoinScriptType type, int witnessVersion, ReadOnlySpan<byte> program)
    {
        Type = type;
        _witnessVersion = (byte)witnessVersion;
        _programBytes = (byte)program.Length;
        program.CopyTo(_program);
    }

    /// <summary>The type of script; <see cref="BitcoinScriptType.Unknown"/> in the default value.</summary>
    public BitcoinScriptType Type { get; }

    /// <summary>Whether this is the default value, which is no address.</summary>
    public bool IsEmpty => Type == BitcoinScriptType.Unknown;

    /// <summary>The version of a witness program; 0 for other types.</summary>
    public int WitnessVersion => _witnessVersion;

    /// <summary>The 20 bytes of a hash, or the 2 to 40 bytes of a witness program.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> Program => ((ReadOnlySpan<byte>)_program)[.._programBytes];

    private bool IsWitness => Type is not (BitcoinScriptType.PublicKeyHash or BitcoinScriptType.ScriptHash);

    /// <summary>The address that an output's script pays to.</summary>
    /// <param name="script">Any bytes.</param>
    /// <param name="address">The address; empty where there is none.</param>
    /// <param name="keyAsHash">Whether a script that holds a bare key (P2PK) counts as paying to that key's
    /// hash. It has no address of its own, and explorers show this one, which the same key can spend; it does
    /// not lead back to the script.</param>
    /// <returns>Whether there is an address: none for multisig, null data and non-standard scripts.</returns>
    public static bool TryFromScript(
        ReadOnlySpan<byte> script, out BitcoinAddress address, bool keyAsHash = false) =>
        TryFromScript(BitcoinScript.Classify(script), out address, keyAsHash);

    /// <summary>The address of a script that was classified already.</summary>
    /// <param name="script">The script.</param>
    /// <param name="address">The address; empty where there is none.</param>
    /// <param name="keyAsHash">Whether a bare key counts as its hash.</param>
    public static bool TryFromScript(
        in BitcoinScript script, out BitcoinAddress address, bool keyAsHash = false)
    {
        address = default;
        switch (script.Type)
        {
            case BitcoinScriptType.NonStandard or BitcoinScriptType.Multisig or BitcoinScriptType.NullData:
                return false;
            case BitcoinScriptType.PublicKey:
                if (keyAsHash)
                    address = FromPublicKey(script.Payload);
                return keyAsHash;
            default:
                address = new BitcoinAddress(script.Type, script.WitnessVersion, script.Payload);
                return true;
        }
    }

    /// <summary>The P2PKH address of a public key.</summary>
    /// <param name="key">33 or 65 bytes.</param>
    public static BitcoinAddress FromPublicKey(ReadOnlySpan<byte> key) =>
        FromHash(BitcoinScriptType.PublicKeyHash, key);

    /// <summary>The P2SH address of a redeem script.</summary>
    public static BitcoinAddress FromRedeemScript(ReadOnlySpan<byte> script) =>
        FromHash(BitcoinScriptType.ScriptHash, script);

    /// <summary>The P2WPKH address of a public key.</summary>
    /// <param name="key">33 bytes.</param>
    public static BitcoinAddress FromWitnessPublicKey(ReadOnlySpan<byte> key) =>
        FromHash(BitcoinScriptType.WitnessPublicKeyHash, key);

    /// <summary>The P2WSH address of a witness script.</summary>
    public static BitcoinAddress FromWitnessScript(ReadOnlySpan<byte> script)
    {
        Span<byte> hash = stackalloc byte[Sha256.HashBytes];
        Sha256.Hash(script, hash);
        return new BitcoinAddress(BitcoinScriptType.WitnessScriptHash, 0, hash);
    }

    /// <summary>Writes the output script that pays to this address, and returns the bytes used.</summary>
    /// <param name="destination">At least <see cref="ScriptBytesMax"/> bytes, or the script's length.</param>
    public int WriteScript(Span<byte> destination)
    {
        switch (Type)
        {
            case BitcoinScriptType.Unknown:
                return 0;
            case BitcoinScriptType.PublicKeyHash:
                destination[0] = BitcoinOpcode.Duplicate;
                destination[1] = BitcoinOpcode.Hash160;
                destination[2] = Hash160.HashBytes;
                Program.CopyTo(destination[3..]);
                destination[23] = BitcoinOpcode.EqualVerify;
                destination[24] = BitcoinOpcode.CheckSignature;
                return 25;
            case BitcoinScriptType.ScriptHash:
                destination[0] = BitcoinOpcode.Hash160;
                destination[1] = Hash160.HashBytes;
                Program.CopyTo(destination[2..]);
                destination[22] = BitcoinOpcode.Equal;
                return 23;
            default:
                destination[0] = WitnessVersion == 0
                    ? BitcoinOpcode.Zero
                    : (byte)(BitcoinOpcode.One + WitnessVersion - 1);
                destination[1] = _programBytes;
                Program.CopyTo(destination[2..]);
                return 2 + _programBytes;
        }
    }

    /// <summary>Writes the address as UTF-8 and returns the bytes used; 0 for the empty address.</summary>
    /// <param name="network">Whose prefixes to use.</param>
    /// <param name="destination">At least <see cref="TextBytesMax"/> bytes, or the text's own length.</param>
    [SkipLocalsInit]
    public int Encode(BitcoinNetwork network, Span<byte> destination)
    {
        if (IsEmpty)
            return 0;
        if (!IsWitness)
        {
            Span<byte> payload = stackalloc byte[HashPayloadBytes];
            bool isScript = Type == BitcoinScriptType.ScriptHash;
            payload[0] = isScript ? network.ScriptHashPrefix : network.PublicKeyHashPrefix;
            Program.CopyTo(payload[1..]);
            return Base58Check.Encode(payload, destination);
        }
        Span<byte> values = stackalloc byte[Bech32.ValuesMax];
        values[0] = _witnessVersion;
        int count = 1 + Bech32.ToValues(Program, values[1..]);
        Bech32Variant variant = _witnessVersion == 0 ? Bech32Variant.Bech32 : Bech32Variant.Bech32m;
        return Bech32.Encode(network.WitnessPrefix, values[..count], variant, destination);
    }

    /// <summary>Reads an address of a network.</summary>
    /// <param name="text">UTF-8; a witness address may be all upper case.</param>
    /// <param name="network">Whose prefixes are accepted.</param>
    /// <param name="address">The address, when Done.</param>
    /// <returns>Done, or Invalid with the offset of the character at fault where one is.</returns>
    public static ParseResult<BitcoinTextDefect> TryDecode(
        ReadOnlySpan<byte> text, BitcoinNetwork network, out BitcoinAddress address)
    {
        if (HasPrefix(text, network.WitnessPrefix))
            return TryDecodeWitness(text, out address);
        ParseResult<BitcoinTextDefect> result = TryDecodeHash(text, network, out address);
        if (result.IsDone)
            return result;
        // Another network's witness address would otherwise be called bad Base58.
        Span<byte> values = stackalloc byte[Bech32.ValuesMax];
        bool isWitness = Bech32.TryDecode(text, values, out _, out _, out _).IsDone;
        return isWitness ? BitcoinTextDefect.Network.At(0) : result;
    }

    /// <inheritdoc/>
    public bool Equals(BitcoinAddress other) =>
        Type == other.Type && _witnessVersion == other._witnessVersion
        && Program.SequenceEqual(other.Program);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) =>
        obj is BitcoinAddress other && Equals(other);

    // Programs are hashes and keys, or at least two bytes.
    /// <inheritdoc/>
    public override int GetHashCode() =>
        HashCode.Combine(Type, _programBytes < sizeof(int) ? 0 : MemoryMarshal.Read<int>(Program));

    /// <summary>Whether two addresses are the same.</summary>
    public static bool operator ==(BitcoinAddress left, BitcoinAddress right) => left.Equals(right);

    /// <summary>Whether two addresses differ.</summary>
    public static bool operator !=(BitcoinAddress left, BitcoinAddress right) => !left.Equals(right);

    /// <summary>The address as text of a network.</summary>
    public string ToString(BitcoinNetwork network)
    {
        Span<byte> text = stackalloc byte[TextBytesMax];
        return Encoding.ASCII.GetString(text[..Encode(network, text)]);
    }

    private static BitcoinAddress FromHash(BitcoinScriptType type, ReadOnlySpan<byte> preimage)
    {
        Span<byte> hash = stackalloc byte[Hash160.HashBytes];
        Hash160.Hash(preimage, hash);
        return new BitcoinAddress(type, 0, hash);
    }

    private static bool HasPrefix(ReadOnlySpan<byte> text, string prefix) =>
        text.Length > prefix.Length && text[prefix.Length] == (byte)'1'
        && Ascii.EqualsIgnoreCase(text[..prefix.Length], prefix);

    private static ParseResult<BitcoinTextDefect> TryDecodeHash(
        ReadOnlySpan<byte> text, BitcoinNetwork network, out BitcoinAddress address)
    {
        address = default;
        Span<byte> payload = stackalloc byte[HashPayloadBytes];
        ParseResult<BitcoinTextDefect> result = Base58Check.TryDecode(text, payload, out int bytes);
        if (!result.IsDone)
            return result;
        if (bytes != HashPayloadBytes)
            return BitcoinTextDefect.Length.At(text.Length);
        BitcoinScriptType type = BitcoinScriptType.Unknown;
        if (payload[0] == network.PublicKeyHashPrefix)
            type = BitcoinScriptType.PublicKeyHash;
        else if (payload[0] == network.ScriptHashPrefix)
            type = BitcoinScriptType.ScriptHash;
        else
            return BitcoinTextDefect.Network.At(0);
        address = new BitcoinAddress(type, 0, payload[1..]);
        return ParseResult<BitcoinTextDefect>.Done;
    }

    private static ParseResult<BitcoinTextDefect> TryDecodeWitness(
        ReadOnlySpan<byte> text, out BitcoinAddress address)
    {
        address = default;
        Span<byte> values = stackalloc byte[Bech32.ValuesMax];
        ParseResult<BitcoinTextDefect> result =
            Bech32.TryDecode(text, values, out int prefixBytes, out int count, out Bech32Variant variant);
        if (!result.IsDone)
            return result;
        int versionOffset = prefixBytes + 1;
        if (count == 0)
            return BitcoinTextDefect.Length.At(text.Length);
        int version = values[0];
        if (version > WitnessVersionMax)
            return BitcoinTextDefect.WitnessVersion.At(versionOffset);
        if (variant != (version == 0 ? Bech32Variant.Bech32 : Bech32Variant.Bech32m))
            return BitcoinTextDefect.ChecksumVariant.At(versionOffset);
        Span<byte> program = stackalloc byte[Bech32.ValuesMax];
        if (!Bech32.TryToBytes(values[1..count], program, out int programBytes))
            return BitcoinTextDefect.Padding.At(text.Length);
        program = program[..programBytes];
        BitcoinScriptType type = BitcoinScript.TypeOfProgram(version, program);
        if (programBytes is < ProgramBytesMin or > ProgramBytesMax || type == BitcoinScriptType.NonStandard)
            return BitcoinTextDefect.ProgramLength.At(text.Length);
        address = new BitcoinAddress(type, version, program);
        return ParseResult<BitcoinTextDefect>.Done;
    }

    [InlineArray(ProgramBytesMax)]
    private struct ProgramBytes
    {
        private byte _first;
    }
}
