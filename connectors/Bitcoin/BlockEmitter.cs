using Streams.Connect;
using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Connectors.Bitcoin;

/// <summary>Emits a record for each transaction of a block that joins the chain or leaves it.</summary>
/// <param name="sourceId">The source's name.</param>
/// <param name="network">The network.</param>
/// <param name="nextSeq">Numbers the records.</param>
internal sealed class BlockEmitter(string sourceId, BitcoinNetwork network, Func<long> nextSeq)
{
    private const long MillisecondsPerSecond = 1000;

    private readonly ChainTransactionMapper _mapper = new(sourceId, network);

    /// <summary>Emits a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="height">Its height; negative where nobody knows.</param>
    /// <param name="op">Whether it joins or leaves.</param>
    /// <param name="output">Takes the records, and the counts of blocks and transactions.</param>
    internal void Emit(
        in BitcoinBlock block, int height, Operation op, SourceOutput<Bytes32, ChainTransaction> output)
    {
        long timestampMs = block.Index.Header.TimeSeconds * MillisecondsPerSecond;
        for (int i = 0; i < block.Count; i++)
        {
            ChainTransaction tx = _mapper.Map(block, i, height, op, nextSeq());
            output.Emit(new Record<Bytes32, ChainTransaction>(tx.TxId, tx, timestampMs));
        }
        bool append = op == Operation.Append;
        output.Count(append ? "blocks" : "blocks_retracted");
        output.Count(append ? "transactions" : "transactions_retracted", block.Count);
    }
}
