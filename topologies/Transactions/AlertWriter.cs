using Streams.Buffers;
using Streams.Connectors.Chain;
using Streams.Dsl;
using Streams.Records;

namespace Streams.Topologies.Transactions;

/// <summary>Makes an alert of each reason that calls for action.</summary>
/// <remarks>
/// The alert's key is transaction and rule, so that a consumer recognises one that it has seen. Each thread
/// has records of its own to refill.
/// </remarks>
internal sealed class AlertWriter(int scoreMin)
{
    [ThreadStatic]
    private static Alert? _alert;

    internal void Write(in Record<Bytes32, ChainTransaction> record, Emit<Text, Alert> emit)
    {
        ChainTransaction tx = record.Value;
        foreach (ref RiskReason reason in tx.Analysis.Value.Reasons.Items)
        {
            if (reason.Contribution < scoreMin)
                continue;
            Alert alert = _alert ??= new Alert();
            Fill(alert, tx, reason);
            emit(record.WithKey(alert.AlertId).WithValue(alert));
        }
    }

    /// <summary>What tells the alerts of one key apart: whether it is raised or withdrawn, and in which
    /// block.</summary>
    internal static void Identify(in Record<Text, Alert> record, PooledBuffer identity)
    {
        identity.WriteByte((byte)record.Value.Op);
        Span<byte> block = stackalloc byte[Bytes32.HexLength];
        if (record.Value.BlockHash is not { } hash)
            return;
        hash.Format(block);
        identity.Write(block);
    }

    private static void Fill(Alert alert, ChainTransaction tx, in RiskReason reason)
    {
        alert.Memory.Clear();
        Span<byte> id = stackalloc byte[Bytes32.HexLength + 4];
        tx.TxId.Format(id);
        id[Bytes32.HexLength] = (byte)':';
        id[Bytes32.HexLength + 1] = (byte)'R';
        System.Buffers.Text.Utf8Formatter.TryFormat(
            (int)reason.Rule, id[(Bytes32.HexLength + 2)..], out int digits);
        alert.AlertId = alert.Memory.Text(id[..(Bytes32.HexLength + 2 + digits)]);
        alert.Op = tx.Op;
        alert.TxId = tx.TxId;
        alert.Rule = reason.Rule;
        alert.Score = reason.Contribution;
        alert.Level = tx.Analysis.Value.Level;
        alert.Evidence = alert.Memory.Text(reason.Evidence.Span);
        alert.EventNs = tx.EventNs;
        alert.BlockHash = tx.BlockHash;
        alert.BlockHeight = tx.BlockHeight;
        alert.OutputSumBase = tx.OutputSumBase;
        alert.EntityId = tx.Analysis.Value.EntityId;
        alert.LabelSet = tx.Analysis.Value.LabelSet;
        alert.PriceSet = tx.Analysis.Value.PriceSet;
    }
}
