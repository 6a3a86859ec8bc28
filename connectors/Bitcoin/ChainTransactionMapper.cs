using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Connectors.Bitcoin;

/// <summary>Makes the record of a transaction in a block. Refills one record over and over.</summary>
internal sealed class ChainTransactionMapper(string sourceId, BitcoinNetwork network)
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly Network _network = network.Name switch
    {
        "mainnet" => Network.Mainnet,
        "signet" => Network.Signet,
        "regtest" => Network.Regtest,
        _ => Network.Testnet,
    };

    private readonly byte[] _sourceId = System.Text.Encoding.UTF8.GetBytes(sourceId);

    /// <summary>The record of the transaction at a position; valid until the next call.</summary>
    /// <param name="block">The block.</param>
    /// <param name="position">The transaction's place in it.</param>
    /// <param name="height">The block's height; negative where nobody knows.</param>
    /// <param name="op">Whether the block joins the chain or leaves it.</param>
    /// <param name="seq">The record's number.</param>
    internal ChainTransaction Map(in BitcoinBlock block, int position, int height, Operation op, long seq)
    {
        BitcoinTransaction from = block[position];
        BitcoinBlockIndex index = block.Index;
        ChainTransaction tx = Record;
        tx.Clear();
        tx.Op = op;
        tx.Chain = ChainKind.Bitcoin;
        tx.Network = _network;
        tx.SourceId = tx.Memory.Text(_sourceId);
        tx.SchemaVersion = ChainTransaction.RecordType.Version;
        tx.EventNs = index.Header.TimeSeconds * NanosecondsPerSecond;
        tx.Seq = seq;
        tx.TxId = Display(index.TxIds[position]);
        tx.WtxId = from.HasWitness ? Display(index.WitnessTxIds[position]) : null;
        tx.Status = op == Operation.Append ? TransactionStatus.InBlock : TransactionStatus.Reorged;
        tx.BlockHash = Display(index.Hash);
        tx.BlockHeight = height < 0 ? null : height;
        tx.TxIndex = position;
        tx.BlockTxCount = index.Count;
        tx.Confirmations = op == Operation.Append ? 1 : 0;
        tx.Version = (int)from.Version;
        tx.LockTime = from.LockTime;
        tx.SizeBytes = from.Raw.Length;
        tx.VsizeBytes = from.VirtualBytes;
        tx.IsCoinbase = position == 0;
        if (!tx.IsCoinbase)
            MapInputs(from, tx);
        MapOutputs(from, tx);
        return tx;
    }

    /// <summary>The record that is refilled.</summary>
    internal ChainTransaction Record { get; } = new();

    private void MapInputs(in BitcoinTransaction from, ChainTransaction tx)
    {
        foreach (BitcoinInput input in from.Inputs)
        {
            BitcoinSpender spender = BitcoinSpender.Reveal(input);
            bool hasAddress = !spender.Address.IsEmpty;
            tx.Inputs.Add(new TransactionInput
            {
                PrevTxId = Display(input.PreviousTxId),
                Vout = input.PreviousOutput,
                Sequence = input.Sequence,
                ScriptType = TypeOf(spender.Type),
                Address = hasAddress ? TextOf(spender.Address, tx) : null,
                AddressOrigin = hasAddress ? AddressOrigin.Spending : AddressOrigin.None,
            });
        }
    }

    private void MapOutputs(in BitcoinTransaction from, ChainTransaction tx)
    {
        uint vout = 0;
        foreach (BitcoinOutput output in from.Outputs)
        {
            BitcoinScript script = BitcoinScript.Classify(output.Script);
            bool hasAddress = BitcoinAddress.TryFromScript(
                script, out BitcoinAddress address, keyAsHash: true);
            tx.Outputs.Add(new TransactionOutput
            {
                Vout = vout++,
                Value = output.Satoshi,
                ScriptType = TypeOf(script.Type),
                Address = hasAddress ? TextOf(address, tx) : null,
            });
            tx.OutputSumBase += output.Satoshi;
        }
    }

    private Text TextOf(in BitcoinAddress address, ChainTransaction tx)
    {
        Span<byte> text = stackalloc byte[BitcoinAddress.TextBytesMax];
        return tx.Memory.Text(text[..address.Encode(network, text)]);
    }

    private static Bytes32 Display(in BitcoinHash hash)
    {
        Span<byte> display = stackalloc byte[BitcoinHash.Bytes];
        hash.CopyDisplayTo(display);
        return new Bytes32(display);
    }

    private static ScriptType TypeOf(BitcoinScriptType type) => type switch
    {
        BitcoinScriptType.PublicKey => ScriptType.P2pk,
        BitcoinScriptType.PublicKeyHash => ScriptType.P2pkh,
        BitcoinScriptType.ScriptHash => ScriptType.P2sh,
        BitcoinScriptType.WitnessPublicKeyHash => ScriptType.P2wpkh,
        BitcoinScriptType.WitnessScriptHash => ScriptType.P2wsh,
        BitcoinScriptType.Taproot => ScriptType.P2tr,
        BitcoinScriptType.Multisig => ScriptType.Multisig,
        BitcoinScriptType.NullData => ScriptType.NullData,
        BitcoinScriptType.Anchor or BitcoinScriptType.WitnessUnknown => ScriptType.WitnessUnknown,
        BitcoinScriptType.NonStandard => ScriptType.NonStandard,
        _ => ScriptType.Unknown,
    };
}
