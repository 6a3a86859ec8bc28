using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using Xunit;

namespace Streams.Tests.Support;

/// <summary>A real server on a port of its own, started by a script of tests/servers. Skips the running test,
/// by name, where none can be had.</summary>
public sealed class PostgresServer : IDisposable
{
    /// <summary>The variable with the password, for the servers' scripts and the sinks alike.</summary>
    public const string PasswordVariable = "STREAMS_TEST_PASSWORD";

    private const int CannotBeHad = 3;

    private readonly string _script;
    private readonly TemporaryFolder _folder = new();
    private readonly IReadOnlyDictionary<string, string> _environment;
    private int _databases;

    static PostgresServer()
    {
        if (Environment.GetEnvironmentVariable(PasswordVariable) is null)
            Environment.SetEnvironmentVariable(PasswordVariable, "streams-test");
    }

    private PostgresServer(string script, IReadOnlyDictionary<string, string> environment)
    {
        _script = script;
        _environment = environment;
        Port = FreePort();
    }

    /// <summary>Where it listens, on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>The folder of its certificates.</summary>
    public string TlsFolder => _folder.File("server/tls");

    /// <summary>What the server wrote about itself.</summary>
    public string Log => File.ReadAllText(_folder.File("server/server.log"));

    /// <summary>Starts a server.</summary>
    /// <param name="script">postgres or timescale.</param>
    /// <param name="environment">Further settings for the script.</param>
    public static PostgresServer Start(
        string script = "postgres", IReadOnlyDictionary<string, string>? environment = null)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip($"needs Linux for tests/servers/{script}");
        var server = new PostgresServer(script, environment ?? new Dictionary<string, string>());
        // The server's user has to pass through.
        if (OperatingSystem.IsLinux())
            File.SetUnixFileMode(
                server._folder.Path,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        bool isUp = false;
        try
        {
            server.Restart();
            isUp = true;
        }
        finally
        {
            if (!isUp)
                server._folder.Dispose();
        }
        return server;
    }

    /// <summary>Makes a database.</summary>
    /// <param name="options">Further words of CREATE DATABASE.</param>
    public string NewDatabase(string options = "")
    {
        string name = string.Create(
            CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref _databases)}");
        Execute("postgres", $"CREATE DATABASE {name} {options}");
        if (_script == "timescale")
            Execute(name, "CREATE EXTENSION timescaledb");
        return name;
    }

    /// <summary>The location of a sink that writes to a database.</summary>
    public string Address(string database) => $"//postgres@127.0.0.1:{Port}/{database}";

    /// <summary>The same, with the variable that holds the password.</summary>
    public string Location(string database) =>
        $"{Address(database)}?password_variable={PasswordVariable}";

    /// <summary>A connection to a database.</summary>
    public NpgsqlConnection Connect(string database)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = Port,
            Username = "postgres",
            Password = Environment.GetEnvironmentVariable(PasswordVariable),
            Database = database,
            Pooling = false,
        }.ToString());
        connection.Open();
        return connection;
    }

    /// <summary>Runs statements.</summary>
    public void Execute(string database, string sql)
    {
        using NpgsqlConnection connection = Connect(database);
        Sql.Execute(connection, sql);
    }

    /// <summary>The rows of a query as text, columns divided by '|'.</summary>
    public List<string> Query(string database, string sql)
    {
        using NpgsqlConnection connection = Connect(database);
        return Sql.Query(connection, sql);
    }

    /// <summary>One number of a query.</summary>
    public long Number(string database, string sql) =>
        long.Parse(Query(database, sql).Single(), CultureInfo.InvariantCulture);

    /// <summary>Starts it, where it does not run.</summary>
    public void Restart()
    {
        (int code, string errors) = Run("start", $"{Port}");
        if (code == CannotBeHad)
            Assert.Skip(errors.Trim());
        Assert.True(code == 0, $"tests/servers/{_script} start: {errors}");
    }

    /// <summary>Shuts it down in good order.</summary>
    public void Stop() => Run("stop");

    /// <summary>SIGKILL of all its processes.</summary>
    public void Kill() => Run("kill");

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        if (_script == "timescale")
            Run("remove");
        _folder.Dispose();
    }

    private (int Code, string Errors) Run(string command, params string[] more)
    {
        string script = Path.Combine(SharedData.RepositoryRoot, "tests", "servers", _script);
        var start = new ProcessStartInfo(script, [command, _folder.File("server"), .. more])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach ((string name, string value) in _environment)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        process.StandardOutput.ReadToEnd();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, errors);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>Plain SQL, which the checks rest on.</summary>
public static class Sql
{
    /// <summary>Runs statements.</summary>
    public static void Execute(NpgsqlConnection connection, string sql)
    {
        using NpgsqlCommand command = Command(connection, sql);
        command.ExecuteNonQuery();
    }

    /// <summary>The rows of a query as text, columns divided by '|'.</summary>
    public static List<string> Query(NpgsqlConnection connection, string sql)
    {
        using NpgsqlCommand command = Command(connection, sql);
        command.AllResultTypesAreUnknown = true;
        using NpgsqlDataReader reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
            rows.Add(string.Join("|", Enumerable.Range(0, reader.FieldCount).Select(
                i => reader.IsDBNull(i) ? "NULL" : reader.GetString(i))));
        return rows;
    }

    /// <summary>Each table of a schema, the sink's own aside, with the number of its rows and a digest of
    /// their contents.</summary>
    public static SortedDictionary<string, string> Digests(PostgresServer server, string database)
    {
        var digests = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using NpgsqlConnection connection = server.Connect(database);
        foreach (string table in Query(connection, """
            SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
              AND c.relname NOT LIKE 'streams\_%'
            """))
            digests[table] = Query(connection,
                $"SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM {table} t")
                .Single();
        return digests;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql)
    {
        NpgsqlCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // A test's own statements.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }
}

/// <summary>Servers that tests share which leave them as they found them: one database each.</summary>
public sealed class PostgresServers : IDisposable
{
    private readonly Lock _gate = new();
    private PostgresServer? _postgres;
    private PostgresServer? _timescale;

    /// <summary>PostgreSQL.</summary>
    public PostgresServer Postgres
    {
        get
        {
            lock (_gate)
                return _postgres ??= PostgresServer.Start();
        }
    }

    /// <summary>PostgreSQL with TimescaleDB.</summary>
    public PostgresServer Timescale
    {
        get
        {
            lock (_gate)
                return _timescale ??= PostgresServer.Start("timescale");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _postgres?.Dispose();
        _timescale?.Dispose();
    }
}
