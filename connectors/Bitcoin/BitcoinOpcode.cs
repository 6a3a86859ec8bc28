namespace Streams.Connectors.Bitcoin;

/// <summary>The opcodes of templates of scripts. Source: Bitcoin Core, <c>script/script.h</c>.</summary>
internal static class BitcoinOpcode
{
    /// <summary>Pushes an empty item; also witness version 0.</summary>
    public const byte Zero = 0x00;

    /// <summary>Opcodes 1 to 75 push as many bytes.</summary>
    public const byte PushMax = 0x4B;

    /// <summary>One byte of length follows.</summary>
    public const byte PushData1 = 0x4C;

    /// <summary>Two bytes of length follow, little-endian.</summary>
    public const byte PushData2 = 0x4D;

    /// <summary>Four bytes of length follow, little-endian.</summary>
    public const byte PushData4 = 0x4E;

    /// <summary>Pushes the number 1; the next fifteen opcodes push 2 to 16.</summary>
    public const byte One = 0x51;

    /// <summary>Pushes the number 16.</summary>
    public const byte Sixteen = 0x60;

    /// <summary>Makes an output unspendable; data follows.</summary>
    public const byte Return = 0x6A;

    /// <summary>Doubles the top of the stack.</summary>
    public const byte Duplicate = 0x76;

    /// <summary>Compares.</summary>
    public const byte Equal = 0x87;

    /// <summary>Compares and fails where different.</summary>
    public const byte EqualVerify = 0x88;

    /// <summary>Replaces the top of the stack with its RIPEMD-160 of SHA-256.</summary>
    public const byte Hash160 = 0xA9;

    /// <summary>Checks a signature; the next three opcodes are its variants.</summary>
    public const byte CheckSignature = 0xAC;

    /// <summary>Checks m signatures against n keys.</summary>
    public const byte CheckMultisig = 0xAE;

    /// <summary>Checks m signatures against n keys and fails where they do not match.</summary>
    public const byte CheckMultisigVerify = 0xAF;
}
