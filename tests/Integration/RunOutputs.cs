using System.Text;
using Microsoft.Data.Sqlite;

namespace Streams.Tests.Integration;

/// <summary>What a run has written, read without any of the project's own code.</summary>
internal static class RunOutputs
{
    /// <summary>The bytes of each file of a folder, by name.</summary>
    internal static SortedDictionary<string, string> Files(string folder)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in Directory.GetFiles(folder))
            files.Add(Path.GetFileName(path), Encoding.UTF8.GetString(File.ReadAllBytes(path)));
        return files;
    }

    /// <summary>All rows of all tables but the sink's own, ordered, as text.</summary>
    internal static SortedDictionary<string, List<string>> Rows(string path)
    {
        var tables = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        using var connection = new SqliteConnection($"Data Source={path};Mode=ReadOnly;Pooling=False");
        connection.Open();
        foreach (string table in Query(
            connection, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'streams_%'"))
            tables.Add(table, [.. Query(connection, $"SELECT * FROM {table}").Order(StringComparer.Ordinal)]);
        return tables;
    }

    /// <summary>One number of a query.</summary>
    internal static long Number(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Mode=ReadOnly;Pooling=False");
        connection.Open();
        return long.Parse(Query(connection, sql).Single(), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>One text of a query.</summary>
    internal static string Text(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Mode=ReadOnly;Pooling=False");
        connection.Open();
        return Query(connection, sql).Single();
    }

    /// <summary>Runs statements, as the file's owner would.</summary>
    internal static void Execute(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // A test's own statements.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static List<string> Query(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // A test's own statements.
        command.CommandText = sql;
#pragma warning restore CA2100
        using SqliteDataReader reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
            rows.Add(string.Join("|", Enumerable.Range(0, reader.FieldCount).Select(
                i => reader.IsDBNull(i) ? "NULL" : reader.GetString(i))));
        return rows;
    }
}
