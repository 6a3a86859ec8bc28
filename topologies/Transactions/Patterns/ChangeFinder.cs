using Streams.Connectors.Chain;
using Streams.Topologies.Transactions.State;

namespace Streams.Topologies.Transactions.Patterns;

/// <summary>Finds the output that pays the spender back.</summary>
/// <remarks>
/// An output to an address that is also spent from is change for certain; one to an address of the spender's
/// entity nearly so. Else one output alone may look like change: fresh address, the inputs' script type, less
/// than every input, not a multiple of 1,000 satoshi. Source: the change heuristics of graphsense-lib
/// (direct, multi-input, one-time).
/// </remarks>
internal sealed class ChangeFinder(AddressTable addresses, EntityTable entities)
{
    private const int DirectConfidence = 100;
    private const int EntityConfidence = 90;
    private const int OneTimeConfidence = 50;
    private const int OutputsMax = 10;
    private const long RoundSatoshi = 1_000;

    private readonly AddressSet _spent = new();

    /// <summary>Marks the outputs that look like change. Call before the transaction is counted at its
    /// addresses.</summary>
    internal void Mark(ChainTransaction tx, long? spender)
    {
        if (tx.IsCoinbase || tx.Outputs.Count < 2)
            return;
        CollectSpent(tx, out ScriptType type, out long least);
        int candidates = 0;
        int candidate = -1;
        for (int i = 0; i < tx.Outputs.Count; i++)
        {
            ref TransactionOutput output = ref tx.Outputs[i];
            if (output.Address is not { } address)
                continue;
            bool known = addresses.TryGet(address.Span, out AddressState state);
            if (_spent.Contains(address))
                Set(ref output, DirectConfidence);
            else if (spender is { } entity && known && state.EntityId != 0
                && entities.Find(state.EntityId) == entity)
                Set(ref output, EntityConfidence);
            else if (!known && output.ScriptType == type && output.Value < least
                && output.Value % RoundSatoshi != 0)
            {
                candidates++;
                candidate = i;
            }
        }
        if (candidates == 1 && tx.Outputs.Count <= OutputsMax)
            Set(ref tx.Outputs[candidate], OneTimeConfidence);
    }

    // The script type that all inputs share, and the least of their values as far as known.
    private void CollectSpent(ChainTransaction tx, out ScriptType type, out long least)
    {
        _spent.Clear();
        type = tx.Inputs[0].ScriptType;
        least = long.MaxValue;
        foreach (ref TransactionInput input in tx.Inputs.Items)
        {
            if (input.Address is { } address)
                _spent.Add(address);
            if (input.ScriptType != type)
                type = ScriptType.Unknown;
            if (input.Value is { } value)
                least = Math.Min(least, value);
        }
    }

    private static void Set(ref TransactionOutput output, int confidence)
    {
        output.IsChangeCandidate = true;
        output.ChangeConfidence = confidence;
    }
}
