using Streams.Connectors.Chain;

namespace Streams.Topologies.Transactions.Patterns;

/// <summary>A CoinJoin that a transaction's structure shows.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Confidence">How sure that is, in percent.</param>
internal readonly record struct CoinJoin(CoinJoinKind Kind, int Confidence);

/// <summary>
/// Recognises CoinJoins by structure alone: amounts, counts and distinct addresses. Values of inputs are used
/// where they are known and never required.
/// </summary>
/// <remarks>
/// Sources: the structural rules and confidences of graphsense-lib (pull requests 76, 80 and 82: Whirlpool
/// pools and surge cycles, Wasabi 1.x input bounds, Wasabi 2 denominations, JoinMarket participants) and the
/// tolerance of 0.02 BTC around Wasabi 1's denomination from the Dumplings scanner. docs/rules.md states each
/// rule.
/// </remarks>
internal sealed class CoinJoinDetector
{
    private const int WhirlpoolParticipantsMin = 5;
    private const int WhirlpoolParticipantsMax = 8;
    private const long WhirlpoolFeeMax = 110_000;
    private const int WhirlpoolConfidence = 60;
    private const int WhirlpoolConfirmedConfidence = 90;
    private const long Wasabi1Denomination = 10_000_000;
    private const long Wasabi1Tolerance = 2_000_000;
    private const int Wasabi1ParticipantsMin = 10;
    private const int Wasabi1InputsPerParticipantMax = 7;
    private const int Wasabi1Confidence = 70;
    private const int Wasabi2InputsMin = 20;
    private const long Wasabi2ValueMin = 5_000;
    private const int Wasabi2DenominationsMin = 3;
    private const int Wasabi2Confidence = 60;
    private const int JoinMarketParticipantsMin = 3;
    private const long JoinMarketValueMin = 2_731;
    private const int JoinMarketSmallConfidence = 20;
    private const int JoinMarketConfidence = 49;
    private const int JoinMarketSureParticipants = 5;

    private readonly AddressSet _inputs = new();
    private readonly AddressSet _outputs = new();
    private long[] _values = new long[256];
    private int _distinctInputs;

    private static ReadOnlySpan<long> WhirlpoolPools => [100_000, 1_000_000, 5_000_000, 50_000_000];

    /// <summary>The CoinJoin that the transaction looks like most; none for most transactions.</summary>
    internal CoinJoin Detect(ChainTransaction tx)
    {
        int inputs = tx.Inputs.Count;
        if (tx.IsCoinbase || inputs < JoinMarketParticipantsMin
            || tx.Outputs.Count < JoinMarketParticipantsMin)
            return default;
        int outputs = SortedValues(tx);
        if (IsWhirlpool(tx, outputs))
            return new CoinJoin(CoinJoinKind.Whirlpool, WhirlpoolCertainty(tx));
        EqualRun equal = MostEqual(outputs, JoinMarketValueMin);
        if (equal.Count < JoinMarketParticipantsMin || !CountAddresses(tx, outputs))
            return default;
        if (IsWasabi1(inputs, outputs, equal))
            return new CoinJoin(CoinJoinKind.Wasabi1, Wasabi1Confidence);
        if (IsWasabi2(inputs, outputs))
            return new CoinJoin(CoinJoinKind.Wasabi2, Wasabi2Confidence);
        return IsJoinMarket(outputs, equal)
            ? new CoinJoin(
                CoinJoinKind.JoinMarket,
                equal.Count >= JoinMarketSureParticipants ? JoinMarketConfidence : JoinMarketSmallConfidence)
            : default;
    }

    // As many inputs as outputs, all outputs of one pool's amount, nobody twice.
    private bool IsWhirlpool(ChainTransaction tx, int outputs)
    {
        int inputs = tx.Inputs.Count;
        if (inputs is < WhirlpoolParticipantsMin or > WhirlpoolParticipantsMax || outputs != inputs)
            return false;
        if (outputs != tx.Outputs.Count || _values[0] != _values[outputs - 1]
            || !WhirlpoolPools.Contains(_values[0]))
            return false;
        foreach (ref TransactionInput input in tx.Inputs.Items)
        {
            if (input.Value is { } value && (value < _values[0] || value > _values[0] + WhirlpoolFeeMax))
                return false;
        }
        return CountAddresses(tx, outputs);
    }

