using SQLitePCL;
using Streams.Connect;

namespace Streams.Sinks.Sqlite;

/// <summary>A prepared statement whose parameters are bound without boxing.</summary>
internal sealed class SqliteStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    internal SqliteStatement(sqlite3 database, string sql)
    {
        _database = database;
        Check(raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement), database);
    }

    internal void Bind(int parameter, long value) => raw.sqlite3_bind_int64(_statement, parameter, value);

    internal void Bind(int parameter, double value) => raw.sqlite3_bind_double(_statement, parameter, value);

    internal void BindText(int parameter, ReadOnlySpan<byte> utf8) =>
        raw.sqlite3_bind_text(_statement, parameter, utf8);

    internal void BindBlob(int parameter, ReadOnlySpan<byte> bytes) =>
        raw.sqlite3_bind_blob(_statement, parameter, bytes);

    internal void BindNull(int parameter) => raw.sqlite3_bind_null(_statement, parameter);

    /// <summary>Runs the statement.</summary>
    /// <returns>How many rows it changed.</returns>
    internal int Run()
    {
        int result = raw.sqlite3_step(_statement);
        raw.sqlite3_reset(_statement);
        if (result is not raw.SQLITE_DONE and not raw.SQLITE_ROW)
            Check(result, _database);
        return raw.sqlite3_changes(_database);
    }

    /// <summary>Forgets what was bound.</summary>
    internal void Clear() => raw.sqlite3_clear_bindings(_statement);

    public void Dispose() => _statement.Dispose();

    /// <summary>Whether a result may be another one later: somebody else has the file, or the disk is
    /// full.</summary>
    internal static bool IsPassing(int result) =>
        (result & 0xFF) is raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_FULL or raw.SQLITE_IOERR
            or raw.SQLITE_CANTOPEN or raw.SQLITE_READONLY;

    /// <summary>Turns SQLite's result into what the runner understands.</summary>
    /// <exception cref="UnavailableException">The file cannot be written for now.</exception>
    internal static void Check(int result, sqlite3 database)
    {
        if (result is raw.SQLITE_OK or raw.SQLITE_DONE or raw.SQLITE_ROW)
            return;
        string message = raw.sqlite3_errmsg(database).utf8_to_string();
        throw IsPassing(result)
            ? new UnavailableException($"sqlite: {message}")
            : IsRefusal(result) ? new SqliteRefusalException(message)
            : new InvalidOperationException($"sqlite: {message} (code {result})");
    }

    // What a row's own values cause: a constraint or a trigger of the file's, or a value that is too large.
    private static bool IsRefusal(int result) =>
        (result & 0xFF) is raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_TOOBIG;
}
