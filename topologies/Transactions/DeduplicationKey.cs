using Streams.Buffers;
using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Topologies.Transactions;

/// <summary>What makes a record of a transaction the same as another: transaction, block and
/// operation.</summary>
/// <remarks>The block belongs to it because before BIP 30 a coinbase could repeat the id of an older
/// one.</remarks>
internal readonly record struct DeduplicationKey(Bytes32 TxId, Bytes32 BlockHash, Operation Op)
{
    internal static DeduplicationKey Of(ChainTransaction tx) => new(tx.TxId, tx.BlockHash ?? default, tx.Op);
}

/// <summary>The parts one after the other.</summary>
internal sealed class DeduplicationKeySerde : Serde<DeduplicationKey>
{
    private const int Bytes = 2 * Bytes32.Size + 1;

    public override string Name => "deduplication-key";

    public override void Serialize(in DeduplicationKey value, PooledBuffer destination)
    {
        Span<byte> to = destination.Append(Bytes);
        value.TxId.Span.CopyTo(to);
        value.BlockHash.Span.CopyTo(to[Bytes32.Size..]);
        to[^1] = (byte)value.Op;
    }

    public override void Deserialize(ReadOnlySpan<byte> source, ref DeduplicationKey value)
    {
        if (source.Length != Bytes)
            throw new SerializationException(Name, $"{source.Length} bytes where {Bytes} are needed", 0);
        value = new DeduplicationKey(
            new Bytes32(source[..Bytes32.Size]), new Bytes32(source.Slice(Bytes32.Size, Bytes32.Size)),
            (Operation)source[^1]);
    }
}
