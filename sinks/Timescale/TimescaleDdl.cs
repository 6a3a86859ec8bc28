using System.Globalization;
using Streams.Sinks.Postgres;

namespace Streams.Sinks.Timescale;

/// <summary>Statements for hypertables.</summary>
internal static class TimescaleDdl
{
    private const long NanosecondsPerTick = 100;

    /// <summary>Makes a table that was just created a hypertable.</summary>
    internal static IEnumerable<string> Hypertable(
        PostgresTable table, PostgresOptions options, TimescaleEdition edition)
    {
        TimescaleOptions wanted = options as TimescaleOptions
            ?? new TimescaleOptions { Server = options.Server };
        PostgresColumn time = table.Time!;
        bool isInteger = time.Type == "bigint";
        yield return $"SELECT {edition.Schema}.create_hypertable('{table.Name}', '{time.Name}', " +
            $"chunk_time_interval => {Span(wanted.ChunkInterval, isInteger)}, " +
            "create_default_indexes => false)";
        if (wanted.CompressAfter == TimeSpan.Zero || !edition.IsCommunity)
            yield break;
        if (isInteger)
        {
            yield return
                "CREATE OR REPLACE FUNCTION streams_now_ns() RETURNS bigint LANGUAGE sql STABLE AS " +
                "$$ SELECT (extract(epoch FROM now()) * 1000000000)::bigint $$";
            yield return $"SELECT {edition.Schema}.set_integer_now_func('{table.Name}', 'streams_now_ns')";
        }
        string segments = string.Join(", ", table.Key.Where(k => k != time.Name));
        yield return $"ALTER TABLE {table.Name} SET (timescaledb.compress" +
            $"{(segments.Length > 0 ? $", timescaledb.compress_segmentby = '{segments}'" : "")})";
        yield return $"SELECT {edition.Schema}.add_compression_policy('{table.Name}', " +
            $"{Span(wanted.CompressAfter, isInteger)})";
    }

    /// <summary>Drops the chunks of a table that are older than a span, by the server's clock.</summary>
    internal static string DropChunks(PostgresTable table, TimeSpan after, TimescaleEdition edition)
    {
        string limit = table.Time!.Type == "bigint"
            ? $"(extract(epoch FROM now()) * 1000000000)::bigint - {Span(after, isInteger: true)}"
            : Span(after, isInteger: false);
        return $"SELECT {edition.Schema}.drop_chunks('{table.Name}', older_than => {limit})";
    }

    // A column of nanoseconds takes a number of them.
    private static string Span(TimeSpan span, bool isInteger) => isInteger
        ? string.Create(CultureInfo.InvariantCulture, $"{span.Ticks * NanosecondsPerTick}::bigint")
        : string.Create(CultureInfo.InvariantCulture, $"INTERVAL '{span.TotalSeconds} seconds'");
}
