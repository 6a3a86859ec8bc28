namespace Streams.Sinks.Postgres;

/// <summary>How records are written to a PostgreSQL database.</summary>
/// <remarks>A password is never an option: it comes from the environment.</remarks>
public record PostgresOptions
{
    /// <summary>Where the database is: <c>//USER@HOST:PORT/DATABASE</c>. Without a port 5432, without a user
    /// the one that this process runs as.</summary>
    public required string Server { get; init; }

    /// <summary>The schema of the tables, which must exist. Default public.</summary>
    public string Schema { get; init; } = "public";

    /// <summary>The variable of the environment that holds the password; where it is not set, none is sent.
    /// Default PGPASSWORD.</summary>
    public string PasswordVariable { get; init; } = "PGPASSWORD";

    /// <summary>Whether the connection is encrypted, and what of the server's certificate is checked:
    /// <c>verify_full</c> its authority and its name. Default prefer, which checks nothing.</summary>
    public PostgresSslMode SslMode { get; init; } = PostgresSslMode.Prefer;

    /// <summary>The file of the authority's certificate (PEM) that the server's is checked with; the
    /// system's authorities where there is none.</summary>
    public string? SslRootCertificate { get; init; }

    /// <summary>The file of the client's certificate (PEM), for a server that wants one.</summary>
    public string? SslCertificate { get; init; }

    /// <summary>The file of the client certificate's key (PEM).</summary>
    public string? SslKey { get; init; }

    /// <summary>Whether tables that are missing are made at the start. Without it they must have been made by
    /// <c>streams sql print --apply</c>. Default true.</summary>
    public bool CreateTables { get; init; } = true;

    /// <summary>How tables with a time are divided.</summary>
    public TimeDivision DivideBy { get; init; } = TimeDivision.Auto;

    /// <summary>Further tables to divide by their time, with those of their lists, so that old months can be
    /// taken away whole, such as <c>transactions,alerts</c>; the key of such a table holds the time too. To
    /// be chosen before the tables are made. Default none.</summary>
    public IReadOnlyList<string> DivideTables { get; init; } = [];

    /// <summary>Whether the indexes that a mapping names are made with its tables. Keys are always unique.
    /// Default true.</summary>
    public bool Indexes { get; init; } = true;

    /// <summary>Rows are sent when this much of them waits in memory, in bytes. Default 16 MiB.</summary>
    public int CopyBytesMax { get; init; } = 16 << 20;

    /// <summary>Most partitions of a table that is divided by month; a record whose month would be one more
    /// is refused. Default 1,200 months.</summary>
    public int PartitionsMax { get; init; } = 1_200;

    /// <summary>How long to wait for a connection. Default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest that a statement may take, on the server and for whoever waits for it. Default
    /// 60 s.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The longest wait for another transaction's lock. Default 10 s.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>After this long without a statement the server ends a transaction that was left open, such as
    /// that of a process that was stopped. Default 60 s.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>Whether a connection is encrypted, and what is checked.</summary>
public enum PostgresSslMode
{
    /// <summary>Not encrypted.</summary>
    Disable,

    /// <summary>Encrypted where the server can; nothing is checked.</summary>
    Prefer,

    /// <summary>Encrypted; nothing is checked.</summary>
    Require,

    /// <summary>Encrypted; the certificate's authority is checked.</summary>
    VerifyCa,

    /// <summary>Encrypted; the certificate's authority and name are checked.</summary>
    VerifyFull,
}

/// <summary>How tables with a time are divided.</summary>
public enum TimeDivision
{
    /// <summary>Hypertables where TimescaleDB is there, else partitions of a month.</summary>
    Auto,

    /// <summary>A partition for each month.</summary>
    Month,

    /// <summary>TimescaleDB's hypertables.</summary>
    Hypertable,

    /// <summary>Not at all.</summary>
    None,
}
