using Microsoft.Data.Sqlite;

namespace Streams.Tests.Integration;

/// <summary>Keeps a SQLite file locked, as another process would.</summary>
internal sealed class SqliteLock : IDisposable
{
    private readonly SqliteConnection _connection;

    private SqliteLock(SqliteConnection connection) => _connection = connection;

    internal static SqliteLock Take(string path)
    {
        var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "BEGIN EXCLUSIVE";
        command.ExecuteNonQuery();
        return new SqliteLock(connection);
    }

    public void Dispose() => _connection.Dispose();
}
