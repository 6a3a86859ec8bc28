using System.Globalization;
using Npgsql;
using Streams.Connect;

namespace Streams.Sinks.Postgres;

/// <summary>A connection with its settings and its transaction. For one thread.</summary>
internal sealed class PostgresSession : IDisposable
{
    // The server's own timeout comes first: it leaves the connection usable and says which statement it was.
    private const int ClientWaitsLongerSeconds = 5;

    private const string ApplicationName = "streams";

    private readonly PostgresOptions _options;
    private NpgsqlTransaction? _transaction;

    private PostgresSession(PostgresOptions options, string connectionString, string server)
    {
        _options = options;
        Server = server;
        Connection = new NpgsqlConnection(connectionString);
    }

    /// <summary>Host, port and database, for messages.</summary>
    internal string Server { get; }

    internal NpgsqlConnection Connection { get; }

    /// <summary>Whether a transaction is open.</summary>
    internal bool IsInTransaction => _transaction is not null;

    /// <summary>Connects.</summary>
    /// <exception cref="ConfigurationException">It can never work as configured.</exception>
    /// <exception cref="UnavailableException">The server cannot be reached for now.</exception>
    internal static PostgresSession Open(PostgresOptions options)
    {
        NpgsqlConnectionStringBuilder text = PostgresAddress.Parse(options);
        var session = new PostgresSession(
            options, text.ToString(), $"{text.Host}:{text.Port}/{text.Database}");
        try
        {
            session.Connection.Open();
            session.Set();
            return session;
        }
        catch (Exception e) when (PostgresErrors.IsOfDriver(e, session.Connection))
        {
            session.Dispose();
            throw PostgresErrors.Translate(e, session.Server);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Begins a transaction where none is open.</summary>
    internal void Begin() => _transaction ??= Connection.BeginTransaction();

    internal void Commit()
    {
        _transaction!.Commit();
        _transaction.Dispose();
        _transaction = null;
    }

    internal void Rollback()
    {
        _transaction?.Rollback();
        _transaction?.Dispose();
        _transaction = null;
    }

    /// <summary>Runs statements, one round trip for all.</summary>
    internal int Execute(string sql, params object?[] parameters)
    {
        using NpgsqlCommand command = Command(sql, parameters);
        return command.ExecuteNonQuery();
    }

    internal T? Scalar<T>(string sql, params object?[] parameters)
    {
        using NpgsqlCommand command = Command(sql, parameters);
        return command.ExecuteScalar() is T value ? value : default;
    }

    /// <summary>The rows of a query, each as its values; null for an absent one.</summary>
    internal List<object?[]> Query(string sql, params object?[] parameters)
    {
        using NpgsqlCommand command = Command(sql, parameters);
        using NpgsqlDataReader reader = command.ExecuteReader();
        var rows = new List<object?[]>();
        while (reader.Read())
        {
            object?[] row = new object?[reader.FieldCount];
            for (int i = 0; i < row.Length; i++)
                row[i] = reader.IsDBNull(i) ? null : reader.GetValue(i);
            rows.Add(row);
        }
        return rows;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _transaction?.Dispose();
        Connection.Dispose();
    }

    internal NpgsqlCommand Command(string sql, params object?[] parameters)
    {
        NpgsqlCommand command = Connection.CreateCommand();
#pragma warning disable CA2100 // Statements are made of the names in a topology's mapping, never of input.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (object? parameter in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = parameter ?? DBNull.Value });
        return command;
    }

    private void Set()
    {
        if (Scalar<bool>("SELECT NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", _options.Schema))
            throw new ConfigurationException(
                $"postgres: {Server} has no schema '{_options.Schema}'. Create it first: " +
                $"CREATE SCHEMA {_options.Schema};");
        Execute(
            $"SET search_path = {PostgresDdl.Quote(_options.Schema)}, pg_temp; "
            + $"SET statement_timeout = {Milliseconds(_options.CommandTimeout)}; "
            + $"SET lock_timeout = {Milliseconds(_options.LockTimeout)}; "
            + $"SET idle_in_transaction_session_timeout = {Milliseconds(_options.IdleTimeout)}; "
            + "SET client_min_messages = warning");
    }

    private static string Milliseconds(TimeSpan span) =>
        ((long)span.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);

    /// <summary>Reads the address of a server.</summary>
    private static class PostgresAddress
    {
        internal static NpgsqlConnectionStringBuilder Parse(PostgresOptions options)
        {
            if (!Uri.TryCreate($"postgres://{options.Server.TrimStart('/')}", UriKind.Absolute, out Uri? uri)
                || uri.Host.Length == 0 || uri.AbsolutePath.Trim('/').Length == 0)
                throw new ConfigurationException(
                    "postgres: 'server' is to be //USER@HOST:PORT/DATABASE, such as " +
                    "//streams@127.0.0.1:5432/streams.");
            if (uri.UserInfo.Contains(':', StringComparison.Ordinal))
                throw new ConfigurationException(
                    "postgres: the address of the server holds a password, which anybody who sees the " +
                    $"configuration would read. Put it into the variable {options.PasswordVariable} of the " +
                    "environment.");
            var text = new NpgsqlConnectionStringBuilder
            {
                Host = uri.Host,
                Port = uri.IsDefaultPort || uri.Port < 0 ? 5432 : uri.Port,
                Database = Uri.UnescapeDataString(uri.AbsolutePath.Trim('/')),
                Username = uri.UserInfo.Length == 0
                    ? Environment.UserName : Uri.UnescapeDataString(uri.UserInfo),
                Password = Environment.GetEnvironmentVariable(options.PasswordVariable),
                ApplicationName = ApplicationName,
                Pooling = false,
                TcpKeepAlive = true,
                Timeout = Seconds(options.ConnectTimeout),
                CommandTimeout = Seconds(options.CommandTimeout) + ClientWaitsLongerSeconds,
                SslMode = Enum.Parse<SslMode>(options.SslMode.ToString(), ignoreCase: true),
            };
            text.RootCertificate = Existing(options.SslRootCertificate, "ssl_root_certificate");
            text.SslCertificate = Existing(options.SslCertificate, "ssl_certificate");
            text.SslKey = Existing(options.SslKey, "ssl_key");
            return text;
        }

        private static string? Existing(string? file, string option) => file is null || File.Exists(file)
            ? file
            : throw new ConfigurationException(
                $"postgres: there is no file {file}, which '{option}' names.");

        // In whole seconds, where 0 means for ever.
        private static int Seconds(TimeSpan span) => Math.Max(1, (int)Math.Ceiling(span.TotalSeconds));
    }
}
