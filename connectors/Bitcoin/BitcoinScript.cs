namespace Streams.Connectors.Bitcoin;

/// <summary>What an output's script is: the template that it follows and the part that differs.</summary>
/// <remarks>
/// The templates, and the order in which they are tried, are those of Bitcoin Core's <c>Solver</c>, so that
/// the type here is the type that RPC names. A view of the script: nothing is copied.
/// </remarks>
public readonly ref struct BitcoinScript
{
    /// <summary>Bytes of a key in compressed form: 02 or 03, then one coordinate.</summary>
    public const int CompressedKeyBytes = 33;

    /// <summary>Bytes of a key in full form: 04 (06 or 07 in an old hybrid), two coordinates.</summary>
    public const int FullKeyBytes = 65;

    /// <summary>Bytes of a program that is a SHA-256 or a taproot key.</summary>
    public const int LongProgramBytes = 32;

    private const int MultisigKeysMax = 20;
    private const int ProgramBytesMin = 2;
    private const int ProgramBytesMax = 40;
    private const int NumberMaxOfOpcode = 16;

    private BitcoinScript(BitcoinScriptType type, ReadOnlySpan<byte> payload)
    {
        Type = type;
        Payload = payload;
    }

    /// <summary>The template.</summary>
    public BitcoinScriptType Type { get; }

    /// <summary>The key, the hash or the witness program in it; what follows the first byte of null data or
    /// stands between the two numbers of a multisig; empty for other types.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>The version of a witness program, 0 to 16; 0 for other types.</summary>
    public int WitnessVersion { get; private init; }

    /// <summary>How many signatures a multisig asks for; 0 for other types.</summary>
    public int RequiredSignatures { get; private init; }

    /// <summary>How many keys a multisig holds; 0 for other types.</summary>
    public int KeyCount { get; private init; }

    /// <summary>Finds the template that a script follows.</summary>
    /// <param name="script">Any bytes.</param>
    public static BitcoinScript Classify(ReadOnlySpan<byte> script)
    {
        if (IsScriptHash(script))
            return new BitcoinScript(BitcoinScriptType.ScriptHash, script.Slice(2, Hash160.HashBytes));
        if (TryReadWitnessProgram(script, out int version, out ReadOnlySpan<byte> program))
            return OfProgram(version, program);
        if (script.Length > 0 && script[0] == BitcoinOpcode.Return && IsPushOnly(script[1..]))
            return new BitcoinScript(BitcoinScriptType.NullData, script[1..]);
        if (TryReadPublicKey(script, out ReadOnlySpan<byte> key))
            return new BitcoinScript(BitcoinScriptType.PublicKey, key);
        if (IsPublicKeyHash(script))
            return new BitcoinScript(BitcoinScriptType.PublicKeyHash, script.Slice(3, Hash160.HashBytes));
        return TryReadMultisig(script, out BitcoinScript multisig)
            ? multisig
            : new BitcoinScript(BitcoinScriptType.NonStandard, default);
    }

    /// <summary>Whether bytes have a public key's first byte and length. Source: SEC 1, 2.3.3.</summary>
    internal static bool IsKey(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        CompressedKeyBytes => bytes[0] is 2 or 3,
        FullKeyBytes => bytes[0] is 4 or 6 or 7,
        _ => false,
    };

    /// <summary>What a witness program of a version is. Version 0 has two lengths and no others.</summary>
    internal static BitcoinScriptType TypeOfProgram(int version, ReadOnlySpan<byte> program) => version switch
    {
        0 when program.Length == Hash160.HashBytes => BitcoinScriptType.WitnessPublicKeyHash,
        0 when program.Length == LongProgramBytes => BitcoinScriptType.WitnessScriptHash,
        0 => BitcoinScriptType.NonStandard,
        1 when program.Length == LongProgramBytes => BitcoinScriptType.Taproot,
        1 when program.SequenceEqual(AnchorProgram) => BitcoinScriptType.Anchor,
        _ => BitcoinScriptType.WitnessUnknown,
    };

    /// <summary>The program of P2A. Source: Bitcoin Core 28.0 release notes.</summary>
    internal static ReadOnlySpan<byte> AnchorProgram => [0x4E, 0x73];

    /// <summary>Reads a script that is a version and one push of 2 to 40 bytes. Source: BIP141.</summary>
    internal static bool TryReadWitnessProgram(
        ReadOnlySpan<byte> script, out int version, out ReadOnlySpan<byte> program)
    {
        version = 0;
        program = default;
        if (script.Length is < 2 + ProgramBytesMin or > 2 + ProgramBytesMax || script[1] != script.Length - 2)
            return false;
        if (script[0] is >= BitcoinOpcode.One and <= BitcoinOpcode.Sixteen)
            version = script[0] - BitcoinOpcode.One + 1;
        else if (script[0] != BitcoinOpcode.Zero)
            return false;
        program = script[2..];
        return true;
    }

    private static BitcoinScript OfProgram(int version, ReadOnlySpan<byte> program)
    {
        BitcoinScriptType type = TypeOfProgram(version, program);
        return new BitcoinScript(type, type == BitcoinScriptType.NonStandard ? default : program)
        {
            WitnessVersion = version,
        };
    }

    // HASH160 <20> EQUAL. Source: BIP16.
    private static bool IsScriptHash(ReadOnlySpan<byte> script) =>
        script.Length == 23 && script[0] == BitcoinOpcode.Hash160 && script[1] == Hash160.HashBytes
        && script[22] == BitcoinOpcode.Equal;

    // DUP HASH160 <20> EQUALVERIFY CHECKSIG.
    private static bool IsPublicKeyHash(ReadOnlySpan<byte> script) =>
        script.Length == 25 && script[0] == BitcoinOpcode.Duplicate && script[1] == BitcoinOpcode.Hash160
        && script[2] == Hash160.HashBytes && script[23] == BitcoinOpcode.EqualVerify
        && script[24] == BitcoinOpcode.CheckSignature;

    // <key> CHECKSIG.
    private static bool TryReadPublicKey(ReadOnlySpan<byte> script, out ReadOnlySpan<byte> key)
    {
        key = default;
        bool fits = script.Length is CompressedKeyBytes + 2 or FullKeyBytes + 2
            && script[0] == script.Length - 2 && script[^1] == BitcoinOpcode.CheckSignature;
        if (!fits || !IsKey(script[1..^1]))
            return false;
        key = script[1..^1];
        return true;
    }

    // <m> <key>... <n> CHECKMULTISIG, with 1 <= m <= n <= 20 and n the number of keys. Source: BIP11.
    private static bool TryReadMultisig(ReadOnlySpan<byte> script, out BitcoinScript multisig)
    {
        multisig = default;
        if (script.Length < 1 || script[^1] != BitcoinOpcode.CheckMultisig)
            return false;
        var cursor = new BitcoinScriptCursor(script[..^1]);
        if (!cursor.TryRead(out byte opcode, out ReadOnlySpan<byte> data)
            || !TryReadNumber(opcode, data, out int required))
            return false;
        int keyCount = 0;
        int keysBytes = 0;
        int start = script.Length - 1 - cursor.BytesLeft;
        while (cursor.TryRead(out opcode, out data) && IsKey(data))
        {
            keyCount++;
            keysBytes = script.Length - 1 - cursor.BytesLeft - start;
        }
        if (!TryReadNumber(opcode, data, out int declared) || declared != keyCount || required > keyCount
            || !cursor.IsAtEnd)
            return false;
        multisig = new BitcoinScript(BitcoinScriptType.Multisig, script.Slice(start, keysBytes))
        {
            RequiredSignatures = required,
            KeyCount = keyCount,
        };
        return true;
    }

    // 1 to 16 have opcodes; 17 to 20 are pushed as one byte, and 1 to 16 may not be.
    private static bool TryReadNumber(byte opcode, ReadOnlySpan<byte> data, out int number)
    {
        bool hasOpcode = opcode is >= BitcoinOpcode.One and <= BitcoinOpcode.Sixteen;
        number = hasOpcode ? opcode - BitcoinOpcode.One + 1 : 0;
        if (opcode == 1 && data[0] is > NumberMaxOfOpcode and <= MultisigKeysMax)
            number = data[0];
        return number > 0;
    }

    private static bool IsPushOnly(ReadOnlySpan<byte> script)
    {
        var cursor = new BitcoinScriptCursor(script);
        while (cursor.TryRead(out byte opcode, out _))
        {
            if (opcode > BitcoinOpcode.Sixteen)
                return false;
        }
        return cursor.IsAtEnd;
    }
}
