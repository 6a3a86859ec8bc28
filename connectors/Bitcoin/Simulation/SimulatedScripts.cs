using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>Writes the scripts of addresses, and what spends them.</summary>
/// <remarks>
/// Keys and signatures have the shape that consensus asks for, and nothing behind it: a key is 32 random
/// bytes with a prefix, a signature a DER sequence of two random numbers. Readers look no further, and
/// neither is worth the microseconds of a curve. Sources: BIP11, BIP16, BIP66, BIP141, BIP341.
/// </remarks>
/// <param name="seed">Of all addresses but the listed ones.</param>
internal sealed class SimulatedScripts(ulong seed)
{
    /// <summary>Bytes of the longest script of an output: three keys.</summary>
    internal const int OutputBytesMax = MultisigBytes;

    private const int KeyBytes = BitcoinScript.CompressedKeyBytes;
    private const int MultisigKeys = 3;
    private const int MultisigBytes = 3 + MultisigKeys * (1 + KeyBytes);
    private const int NestedProgramBytes = 2 + Hash160.HashBytes;
    private const int SchnorrBytes = 64;
    private const int DerBytesMax = 72;
    private const byte HashAll = 0x01;
    private const byte CompressedEven = 0x02;

    // Empty item, two signatures with their lengths, PUSHDATA1, its length, the script.
    private const int MultisigInputBytesMax = 1 + 2 * (1 + DerBytesMax) + 2 + MultisigBytes;

    // Any number: what matters is that it never changes, for label sets name the addresses that follow.
    private const ulong ListedSalt = 0x5349_4D55_4C41_5445;

    private readonly ulong _salt = SimulationRandom.Mix(seed ^ 0xA24BAED4963EE407);
    private ulong _signatures = SimulationRandom.Mix(seed ^ 0xD6E8FEB86659FD93);

    /// <summary>About how many virtual bytes an input takes that spends from an address.</summary>
    internal static int InputVirtualBytes(SimulatedLock by) => by switch
    {
        SimulatedLock.PublicKeyHash => 148,
        SimulatedLock.NestedWitness => 91,
        SimulatedLock.WitnessPublicKeyHash => 68,
        SimulatedLock.Taproot => 58,
        SimulatedLock.ScriptMultisig => 297,
        SimulatedLock.WitnessMultisig => 105,
        SimulatedLock.PublicKey => 114,
        _ => 188,
    };

    /// <summary>Writes the script of an output to an address.</summary>
    /// <returns>Its bytes.</returns>
    internal int WriteOutput(in SimulatedAddress address, Span<byte> script)
    {
        Span<byte> buffer = stackalloc byte[MultisigBytes];
        switch (address.Lock)
        {
            case SimulatedLock.PublicKeyHash:
                WriteKey(address.Number, 0, buffer);
                return WriteHashScript([0x76, 0xA9], buffer[..KeyBytes], [0x88, 0xAC], script);
            case SimulatedLock.NestedWitness:
                WriteNestedProgram(address, buffer);
                return WriteHashScript([0xA9], buffer[..NestedProgramBytes], [0x87], script);
            case SimulatedLock.WitnessPublicKeyHash:
                WriteKey(address.Number, 0, buffer);
                return WriteHashScript([0x00], buffer[..KeyBytes], [], script);
            case SimulatedLock.ScriptMultisig:
                WriteMultisig(address, buffer);
                return WriteHashScript([0xA9], buffer, [0x87], script);
            case SimulatedLock.WitnessMultisig:
                WriteMultisig(address, buffer);
                script[0] = BitcoinOpcode.Zero;
                script[1] = Sha256.HashBytes;
                Sha256.Hash(buffer, script[2..]);
                return 2 + Sha256.HashBytes;
            case SimulatedLock.Taproot:
                WriteKey(address.Number, 0, buffer);
                script[0] = BitcoinOpcode.One;
                script[1] = BitcoinScript.LongProgramBytes;
                buffer[1..KeyBytes].CopyTo(script[2..]);
                return 2 + BitcoinScript.LongProgramBytes;
            case SimulatedLock.PublicKey:
                script[0] = KeyBytes;
                WriteKey(address.Number, 0, script[1..]);
                script[1 + KeyBytes] = BitcoinOpcode.CheckSignature;
                return 2 + KeyBytes;
            default:
                WriteMultisig(address, script);
                return MultisigBytes;
        }
    }

    /// <summary>Adds the input that spends a coin.</summary>
    internal void AddInput(BitcoinTransactionWriter writer, in Coin coin, uint sequence)
    {
        Span<byte> bytes = stackalloc byte[MultisigInputBytesMax];
        switch (coin.Address.Lock)
        {
            case SimulatedLock.NestedWitness:
                bytes[0] = NestedProgramBytes;
                WriteNestedProgram(coin.Address, bytes[1..]);
                writer.AddInput(coin.TxId, coin.Output, bytes[..(1 + NestedProgramBytes)], sequence, 2);
                AddKeyWitness(writer, coin.Address);
                break;
            case SimulatedLock.WitnessPublicKeyHash:
                writer.AddInput(coin.TxId, coin.Output, default, sequence, 2);
                AddKeyWitness(writer, coin.Address);
                break;
            case SimulatedLock.Taproot:
                writer.AddInput(coin.TxId, coin.Output, default, sequence, 1);
                FillRandom(bytes[..SchnorrBytes]);
                writer.AddWitnessItem(bytes[..SchnorrBytes]);
                break;
            case SimulatedLock.WitnessMultisig:
                writer.AddInput(coin.TxId, coin.Output, default, sequence, 4);
                writer.AddWitnessItem(default);
                writer.AddWitnessItem(bytes[..WriteSignature(bytes)]);
                writer.AddWitnessItem(bytes[..WriteSignature(bytes)]);
                WriteMultisig(coin.Address, bytes);
                writer.AddWitnessItem(bytes[..MultisigBytes]);
                break;
            default:
                int length = WriteLegacyInput(coin.Address, bytes);
                writer.AddInput(coin.TxId, coin.Output, bytes[..length], sequence);
                break;
        }
    }

