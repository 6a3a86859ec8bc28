namespace Streams.Topologies.Demo;

/// <summary>A query worth running.</summary>
/// <param name="Question">What it answers.</param>
/// <param name="Sql">It, in lines to be printed.</param>
public sealed record DemoQuery(string Question, string Sql);

/// <summary>Queries to begin with on the file that a demonstration leaves. Tests run each.</summary>
public static class DemoQueries
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<DemoQuery> All { get; } =
    [
        new DemoQuery(
            "Which transactions are the riskiest, and why?",
            """
            SELECT t.analysis_score AS score, r.rule, r.evidence, t.output_sum_base / 1e8 AS btc, t.tx_id
            FROM transactions t JOIN transaction_reasons r USING (tx_id)
            WHERE t.analysis_score >= 40 AND r.position = 0
            ORDER BY t.analysis_score DESC, t.output_sum_base DESC LIMIT 10;
            """),
        new DemoQuery(
            "How much went straight to whom the labels warn of?",
            """
            SELECT g.value AS label, count(*) AS payments, sum(o.value) / 1e8 AS btc
            FROM transaction_output_tags g
            JOIN transaction_outputs o ON o.tx_id = g.tx_id AND o.position = g.parent_position
            WHERE g.value NOT LIKE 'exchange:%' AND g.value NOT LIKE 'miner:%'
            GROUP BY 1 ORDER BY 3 DESC LIMIT 10;
            """),
        new DemoQuery(
            "Which hours had the most money at high risk?",
            """
            SELECT hour, level, transactions, value_base / 1e8 AS btc, alerts
            FROM risk_by_hour WHERE level IN ('high', 'severe')
            ORDER BY value_base DESC LIMIT 10;
            """),
    ];
}
