using System.Buffers;
using System.Runtime.InteropServices;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>What a transaction must satisfy on its own, whatever the chain holds.</summary>
/// <remarks>
/// These are Bitcoin Core's CheckTransaction, in its order, so that the first defect here is the reject
/// reason there. A transaction that passes can still be invalid: its scripts, its spent outputs and its lock
/// time are not looked at.
/// </remarks>
public static class BitcoinTransactionRules
{
    /// <summary>The weight that a block holds. Source: BIP141.</summary>
    public const int BlockWeightMax = 4_000_000;

    private const int CoinbaseScriptBytesMin = 2;
    private const int CoinbaseScriptBytesMax = 100;
    private const int OnStackInputsMax = 16;

    /// <summary>Checks one transaction.</summary>
    /// <returns>Done, or Invalid with the offset of the input or output at fault.</returns>
    public static ParseResult<BitcoinDefect> Check(in BitcoinTransaction transaction)
    {
        if (transaction.InputCount == 0)
            return BitcoinDefect.InputsMissing.At(0);
        if (transaction.OutputCount == 0)
            return BitcoinDefect.OutputsMissing.At(0);
        if (transaction.StrippedBytes > BlockWeightMax / 4)
            return BitcoinDefect.TransactionWeightTooLarge.At(0);
        ParseResult<BitcoinDefect> result = CheckValues(transaction);
        if (result.IsDone && transaction.InputCount > 1)
            result = CheckNoInputTwice(transaction);
        return result.IsDone ? CheckPreviousOutputs(transaction) : result;
    }

    private static ParseResult<BitcoinDefect> CheckValues(in BitcoinTransaction transaction)
    {
        long sum = 0;
        foreach (BitcoinOutput output in transaction.Outputs)
        {
            if (output.Satoshi < 0)
                return BitcoinDefect.ValueNegative.At(output.Offset);
            if (output.Satoshi > BitcoinTransaction.SatoshiMax)
                return BitcoinDefect.ValueTooLarge.At(output.Offset);
            // Both are at most 21e14, so the sum cannot overflow (CVE-2010-5139 was that overflow).
            sum += output.Satoshi;
            if (sum > BitcoinTransaction.SatoshiMax)
                return BitcoinDefect.ValueSumTooLarge.At(output.Offset);
        }
        return ParseResult<BitcoinDefect>.Done;
    }

    // Sorting is n log n whatever the sender chose as hashes; equal outpoints then stand next to each other.
    private static ParseResult<BitcoinDefect> CheckNoInputTwice(in BitcoinTransaction transaction)
    {
        int count = transaction.InputCount;
        Spend[]? rented = count > OnStackInputsMax ? ArrayPool<Spend>.Shared.Rent(count) : null;
        Span<Spend> spends = rented ?? stackalloc Spend[OnStackInputsMax];
        spends = spends[..count];
        int filled = 0;
        foreach (BitcoinInput input in transaction.Inputs)
            spends[filled++] = new Spend(input.PreviousTxId, input.PreviousOutput, input.Offset);
        spends.Sort();
        int duplicateOffset = -1;
        for (int i = 1; i < count && duplicateOffset < 0; i++)
        {
            if (spends[i].IsSameOutput(spends[i - 1]))
                duplicateOffset = spends[i].Offset;
        }
        if (rented is not null)
            ArrayPool<Spend>.Shared.Return(rented);
        return duplicateOffset < 0
            ? ParseResult<BitcoinDefect>.Done
            : BitcoinDefect.InputDuplicate.At(duplicateOffset);
    }

    private static ParseResult<BitcoinDefect> CheckPreviousOutputs(in BitcoinTransaction transaction)
    {
        bool isCoinbase = transaction.IsCoinbase;
        foreach (BitcoinInput input in transaction.Inputs)
        {
            if (isCoinbase && input.Script.Length is < CoinbaseScriptBytesMin or > CoinbaseScriptBytesMax)
                return BitcoinDefect.CoinbaseScriptLength.At(input.Offset);
            if (!isCoinbase && input.IsPreviousOutputNull)
                return BitcoinDefect.PreviousOutputNull.At(input.Offset);
        }
        return ParseResult<BitcoinDefect>.Done;
    }

    // The order of outpoints is arbitrary; offsets break ties, so that the later of two equals is reported.
    [StructLayout(LayoutKind.Auto)]
    private readonly struct Spend(BitcoinHash txId, uint output, int offset) : IComparable<Spend>
    {
        private readonly BitcoinHash _txId = txId;
        private readonly uint _output = output;

        public int Offset { get; } = offset;

        public bool IsSameOutput(in Spend other) => _output == other._output && _txId == other._txId;

        public int CompareTo(Spend other)
        {
            int order = _txId.AsSpan().SequenceCompareTo(other._txId.AsSpan());
            if (order == 0)
                order = _output.CompareTo(other._output);
            return order != 0 ? order : Offset.CompareTo(other.Offset);
        }
    }
}