    // P2PK, P2PKH and the two kinds of multisig without witness: all in the script.
    private int WriteLegacyInput(in SimulatedAddress address, Span<byte> script)
    {
        if (address.Lock is SimulatedLock.PublicKey or SimulatedLock.PublicKeyHash)
        {
            int length = WritePushedSignature(script);
            if (address.Lock == SimulatedLock.PublicKey)
                return length;
            script[length++] = KeyBytes;
            WriteKey(address.Number, 0, script[length..]);
            return length + KeyBytes;
        }
        script[0] = BitcoinOpcode.Zero;
        int at = 1;
        at += WritePushedSignature(script[at..]);
        at += WritePushedSignature(script[at..]);
        if (address.Lock == SimulatedLock.BareMultisig)
            return at;
        script[at++] = BitcoinOpcode.PushData1;
        script[at++] = MultisigBytes;
        WriteMultisig(address, script[at..]);
        return at + MultisigBytes;
    }

    private void AddKeyWitness(BitcoinTransactionWriter writer, in SimulatedAddress address)
    {
        Span<byte> bytes = stackalloc byte[DerBytesMax];
        writer.AddWitnessItem(bytes[..WriteSignature(bytes)]);
        WriteKey(address.Number, 0, bytes);
        writer.AddWitnessItem(bytes[..KeyBytes]);
    }

    private static int WriteHashScript(
        ReadOnlySpan<byte> before, ReadOnlySpan<byte> hashed, ReadOnlySpan<byte> after, Span<byte> script)
    {
        before.CopyTo(script);
        int at = before.Length;
        script[at++] = Hash160.HashBytes;
        Hash160.Hash(hashed, script[at..]);
        at += Hash160.HashBytes;
        after.CopyTo(script[at..]);
        return at + after.Length;
    }

    private void WriteNestedProgram(in SimulatedAddress address, Span<byte> program)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        WriteKey(address.Number, 0, key);
        program[0] = BitcoinOpcode.Zero;
        program[1] = Hash160.HashBytes;
        Hash160.Hash(key, program[2..]);
    }

    private void WriteMultisig(in SimulatedAddress address, Span<byte> script)
    {
        int at = 0;
        script[at++] = BitcoinOpcode.One + 1;
        for (int i = 0; i < MultisigKeys; i++)
        {
            script[at++] = KeyBytes;
            WriteKey(address.Number, i, script[at..]);
            at += KeyBytes;
        }
        script[at++] = BitcoinOpcode.One + MultisigKeys - 1;
        script[at] = BitcoinOpcode.CheckMultisig;
    }

    private void WriteKey(ulong number, int which, Span<byte> key)
    {
        ulong salt = (number & SimulatedAddress.ListedBit) != 0 ? ListedSalt : _salt;
        ulong state = salt + SimulationRandom.Mix(number * MultisigKeys + (ulong)which);
        key[0] = (byte)(CompressedEven | (int)(state & 1));
        for (int at = 1; at < KeyBytes; at += sizeof(ulong))
            BinaryPrimitives.WriteUInt64LittleEndian(
                key[at..], SimulationRandom.Mix(state += ListedSalt | 1));
    }

    private int WritePushedSignature(Span<byte> script)
    {
        int length = WriteSignature(script[1..]);
        script[0] = (byte)length;
        return 1 + length;
    }

    // 30 length | 02 length R | 02 length S | hash type. R has its top bit set every second time, and then a
    // zero in front; S is in the lower half, as BIP146 wants it.
    private int WriteSignature(Span<byte> signature)
    {
        const int NumberBytes = 32;
        ulong bits = SimulationRandom.Mix(++_signatures);
        int padding = (int)(bits & 1);
        int rBytes = NumberBytes + padding;
        signature[0] = 0x30;
        signature[1] = (byte)(4 + rBytes + NumberBytes);
        signature[2] = 0x02;
        signature[3] = (byte)rBytes;
        signature[4] = 0;
        Span<byte> r = signature.Slice(4 + padding, NumberBytes);
        FillRandom(r);
        r[0] = (byte)(padding == 1 ? r[0] | 0x80 : (r[0] & 0x7F) | 0x01);
        Span<byte> s = signature.Slice(4 + rBytes, 2 + NumberBytes);
        s[0] = 0x02;
        s[1] = NumberBytes;
        FillRandom(s[2..]);
        s[2] = (byte)((s[2] & 0x7F) | 0x01);
        int end = 4 + rBytes + 2 + NumberBytes;
        signature[end] = HashAll;
        return end + 1;
    }

    private void FillRandom(Span<byte> bytes)
    {
        for (int at = 0; at < bytes.Length; at += sizeof(ulong))
            BinaryPrimitives.WriteUInt64LittleEndian(
                bytes[at..], SimulationRandom.Mix(_signatures += ListedSalt | 1));
    }
}
