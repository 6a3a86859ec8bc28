using Streams.Connectors.Chain;

namespace Streams.Topologies.Transactions.Patterns;

/// <summary>What a transaction's shape shows, beyond CoinJoins.</summary>
internal sealed class Structure(RiskOptions options)
{
    // An amount of at most this many significant digits counts as round.
    private const int RoundDigits = 3;
    private const long RoundValueMin = 100_000;

    private readonly AddressSet _dust = new();

    /// <summary>Fills the counts of an analysis.</summary>
    internal void Describe(ChainTransaction tx, ref TransactionAnalysis analysis)
    {
        analysis.FanIn = tx.Inputs.Count;
        analysis.FanOut = tx.Outputs.Count;
        _dust.Clear();
        foreach (ref TransactionOutput output in tx.Outputs.Items)
        {
            if (output.ScriptType == ScriptType.NullData)
                continue;
            if (output.Value < options.DustBelow && output.Address is { } address)
                _dust.Add(address);
            if (IsRound(output.Value))
                analysis.RoundOutputs++;
        }
        analysis.DustOutputs = _dust.Count;
    }

    /// <summary>
    /// The output that a peel chain would go on with: of one input and two outputs the larger, where it holds
    /// most of the value and is at another address than the input.
    /// </summary>
    /// <returns>Its place; -1 where the transaction is no hop.</returns>
    /// <remarks>
    /// A chain hops from one-time address to one-time address. Whoever pays again and again from one address
    /// and takes the change back there, as hot wallets do, does not. Source: Meiklejohn et al., "A Fistful of
    /// Bitcoins" (IMC 2013), on peeling chains and one-time change addresses.
    /// </remarks>
    internal int PeelContinuation(ChainTransaction tx)
    {
        if (tx.IsCoinbase || tx.Inputs.Count != 1 || tx.Outputs.Count != 2)
            return -1;
        ref TransactionOutput first = ref tx.Outputs[0];
        ref TransactionOutput second = ref tx.Outputs[1];
        if (first.ScriptType == ScriptType.NullData || second.ScriptType == ScriptType.NullData)
            return -1;
        int larger = first.Value >= second.Value ? 0 : 1;
        // In two steps, so that no amount overflows.
        long share = tx.OutputSumBase / 100 * options.PeelSharePercentMin;
        bool goesOn = tx.Outputs[larger].Value >= share && tx.Outputs[1 - larger].Value > 0;
        bool comesBack = tx.Inputs[0].Address is { } payer && tx.Outputs[larger].Address == payer;
        return goesOn && !comesBack ? larger : -1;
    }

    /// <summary>Whether an amount has few significant digits, as people choose them.</summary>
    internal static bool IsRound(long value)
    {
        if (value < RoundValueMin)
            return false;
        while (value % 10 == 0)
            value /= 10;
        return value < (long)Math.Pow(10, RoundDigits);
    }
}
