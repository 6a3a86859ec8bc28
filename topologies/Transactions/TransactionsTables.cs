using Streams.Connect;
using Streams.Connectors.Chain;
using Streams.Errors;
using Streams.Records;

namespace Streams.Topologies.Transactions;

/// <summary>What the topics of the topology hold, and the tables and views that analysts get.</summary>
public static class TransactionsTables
{
    /// <summary>The record types of the topics.</summary>
    public static IReadOnlyList<TopicFormat> Formats { get; } =
    [
        TopicFormat.Of(TransactionsTopology.Transactions, RecordSerde.Protobuf<ChainTransaction>()),
        TopicFormat.Of(TransactionsTopology.Enriched, RecordSerde.Protobuf<ChainTransaction>()),
        TopicFormat.Of(TransactionsTopology.Alerts, RecordSerde.Protobuf<Alert>()),
        TopicFormat.Of(TransactionsTopology.AlertLookups, RecordSerde.Protobuf<AlertLookup>()),
        TopicFormat.Of(TransactionsTopology.Entities, RecordSerde.Protobuf<Entity>()),
        TopicFormat.Of(TransactionsTopology.RiskHourly, RecordSerde.Protobuf<RiskHour>()),
        TopicFormat.Of(TransactionsTopology.DeadLetters, RecordSerde.Protobuf<DeadLetter>()),
    ];

    /// <summary>Topics that a sink of files gets.</summary>
    public static IReadOnlyList<string> OutputTopics { get; } =
    [
        TransactionsTopology.Enriched, TransactionsTopology.Alerts, TransactionsTopology.Entities,
        TransactionsTopology.RiskHourly, TransactionsTopology.DeadLetters,
    ];

    /// <summary>The tables.</summary>
    /// <remarks>The number of a record in its source is left out: a table says what holds, not how it came
    /// about.</remarks>
    public static IReadOnlyList<TableMapping> Tables { get; } =
    [
        new TableMapping
        {
            Topic = TransactionsTopology.Enriched,
            Table = "transactions",
            Key = ["tx_id"],
            OperationColumn = "op",
            Omit = ["seq", "schema_version", "source_id", "ingest_ns"],
            Indexes =
            [
                new TableIndex("block_height"),
                new TableIndex("analysis_score", "analysis_score >= 40"),
                new TableIndex("analysis_entity_id", "analysis_entity_id IS NOT NULL"),
            ],
            Children =
            [
                new ChildMapping("inputs", "transaction_inputs") { Indexes = [new TableIndex("address")] },
                new ChildMapping("outputs", "transaction_outputs") { Indexes = [new TableIndex("address")] },
                new ChildMapping("inputs_tags", "transaction_input_tags"),
                new ChildMapping("outputs_tags", "transaction_output_tags"),
                new ChildMapping("analysis_exposures", "transaction_exposures"),
                new ChildMapping(
                    "analysis_reasons", "transaction_reasons") { Indexes = [new TableIndex("rule")] },
            ],
        },
        new TableMapping
        {
            Topic = TransactionsTopology.Alerts,
            Table = "alerts",
            Key = ["alert_id"],
            OperationColumn = "op",
            Indexes = [new TableIndex("rule"), new TableIndex("tx_id")],
        },
        new TableMapping
        {
            Topic = TransactionsTopology.Entities,
            Table = "entities",
            Key = ["entity_id"],
            OperationColumn = "op",
        },
        new TableMapping
        {
            Topic = TransactionsTopology.DeadLetters,
            Table = "dead_letters",
        },
    ];

    /// <summary>The table of alerts with answers, where another system is asked.</summary>
    public static TableMapping AlertLookups { get; } = new()
    {
        Topic = TransactionsTopology.AlertLookups,
        Table = "alert_lookups",
        Key = ["alert_id"],
        OperationColumn = "op",
        Indexes = [new TableIndex("tx_id")],
    };

    /// <summary>The views.</summary>
    public static IReadOnlyList<ViewMapping> Views { get; } =
    [
        new ViewMapping(
            "risk_by_hour", "Transactions, value and alerts per hour of block time and level.",
            """
            SELECT datetime(event_ns / 3600000000000 * 3600, 'unixepoch') AS hour, analysis_level AS level,
                   count(*) AS transactions, sum(output_sum_base) AS value_base,
                   sum((SELECT count(*) FROM alerts a WHERE a.tx_id = t.tx_id)) AS alerts
            FROM transactions t GROUP BY 1, 2
            """),
        new ViewMapping(
            "entity_roots", "Each entity with the one that it is part of by now.",
            """
            WITH RECURSIVE up (entity_id, root_id) AS (
              SELECT entity_id, entity_id FROM entities
              UNION
              SELECT up.entity_id, e.merged_into FROM up JOIN entities e ON e.entity_id = up.root_id
              WHERE e.merged_into IS NOT NULL)
            SELECT up.entity_id, up.root_id FROM up JOIN entities e ON e.entity_id = up.root_id
            WHERE e.merged_into IS NULL
            """),
        new ViewMapping(
            "address_activity", "What each address received and, as far as known, spent.",
            """
            SELECT address, sum(received) AS received, sum(sent) AS sent,
                sum(received) - sum(sent) AS balance,
                   sum(receipts) AS receipts, sum(spends) AS spends
            FROM (SELECT address, value AS received, 0 AS sent, 1 AS receipts,
                0 AS spends FROM transaction_outputs
                  UNION ALL
                  SELECT address, 0, coalesce(value, 0), 0, 1 FROM transaction_inputs)
            WHERE address IS NOT NULL GROUP BY address
            """),
        new ViewMapping(
            "rule_totals", "Alerts per rule.",
            "SELECT rule, count(*) AS alerts, max(score) AS score, count(DISTINCT tx_id) AS transactions " +
                "FROM alerts GROUP BY rule"),
    ];
}
