using System.Globalization;
using System.Text;

namespace Streams.Tests.Connectors.Bitcoin;

/// <summary>Assembles the notation that Core's vectors write scripts in.</summary>
/// <remarks>
/// Words: a number is pushed as a number, 0x1234 stands for those bytes, 'text' is pushed, the rest are
/// opcodes with or without OP_. Source: Bitcoin Core, <c>core_io</c>, ParseScript.
/// </remarks>
internal static class ScriptText
{
    // From 0x61 on.
    private const string Names =
        "NOP VER IF NOTIF VERIF VERNOTIF ELSE ENDIF VERIFY RETURN TOALTSTACK FROMALTSTACK 2DROP 2DUP "
        + "3DUP 2OVER 2ROT 2SWAP IFDUP DEPTH DROP DUP NIP OVER PICK ROLL ROT SWAP TUCK CAT SUBSTR LEFT "
        + "RIGHT SIZE INVERT AND OR XOR EQUAL EQUALVERIFY RESERVED1 RESERVED2 1ADD 1SUB 2MUL 2DIV "
        + "NEGATE ABS NOT 0NOTEQUAL ADD SUB MUL DIV MOD LSHIFT RSHIFT BOOLAND BOOLOR NUMEQUAL "
        + "NUMEQUALVERIFY NUMNOTEQUAL LESSTHAN GREATERTHAN LESSTHANOREQUAL GREATERTHANOREQUAL MIN MAX "
        + "WITHIN RIPEMD160 SHA1 SHA256 HASH160 HASH256 CODESEPARATOR CHECKSIG CHECKSIGVERIFY "
        + "CHECKMULTISIG CHECKMULTISIGVERIFY NOP1 CHECKLOCKTIMEVERIFY CHECKSEQUENCEVERIFY NOP4 NOP5 "
        + "NOP6 NOP7 NOP8 NOP9 NOP10";

    private static readonly Dictionary<string, byte> Opcodes = BuildOpcodes();

    public static byte[] Assemble(string text)
    {
        var script = new List<byte>();
        foreach (string word in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            if (long.TryParse(word, CultureInfo.InvariantCulture, out long number))
                script.AddRange(Number(number));
            else if (word.StartsWith("0x", StringComparison.Ordinal))
                script.AddRange(Convert.FromHexString(word.AsSpan(2)));
            else if (word.Length >= 2 && word[0] == '\'' && word[^1] == '\'')
                script.AddRange(Push(Encoding.ASCII.GetBytes(word[1..^1])));
            else
                script.Add(Opcodes[word.StartsWith("OP_", StringComparison.Ordinal) ? word[3..] : word]);
        }
        return [.. script];
    }

    public static byte[] Push(byte[] data) => data.Length switch
    {
        < 0x4C => [(byte)data.Length, .. data],
        <= byte.MaxValue => [0x4C, (byte)data.Length, .. data],
        _ => [0x4D, (byte)data.Length, (byte)(data.Length >> 8), .. data],
    };

    private static byte[] Number(long number)
    {
        if (number == 0)
            return [0];
        if (number is -1 or (>= 1 and <= 16))
            return [(byte)(0x50 + number)];
        var bytes = new List<byte>();
        for (ulong rest = (ulong)Math.Abs(number); rest > 0; rest >>= 8)
            bytes.Add((byte)rest);
        if (bytes[^1] >= 0x80)
            bytes.Add(0);
        if (number < 0)
            bytes[^1] |= 0x80;
        return Push([.. bytes]);
    }

    private static Dictionary<string, byte> BuildOpcodes()
    {
        var opcodes = new Dictionary<string, byte> { ["RESERVED"] = 0x50, ["NOP2"] = 0xB1, ["NOP3"] = 0xB2 };
        byte opcode = 0x61;
        foreach (string name in Names.Split(' '))
            opcodes.Add(name, opcode++);
        return opcodes;
    }
}
