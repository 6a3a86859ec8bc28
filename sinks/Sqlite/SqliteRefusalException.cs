namespace Streams.Sinks.Sqlite;

/// <summary>SQLite refuses a row for its values, and would refuse it again.</summary>
internal sealed class SqliteRefusalException(string message) : Exception(message);
