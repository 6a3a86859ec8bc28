using Streams.Connectors.Chain;
using Streams.Connectors.Http;
using Streams.Dsl;
using Streams.Records;

namespace Streams.Topologies.Transactions;

/// <summary>What is asked about the transactions of alerts, and how.</summary>
public sealed record AlertLookupOptions
{
    /// <summary>The system that is asked; <c>{key}</c> is the transaction's id.</summary>
    public HttpLookupOptions Http { get; init; } = new();

    /// <summary>How it is asked. What fails for good is passed on with the reason in place of an answer,
    /// unless said otherwise.</summary>
    public AsyncCallOptions Calls { get; init; } = new() { OnFailure = AsyncFailure.Fallback };
}

/// <summary>An alert with what another system says of its transaction.</summary>
public sealed class AlertLookup : IDescribed<AlertLookup>
{
    /// <summary>Identifies the alert: transaction id and rule.</summary>
    public Text AlertId;

    /// <summary>Whether the alert holds, or its transaction left the chain.</summary>
    public Operation Op;

    /// <summary>The transaction.</summary>
    public Bytes32 TxId;

    /// <summary>The rule.</summary>
    public RiskRule Rule;

    /// <summary>The score that the rule gives.</summary>
    public int Score;

    /// <summary>Event time.</summary>
    public long EventNs;

    /// <summary>What the system answered.</summary>
    public Text? Answer;

    /// <summary>Why there is no answer.</summary>
    public Text? Failure;

    /// <summary>Owns the texts.</summary>
    public RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } =
        new("alert_lookup", 1, "An alert with what another system says of its transaction.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Field(1, "alert_id"u8, ref AlertId, Unit.None, "Transaction id and rule.");
        v.Enum(2, "op"u8, ref Op, "Whether the alert holds, or its transaction left the chain.");
        v.Field(3, "tx_id"u8, ref TxId, Unit.None, "The transaction, in display order.");
        v.Enum(4, "rule"u8, ref Rule, "The rule.");
        v.Field(5, "score"u8, ref Score, "0-100", "The score that the rule gives.");
        v.Field(6, "event_ns"u8, ref EventNs, Unit.Nanoseconds, "Event time, Unix UTC.");
        v.Field(
            7, "answer"u8, ref Answer, Unit.None,
            "What the system answered; absent where it knows nothing or did not answer.");
        v.Field(
            8, "failure"u8, ref Failure, Unit.None, "Why there is no answer; absent where it answered.");
    }

    /// <summary>The alert without an answer.</summary>
    internal static AlertLookup Of(Alert alert)
    {
        var lookup = new AlertLookup
        {
            Op = alert.Op,
            TxId = alert.TxId,
            Rule = alert.Rule,
            Score = alert.Score,
            EventNs = alert.EventNs,
        };
        lookup.AlertId = lookup.Memory.Text(alert.AlertId.Span);
        return lookup;
    }
}

/// <summary>Asks another system about the transactions of alerts.</summary>
internal static class AlertLookups
{
    /// <summary>The alerts with their answers, each alert's in order.</summary>
    internal static KStream<Text, AlertLookup> LookUp(
        this KStream<Text, Alert> alerts, HttpLookup lookup, AsyncCallOptions calls) =>
        alerts.MapValuesAsync(
            (_, alert, cancellation) => AskAsync(lookup, alert, cancellation),
            new AsyncMapped<Text, Alert, AlertLookup>
            {
                Name = "look-up-alerts",
                KeySerde = Serdes.Text,
                ValueSerde = RecordSerde.Protobuf<Alert>(),
                ResultSerde = RecordSerde.Protobuf<AlertLookup>(),
                Calls = calls,
                RetryIf = HttpLookup.MayPass,
                Fallback = (_, alert, failure) => Without(alert, failure),
            });

    private static async Task<AlertLookup> AskAsync(
        HttpLookup lookup, Alert alert, CancellationToken cancellation)
    {
        byte[]? answer = await lookup.GetAsync(alert.TxId.ToString(), cancellation).ConfigureAwait(false);
        AlertLookup found = AlertLookup.Of(alert);
        found.Answer = answer is null ? null : found.Memory.Text(answer);
        return found;
    }

    private static AlertLookup Without(Alert alert, Exception failure)
    {
        AlertLookup found = AlertLookup.Of(alert);
        found.Failure = found.Memory.Text(failure.Message);
        return found;
    }
}
