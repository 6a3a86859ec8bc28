using Streams.Connectors.Chain;
using Streams.Topologies.Transactions.State;

namespace Streams.Topologies.Transactions;

/// <summary>
/// Starts loading the state that a transaction will need, all of it at once: with millions of addresses every
/// lookup is a wait for memory, and the waits of one transaction can overlap.
/// </summary>
internal sealed class StatePrefetch(OutputTable outputs, AddressTable addresses)
{
    // What is further in a large transaction would push out again what came before.
    private const int KeysMax = 32;

    private readonly uint[] _outputs = new uint[KeysMax];
    private readonly uint[] _addresses = new uint[2 * KeysMax];

    /// <summary>Starts loading what the transaction spends and the addresses that it names.</summary>
    internal void Start(ChainTransaction tx)
    {
        int spent = 0;
        int named = 0;
        foreach (ref TransactionInput input in tx.Inputs.Items)
        {
            if (spent == KeysMax)
                break;
            _outputs[spent++] = outputs.Prefetch(input.PrevTxId, input.Vout);
            if (input.Address is { } address)
                _addresses[named++] = addresses.Prefetch(address.Span);
        }
        int made = 0;
        foreach (ref TransactionOutput output in tx.Outputs.Items)
        {
            if (made++ == KeysMax)
                break;
            _ = outputs.Prefetch(tx.TxId, output.Vout);
            if (output.Address is { } address)
                _addresses[named++] = addresses.Prefetch(address.Span);
        }
        for (int i = 0; i < spent; i++)
            outputs.PrefetchEntry(_outputs[i]);
        for (int i = 0; i < named; i++)
            addresses.PrefetchEntry(_addresses[i]);
    }
}
