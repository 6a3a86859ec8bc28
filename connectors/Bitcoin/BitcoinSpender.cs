using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>How sure it is what an input spends.</summary>
public enum BitcoinEvidence : byte
{
    /// <summary>Nothing is known.</summary>
    None,

    /// <summary>The type is inferred from the input's shape. No key is in it, so no address.</summary>
    Type,

    /// <summary>Type and address are inferred from the input's shape: signatures, keys and a script stand
    /// where they must. It could be wrong for an output that hardly anybody makes: a non-standard script that
    /// takes what a standard one takes, or a witness version that takes anything.</summary>
    Structure,

    /// <summary>The input contains the hash of its own key or script: certain, if it is valid.</summary>
    Hash,
}

/// <summary>What an input reveals of the output that it spends, without that output.</summary>
/// <remarks>
/// An input names an outpoint, not an address. But most outputs are locked by a hash, and spending one shows
/// what was hashed. With the spent output at hand (RPC's verbosity 3, a cache), use that: this is what can be
/// had from the transaction alone. Where the shape is not convincing, the answer is unknown.
/// <list type="bullet">
/// <item>P2SH-P2WPKH, P2SH-P2WSH: the script holds a hash of what the witness shows. Evidence
/// <c>Hash</c>.</item>
/// <item>P2PKH, P2WPKH: exactly a signature and a key. Evidence <c>Structure</c>.</item>
/// <item>P2SH, P2WSH: signatures, and on top a script that asks for them. Evidence <c>Structure</c>.</item>
/// <item>P2PK, bare multisig: only signatures. P2TR: a Schnorr signature, a control block or an annex, and
/// neither carries the output's key. Evidence <c>Type</c>.</item>
/// </list>
/// Signatures must be as BIP66 wants them; older inputs that are not stay unknown. Sources: BIP16, BIP141,
/// and BIP341, whose leaf versions were chosen so that its inputs cannot be taken for others.
/// </remarks>
public readonly struct BitcoinSpender
{
    // A control block: leaf version, internal key, and up to 128 hashes. Source: BIP341.
    private const int ControlBytesMin = 33;
    private const int ControlStepBytes = 32;
    private const int ControlStepsMax = 128;
    private const byte AnnexTag = 0x50;

    // Without and with a hash type. Source: BIP341.
    private const int SchnorrBytes = 64;

    private BitcoinSpender(BitcoinScriptType type, BitcoinEvidence evidence)
    {
        Type = type;
        Evidence = evidence;
    }

    /// <summary>The type of the spent output, where the input tells.</summary>
    public BitcoinScriptType Type { get; }

    /// <summary>The type of the script behind a P2SH or P2WSH hash, where the input tells.</summary>
    public BitcoinScriptType InnerType { get; private init; }

    /// <summary>The address of the spent output; empty where the input does not tell.</summary>
    public BitcoinAddress Address { get; private init; }

    /// <summary>How sure this is.</summary>
    public BitcoinEvidence Evidence { get; }

    /// <summary>Looks at one input. A coinbase's reveals nothing.</summary>
    public static BitcoinSpender Reveal(in BitcoinInput input)
    {
        if (input.IsPreviousOutputNull)
            return default;
        if (input.Witness.Count == 0)
            return RevealScript(input.Script);
        BitcoinInputStack stack = BitcoinInputStack.Read(input.Witness);
        return input.Script.IsEmpty ? RevealWitness(stack) : RevealNested(input.Script, stack);
    }

    // P2PK, P2PKH, bare multisig, P2SH.
    private static BitcoinSpender RevealScript(ReadOnlySpan<byte> script)
    {
        if (!BitcoinInputStack.TryRead(script, out BitcoinInputStack stack) || stack.Count == 0)
            return default;
        if (DerSignature.IsWellFormed(stack.Last))
        {
            if (stack.Count == 1)
                return new BitcoinSpender(BitcoinScriptType.PublicKey, BitcoinEvidence.Type);
            // CHECKMULTISIG takes one item too many, and it must be empty. Source: BIP147.
            bool isMultisig = stack.First.IsEmpty && stack.Signatures == stack.Count - 2;
            return isMultisig
                ? new BitcoinSpender(BitcoinScriptType.Multisig, BitcoinEvidence.Type)
                : default;
        }
        if (stack.Count == 2 && stack.Signatures == 1 && BitcoinScript.IsKey(stack.Last))
        {
            return new BitcoinSpender(BitcoinScriptType.PublicKeyHash, BitcoinEvidence.Structure)
            {
                Address = BitcoinAddress.FromPublicKey(stack.Last),
            };
        }
        return IsSatisfied(stack, out BitcoinScriptType inner)
            ? new BitcoinSpender(BitcoinScriptType.ScriptHash, BitcoinEvidence.Structure)
            {
                InnerType = inner,
                Address = BitcoinAddress.FromRedeemScript(stack.Last),
            }
            : default;
    }

    // P2WPKH, P2TR, P2WSH.
    private static BitcoinSpender RevealWitness(in BitcoinInputStack stack)
    {
        if (IsTaproot(stack))
            return new BitcoinSpender(BitcoinScriptType.Taproot, BitcoinEvidence.Type);
        if (stack.Count == 2 && stack.Signatures == 1 && IsCompressedKey(stack.Last))
        {
            return new BitcoinSpender(BitcoinScriptType.WitnessPublicKeyHash, BitcoinEvidence.Structure)
            {
                Address = BitcoinAddress.FromWitnessPublicKey(stack.Last),
            };
        }
        return IsSatisfied(stack, out BitcoinScriptType inner)
            ? new BitcoinSpender(BitcoinScriptType.WitnessScriptHash, BitcoinEvidence.Structure)
            {
                InnerType = inner,
                Address = BitcoinAddress.FromWitnessScript(stack.Last),
            }
            : default;
    }

    // P2SH-P2WPKH, P2SH-P2WSH: the script pushes the witness program and does nothing else.
    private static BitcoinSpender RevealNested(ReadOnlySpan<byte> script, in BitcoinInputStack stack)
    {
        if (!BitcoinInputStack.TryRead(script, out BitcoinInputStack pushed) || pushed.Count != 1)
            return default;
        BitcoinScript program = BitcoinScript.Classify(pushed.Last);
        Span<byte> hash = stackalloc byte[Sha256.HashBytes];
        switch (program.Type)
        {
            case BitcoinScriptType.WitnessPublicKeyHash when stack.Count == 2:
                Hash160.Hash(stack.Last, hash);
                break;
            case BitcoinScriptType.WitnessScriptHash:
                Sha256.Hash(stack.Last, hash);
                break;
            default:
                return default;
        }
        if (!program.Payload.SequenceEqual(hash[..program.Payload.Length]))
            return default;
        return new BitcoinSpender(BitcoinScriptType.ScriptHash, BitcoinEvidence.Hash)
        {
            InnerType = program.Type,
            Address = BitcoinAddress.FromRedeemScript(pushed.Last),
        };
    }

    private static bool IsCompressedKey(ReadOnlySpan<byte> bytes) =>
        bytes.Length == BitcoinScript.CompressedKeyBytes && BitcoinScript.IsKey(bytes);

    // A key spend is one signature; a script spend ends with its control block; either may be followed by an
    // annex.
    private static bool IsTaproot(in BitcoinInputStack stack)
    {
        if (stack.Last.IsEmpty)
            return false;
        if (stack.Count == 1)
            return stack.Last.Length is SchnorrBytes or SchnorrBytes + 1;
        int stepsBytes = stack.Last.Length - ControlBytesMin;
        bool hasControlBlock = stepsBytes >= 0 && stepsBytes % ControlStepBytes == 0
            && stepsBytes <= ControlStepsMax * ControlStepBytes && IsLeafVersion(stack.Last[0]);
        return hasControlBlock || stack.Last[0] == AnnexTag;
    }

    // The first byte of a control block cannot begin a key, nor a witness script that could ever be
    // satisfied. Source: BIP341, footnote on leaf versions.
    private static bool IsLeafVersion(byte first) =>
        (first & 0xFE) is >= 0xC0 or 0x66 or 0x7E or 0x80 or 0x84 or 0x96 or 0x98 or 0xBA or 0xBC or 0xBE;

    // Whether the top of the stack is a script that what stands below it can satisfy.
    private static bool IsSatisfied(in BitcoinInputStack stack, out BitcoinScriptType inner)
    {
        BitcoinScript script = BitcoinScript.Classify(stack.Last);
        inner = script.Type;
        return inner switch
        {
            BitcoinScriptType.Multisig => stack.First.IsEmpty && stack.Signatures == script.RequiredSignatures
                && stack.Count == script.RequiredSignatures + 2,
            BitcoinScriptType.PublicKey => stack.Count == 2 && stack.Signatures == 1,
            BitcoinScriptType.PublicKeyHash => stack.Count == 3 && stack.Signatures == 1
                && IsHashOf(script.Payload, stack.BelowLast),
            BitcoinScriptType.NonStandard => stack.Signatures > 0 && ChecksSignatures(stack),
            _ => false,
        };
    }

    private static bool IsHashOf(ReadOnlySpan<byte> hash, ReadOnlySpan<byte> key)
    {
        Span<byte> actual = stackalloc byte[Hash160.HashBytes];
        Hash160.Hash(key, actual);
        return hash.SequenceEqual(actual);
    }

    // A script of any other shape: it must hold together, check a signature, and a key must be there to check
    // it with.
    private static bool ChecksSignatures(in BitcoinInputStack stack)
    {
        var cursor = new BitcoinScriptCursor(stack.Last);
        bool hasCheck = false;
        bool hasKey = stack.Keys > 0;
        while (cursor.TryRead(out byte opcode, out ReadOnlySpan<byte> data))
        {
            hasCheck |= opcode is >= BitcoinOpcode.CheckSignature and <= BitcoinOpcode.CheckMultisigVerify;
            hasKey |= BitcoinScript.IsKey(data);
        }
        return cursor.IsAtEnd && hasCheck && hasKey;
    }
}
