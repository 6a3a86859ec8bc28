namespace Streams.Connectors.Bitcoin;

/// <summary>What an input puts on the stack, in as much detail as it takes to tell what it spends.</summary>
internal ref struct BitcoinInputStack
{
    /// <summary>How many items there are.</summary>
    public int Count { get; private set; }

    /// <summary>The bottom item.</summary>
    public ReadOnlySpan<byte> First { get; private set; }

    /// <summary>The item below the top.</summary>
    public ReadOnlySpan<byte> BelowLast { get; private set; }

    /// <summary>The top item: where the output is a script's hash, that script.</summary>
    public ReadOnlySpan<byte> Last { get; private set; }

    /// <summary>How many items below the top are signatures.</summary>
    public int Signatures { get; private set; }

    /// <summary>How many items below the top are public keys.</summary>
    public int Keys { get; private set; }

    /// <summary>Reads a witness, which is a stack as it stands.</summary>
    public static BitcoinInputStack Read(BitcoinWitness witness)
    {
        var stack = default(BitcoinInputStack);
        foreach (ReadOnlySpan<byte> item in witness)
            stack.Push(item);
        return stack;
    }

    /// <summary>Reads a script that only pushes.</summary>
    /// <returns>Whether it does; one that computes is not looked into.</returns>
    public static bool TryRead(ReadOnlySpan<byte> script, out BitcoinInputStack stack)
    {
        stack = default;
        var cursor = new BitcoinScriptCursor(script);
        while (cursor.TryRead(out byte opcode, out ReadOnlySpan<byte> data))
        {
            if (opcode > BitcoinOpcode.Sixteen)
                return false;
            // Opcodes that push a number push one byte; which one does not matter here.
            bool isNumber = opcode > BitcoinOpcode.PushData4;
            stack.Push(isNumber ? script[..1] : data);
        }
        return cursor.IsAtEnd;
    }

    private void Push(ReadOnlySpan<byte> item)
    {
        if (Count == 0)
            First = item;
        else if (DerSignature.IsWellFormed(Last))
            Signatures++;
        else if (BitcoinScript.IsKey(Last))
            Keys++;
        BelowLast = Last;
        Last = item;
        Count++;
    }
}
