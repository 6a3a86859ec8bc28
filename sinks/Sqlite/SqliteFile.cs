using Microsoft.Data.Sqlite;
using Streams.Connect;

namespace Streams.Sinks.Sqlite;

/// <summary>The file's own tables: whose results it holds, how far, and how its tables were made.</summary>
internal sealed class SqliteFile(SqliteConnection connection, SqliteOptions options)
{
    private const int PageBytes = 4096;
    private const int BytesPerKibibyte = 1024;

    /// <summary>Sets the file up, or checks that it belongs to this log.</summary>
    /// <exception cref="ConfigurationException">It holds the results of another data directory.</exception>
    internal void Prepare(string logId)
    {
        Run("PRAGMA journal_mode = WAL");
        Run($"PRAGMA wal_autocheckpoint = {options.CheckpointBytes / PageBytes}");
        // A negative number is in KiB. Source: SQLite, "PRAGMA cache_size".
        Run($"PRAGMA cache_size = -{options.CacheBytesMax / BytesPerKibibyte}");
        // A power cut may take the last commits, offsets included: they are written again from the log.
        Run("PRAGMA synchronous = NORMAL");
        Run("CREATE TABLE IF NOT EXISTS streams_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT " +
            "ROWID");
        Run("CREATE TABLE IF NOT EXISTS streams_tables (name TEXT PRIMARY KEY, ddl TEXT NOT NULL) WITHOUT " +
            "ROWID");
        Run("CREATE TABLE IF NOT EXISTS streams_offsets (topic TEXT, partition_number INTEGER, "
            + "next_offset INTEGER NOT NULL, PRIMARY KEY (topic, partition_number)) WITHOUT ROWID");
        string? owner = Read("SELECT value FROM streams_meta WHERE name = 'log_id'", null);
        if (owner is null)
            Run("INSERT INTO streams_meta (name, value) VALUES ('log_id', $value)", ("$value", logId));
        else if (owner != logId)
            throw new ConfigurationException(
                $"sqlite: {options.File} holds the results of another data directory (log {owner}, " +
                    $"this one is {logId}). Write to another file, or use the data directory that it came " +
                    "from.");
    }

    /// <summary>Sets the offsets to what they are in another log.</summary>
    /// <exception cref="ConfigurationException">The file is of neither log.</exception>
    internal void MoveTo(
        string logId, string fromLogId, IEnumerable<(string Topic, int Partition, long Offset)> positions)
    {
        string? owner = Read("SELECT value FROM streams_meta WHERE name = 'log_id'", null);
        if (owner == logId)
            return;
        if (owner != fromLogId)
            throw new ConfigurationException(
                $"sqlite: {options.File} holds the results of the log {owner}, not of {fromLogId}: the "
                + "copied directory is not the one that wrote there.");
        Run("BEGIN IMMEDIATE");
        foreach ((string topic, int partition, long offset) in positions)
            Run(
                "UPDATE streams_offsets SET next_offset = $offset WHERE topic = $topic "
                + "AND partition_number = $partition", ("$offset", offset), ("$topic", topic),
                ("$partition", partition));
        Run("UPDATE streams_meta SET value = $value WHERE name = 'log_id'", ("$value", logId));
        Run("COMMIT");
    }

    /// <summary>Makes a table, or checks that it is as it would be made now.</summary>
    /// <exception cref="ConfigurationException">It is not: the message shows the first line that
    /// differs.</exception>
    internal void EnsureTable(SqliteTable table, bool indexes)
    {
        string? made = Read("SELECT ddl FROM streams_tables WHERE name = $name", table.Name);
        if (made is null)
        {
            using SqliteTransaction transaction = connection.BeginTransaction();
            Run(table.Ddl);
            foreach (string index in indexes ? table.Indexes : [])
                Run(index);
            Run("INSERT INTO streams_tables (name, ddl) VALUES ($name, $ddl)", ("$name", table.Name),
                ("$ddl", table.Ddl));
            transaction.Commit();
        }
        else if (made != table.Ddl)
        {
            throw new ConfigurationException(
                $"sqlite: the table '{table.Name}' in {options.File} was made with other columns: " +
                    $"{Difference(made, table.Ddl)}. " +
                "Write to another file.");
        }
    }

    /// <summary>Makes a view anew: it holds nothing that could be lost.</summary>
    internal void ReplaceView(ViewMapping view)
    {
        Run($"DROP VIEW IF EXISTS {view.Name}");
        Run($"CREATE VIEW {view.Name} AS {view.Sql}");
    }

    private static string Difference(string made, string wanted)
    {
        string[] before = made.Split('\n');
        string[] now = wanted.Split('\n');
        string? gone = before.Except(now).FirstOrDefault();
        string? added = now.Except(before).FirstOrDefault();
        return $"it has '{gone?.Trim(' ', ',') ?? "nothing"}' where " +
            $"'{added?.Trim(' ', ',') ?? "nothing"}' is wanted";
    }

    private void Run(string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // Statements are made of the names in a topology's mapping, never of input.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach ((string name, object value) in parameters)
            command.Parameters.AddWithValue(name, value);
        command.ExecuteNonQuery();
    }

    private string? Read(string sql, string? name)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // As above.
        command.CommandText = sql;
#pragma warning restore CA2100
        if (name is not null)
            command.Parameters.AddWithValue("$name", name);
        return command.ExecuteScalar() as string;
    }
}
