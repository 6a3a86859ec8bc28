namespace Streams.Connectors.Bitcoin;

/// <summary>The coinbase output that commits to every witness of its block.</summary>
/// <remarks>
/// <code>OP_RETURN | push 36 | aa21a9ed | hash(root of the witness ids, reserved value) 32 | anything</code>
/// The reserved value is the one item of the coinbase's own witness. Source: BIP141, "Commitment structure".
/// </remarks>
internal static class WitnessCommitment
{
    /// <summary>Bytes of the reserved value.</summary>
    public const int ReservedBytes = 32;

    /// <summary>Bytes of the script up to the end of the commitment.</summary>
    public const int ScriptBytes = 38;

    /// <summary>What the script begins with.</summary>
    public static ReadOnlySpan<byte> Prefix => [0x6A, 0x24, 0xAA, 0x21, 0xA9, 0xED];

    /// <summary>Finds the commitment: where several outputs look like one, the last counts.</summary>
    /// <param name="coinbase">The block's first transaction.</param>
    /// <param name="commitment">The 32 bytes.</param>
    /// <param name="offset">From the coinbase's start to the output.</param>
    public static bool TryFind(in BitcoinTransaction coinbase, out BitcoinHash commitment, out int offset)
    {
        commitment = default;
        offset = -1;
        foreach (BitcoinOutput output in coinbase.Outputs)
        {
            if (output.Script.Length < ScriptBytes || !output.Script.StartsWith(Prefix))
                continue;
            commitment = new BitcoinHash(output.Script[Prefix.Length..]);
            offset = output.Offset;
        }
        return offset >= 0;
    }

    /// <summary>Finds the coinbase's reserved value.</summary>
    /// <returns>Whether its witness is one item of 32 bytes.</returns>
    public static bool TryFindReserved(in BitcoinTransaction coinbase, out BitcoinHash reserved)
    {
        reserved = default;
        foreach (BitcoinInput input in coinbase.Inputs)
        {
            foreach (ReadOnlySpan<byte> item in input.Witness)
            {
                bool isReserved = input.Witness.Count == 1 && item.Length == ReservedBytes;
                if (isReserved)
                    reserved = new BitcoinHash(item);
                return isReserved;
            }
        }
        return false;
    }
}
