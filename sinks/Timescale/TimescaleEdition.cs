using Streams.Sinks.Postgres;

namespace Streams.Sinks.Timescale;

/// <summary>What of TimescaleDB a database has.</summary>
/// <param name="IsThere">Whether the extension is created in the database.</param>
/// <param name="IsCommunity">Whether it has compression, continuous aggregates and policies. The Apache
/// edition has hypertables, <c>time_bucket</c> and <c>drop_chunks</c>.</param>
/// <param name="Version">Its version; empty where it is not there.</param>
/// <param name="Schema">The schema of its functions.</param>
internal sealed record TimescaleEdition(bool IsThere, bool IsCommunity, string Version, string Schema)
{
    /// <summary>For a script that is made without looking at a database.</summary>
    internal static TimescaleEdition Unknown { get; } = new(true, false, "", "public");

    /// <summary>Looks at the database of a session.</summary>
    internal static TimescaleEdition Of(PostgresSession session)
    {
        List<object?[]> found = session.Query("""
            SELECT e.extversion, n.nspname, current_setting('timescaledb.license', true)
            FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
            WHERE e.extname = 'timescaledb'
            """);
        return found.Count == 0
            ? new TimescaleEdition(false, false, "", "")
            : new TimescaleEdition(
                true, (string?)found[0][2] == "timescale", (string)found[0][0]!, (string)found[0][1]!);
    }

    public override string ToString() => !IsThere ? "without TimescaleDB"
        : $"TimescaleDB {Version}, {(IsCommunity ? "community" : "Apache")} edition";
}
