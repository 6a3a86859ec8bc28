using Streams.Connect;

namespace Streams.Topologies.Transactions;

/// <summary>The tables and views that analysts get in PostgreSQL (CSIC-069): those of
/// <see cref="TransactionsTables"/> in the database's own types, under the names of the platform.</summary>
public static class TransactionsPostgres
{
    private const int BitcoinDecimals = 8;

    /// <summary>The tables.</summary>
    public static IReadOnlyList<TableMapping> Tables { get; } =
    [
        .. TransactionsTables.Tables.Select(t => t.Topic switch
        {
            TransactionsTopology.Enriched => Transactions(t),
            TransactionsTopology.Alerts => t with
            {
                Columns =
                [
                    new ColumnMapping("transaction_id", "tx_id", ColumnForm.Uuid),
                    new ColumnMapping("created_at", "event_ns", ColumnForm.Instant),
                ],
                Indexes =
                    [new TableIndex("rule"), new TableIndex("transaction_id"), new TableIndex("created_at")],
                TimeOnRequest = "created_at",
            },
            TransactionsTopology.Entities => t with
            {
                Columns = [new ColumnMapping("first_seen_at", "first_seen_ns", ColumnForm.Instant)],
            },
            _ => t,
        }),
        new TableMapping
        {
            Topic = TransactionsTopology.RiskHourly,
            Table = "risk_hours",
            Key = ["hour", "level"],
            Columns = [new ColumnMapping("hour", "hour_start_ns", ColumnForm.Instant)],
            Time = "hour",
        },
    ];

    /// <summary>The views.</summary>
    public static IReadOnlyList<ViewMapping> Views { get; } =
    [
        new ViewMapping(
            "risk_by_hour", "Transactions, amount and alerts per hour of block time and level.",
            """
            SELECT date_trunc('hour', t.created_at, 'UTC') AS hour, t.analysis_level AS level,
                   count(*) AS transactions, sum(t.amount) AS amount, coalesce(sum(a.alerts), 0) AS alerts
            FROM transactions t
            LEFT JOIN (SELECT transaction_id, count(*) AS alerts FROM alerts GROUP BY transaction_id) a
              USING (transaction_id)
            GROUP BY 1, 2
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
            "address_activity", "What each address received and, as far as known, spent, in base units.",
            """
            SELECT address, sum(received) AS received, sum(sent) AS sent,
                   sum(received) - sum(sent) AS balance,
                   sum(receipts) AS receipts, sum(spends) AS spends
            FROM (SELECT address, value AS received, 0 AS sent, 1 AS receipts, 0 AS spends
                  FROM transaction_outputs
                  UNION ALL
                  SELECT address, 0, coalesce(value, 0), 0, 1 FROM transaction_inputs) movements
            WHERE address IS NOT NULL GROUP BY address
            """),
        new ViewMapping(
            "rule_totals", "Alerts per rule.",
            """
            SELECT rule, count(*) AS alerts, max(score) AS score,
                   count(DISTINCT transaction_id) AS transactions
            FROM alerts GROUP BY rule
            """),
        // CSIC-073: what stands twice is compared, so that a row that somebody took away is found.
        new ViewMapping(
            "risk_differences",
            "Closed hours whose transactions are not as many as were counted: a row is missing on one side.",
            """
            SELECT hour, level, h.transactions AS counted, t.transactions AS stored
            FROM risk_hours h
            FULL JOIN (SELECT date_trunc('hour', created_at, 'UTC') AS hour, analysis_level AS level,
                              count(*) AS transactions
                       FROM transactions GROUP BY 1, 2) t USING (hour, level)
            WHERE hour <= (SELECT max(hour) FROM risk_hours)
              AND hour >= (SELECT min(hour) FROM risk_hours)
              AND hour >= (SELECT date_trunc('hour', min(created_at), 'UTC') FROM transactions)
              AND h.transactions IS DISTINCT FROM t.transactions
            """),
        new ViewMapping(
            "alerts_without_transaction", "Alerts whose transaction is not there.",
            """
            SELECT a.alert_id, a.transaction_id, a.rule, a.created_at FROM alerts a
            WHERE NOT EXISTS (SELECT FROM transactions t WHERE t.transaction_id = a.transaction_id)
            """),
    ];

    // CSIC-069: transaction_id, from_address, to_address, amount, currency, risk_score, created_at, status.
    private static TableMapping Transactions(TableMapping table) => table with
    {
        Key = ["transaction_id"],
        // A transaction that moves to another block is retracted from the first one, with that one's time.
        TimeOnRequest = "created_at",
        Omit = [.. table.Omit, "analysis_score"],
        Columns =
        [
            new ColumnMapping("transaction_id", "tx_id", ColumnForm.Uuid),
            new ColumnMapping("from_address", "inputs.address", ColumnForm.First),
            new ColumnMapping("to_address", "outputs.address", ColumnForm.First),
            new ColumnMapping("amount", "output_sum_base", ColumnForm.Scaled) { Scale = BitcoinDecimals },
            new ColumnMapping("currency", "chain", ColumnForm.Named)
            {
                Names = new Dictionary<string, string> { ["bitcoin"] = "BTC", ["ethereum"] = "ETH" },
            },
            new ColumnMapping("risk_score", "analysis_score"),
            new ColumnMapping("created_at", "event_ns", ColumnForm.Instant),
        ],
        Indexes =
        [
            new TableIndex("block_height"),
            new TableIndex("risk_score", "risk_score >= 40"),
            new TableIndex("analysis_entity_id", "analysis_entity_id IS NOT NULL"),
        ],
    };
}