    // With every input known, remixers bring the pool's amount and one to four newcomers a fee on top.
    private int WhirlpoolCertainty(ChainTransaction tx)
    {
        int newcomers = 0;
        foreach (ref TransactionInput input in tx.Inputs.Items)
        {
            if (input.Value is not { } value)
                return WhirlpoolConfidence;
            newcomers += value > _values[0] ? 1 : 0;
        }
        return newcomers is >= 1 and <= 4 ? WhirlpoolConfirmedConfidence : WhirlpoolConfidence;
    }

    private bool IsWasabi1(int inputs, int outputs, EqualRun equal) =>
        equal.Count >= Wasabi1ParticipantsMin
        && Math.Abs(equal.Value - Wasabi1Denomination) <= Wasabi1Tolerance
        && inputs >= equal.Count
        && _distinctInputs <= Wasabi1InputsPerParticipantMax * equal.Count
        && _inputs.MostFrequent * 10 <= inputs
        // Higher mixing levels repeat too; the coordinator's fee is one output more.
        && 2 * CountRepeated(outputs, out _) >= outputs - 1;

    private bool IsWasabi2(int inputs, int outputs)
    {
        if (inputs < Wasabi2InputsMin || _values[0] < Wasabi2ValueMin || _inputs.MostFrequent * 10 > inputs)
            return false;
        int repeated = CountRepeated(outputs, out int denominations);
        return denominations >= Wasabi2DenominationsMin && repeated < outputs && 2 * repeated >= outputs - 1;
    }

    private bool IsJoinMarket(int outputs, EqualRun equal) =>
        2 * equal.Count >= outputs && equal.Count < outputs && equal.Count <= _distinctInputs;

    // The values of the outputs that can be spent, ascending.
    private int SortedValues(ChainTransaction tx)
    {
        if (_values.Length < tx.Outputs.Count)
            _values = new long[tx.Outputs.Count * 2];
        int count = 0;
        foreach (ref TransactionOutput output in tx.Outputs.Items)
        {
            if (output.ScriptType != ScriptType.NullData)
                _values[count++] = output.Value;
        }
        _values.AsSpan(0, count).Sort();
        return count;
    }

    // Counts distinct addresses on both sides. False where an output's address repeats, which no CoinJoin
    // does. An input whose address is not known counts as one of its own.
    private bool CountAddresses(ChainTransaction tx, int outputs)
    {
        _outputs.Clear();
        int unnamed = 0;
        foreach (ref TransactionOutput output in tx.Outputs.Items)
        {
            if (output.Address is { } address)
                _outputs.Add(address);
            else if (output.ScriptType != ScriptType.NullData)
                unnamed++;
        }
        if (_outputs.Count + unnamed != outputs)
            return false;
        _inputs.Clear();
        int unknown = 0;
        foreach (ref TransactionInput input in tx.Inputs.Items)
        {
            if (input.Address is { } address)
                _inputs.Add(address);
            else
                unknown++;
        }
        _distinctInputs = _inputs.Count + unknown;
        return true;
    }

    private EqualRun MostEqual(int count, long valueMin)
    {
        var most = default(EqualRun);
        for (int i = 0; i < count;)
        {
            int end = RunEnd(i, count);
            if (_values[i] >= valueMin && end - i > most.Count)
                most = new EqualRun(_values[i], end - i);
            i = end;
        }
        return most;
    }

    private int CountRepeated(int count, out int denominations)
    {
        int repeated = 0;
        denominations = 0;
        for (int i = 0; i < count;)
        {
            int end = RunEnd(i, count);
            if (end - i > 1)
            {
                repeated += end - i;
                denominations++;
            }
            i = end;
        }
        return repeated;
    }

    private int RunEnd(int start, int count)
    {
        int end = start + 1;
        while (end < count && _values[end] == _values[start])
            end++;
        return end;
    }

    private readonly record struct EqualRun(long Value, int Count);
}
