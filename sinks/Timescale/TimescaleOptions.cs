using Streams.Sinks.Postgres;

namespace Streams.Sinks.Timescale;

/// <summary>How records are written to a PostgreSQL database with TimescaleDB: tables with a time are
/// hypertables.</summary>
public sealed record TimescaleOptions : PostgresOptions
{
    /// <summary>Prepares options whose tables are hypertables.</summary>
    public TimescaleOptions() => DivideBy = TimeDivision.Hypertable;

    /// <summary>How much time a chunk of a hypertable holds; fixed when the table is made. Default 7
    /// d.</summary>
    public TimeSpan ChunkInterval { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Chunks older than this are compressed by the server's own job; 0 for never. Needs the
    /// community edition; with the Apache edition the start says so and goes on.
    /// Default zero.</summary>
    public TimeSpan CompressAfter { get; init; } = TimeSpan.Zero;

    /// <summary>Chunks older than this are dropped, once an hour, by the sink itself: the server's own job
    /// would need the community edition. 0 for never. Default zero.</summary>
    public TimeSpan DropAfter { get; init; } = TimeSpan.Zero;
}
