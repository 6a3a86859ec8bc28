using Streams.Connect;

namespace Streams.Sinks.Postgres;

/// <summary>What has to be done so that a database's tables are as wanted.</summary>
internal sealed class SchemaPlan(string server)
{
    private readonly List<string> _statements = [];
    private readonly List<string> _alterations = [];
    private readonly List<string> _differences = [];

    /// <summary>Statements that make what is missing, then those that add to tables that are there.</summary>
    internal IEnumerable<string> Statements => _statements.Concat(_alterations);

    /// <summary>Whether something has to be made.</summary>
    internal bool MakesAnything => _statements.Count > 0;

    /// <summary>Takes a statement that makes something.</summary>
    internal void Make(string statement) => _statements.Add(statement);

    /// <summary>Takes a statement that changes a table that is there, without loss.</summary>
    internal void Alter(string statement) => _alterations.Add(statement);

    /// <summary>Takes a difference that no statement makes right.</summary>
    internal void Refuse(string table, string difference) => _differences.Add($"{table}: {difference}");

    /// <summary>Checks that every table that is there can be written, once what is missing is made.</summary>
    /// <param name="withAlterations">Whether additions to tables are about to be made.</param>
    /// <exception cref="ConfigurationException">It cannot: the message says what differs, and what would
    /// help.</exception>
    internal void RequireFitting(bool withAlterations)
    {
        if (_differences.Count > 0)
            throw new ConfigurationException(
                $"postgres: {server} has tables that differ from what is to be written. " +
                $"{string.Join(". ", _differences.Select(d => $"Table {d}"))}. " +
                "Write to another schema, or move the table away.");
        if (_alterations.Count > 0 && !withAlterations)
            throw new ConfigurationException(
                $"postgres: {server} has tables that lack something of what is to be written. " +
                "'streams sql print --apply' does what is needed, or run it yourself: " +
                $"{string.Join("; ", _alterations)};");
    }
}
