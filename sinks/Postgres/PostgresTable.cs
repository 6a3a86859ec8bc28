using Streams.Connect;
using Streams.Records.Relational;

namespace Streams.Sinks.Postgres;

/// <summary>A table as the sink makes it.</summary>
internal sealed record PostgresTable
{
    internal required string Name { get; init; }

    /// <summary>What a row is.</summary>
    internal required string Doc { get; init; }

    /// <summary>Its index in the record's model.</summary>
    internal required int ModelTable { get; init; }

    /// <summary>The columns in the order in which rows are written; of a list's table first the record's
    /// key, then the places of the item.</summary>
    internal required IReadOnlyList<PostgresColumn> Columns { get; init; }

    /// <summary>The columns that the mapping names, in its order.</summary>
    internal List<string> Shown { get; init; } = [];

    /// <summary>How many columns of a list's table stand before those of the item.</summary>
    internal int Leading { get; init; }

    /// <summary>The columns of the primary key; none for a table that rows are only added to.</summary>
    internal required IReadOnlyList<string> Key { get; init; }

    internal IReadOnlyList<TableIndex> Indexes { get; init; } = [];

    internal IReadOnlyList<TableReference> References { get; init; } = [];

    /// <summary>The column by which the table is divided; null where it is not.</summary>
    internal PostgresColumn? Time { get; init; }

    internal PostgresColumn Column(string name) => Columns.First(c => c.Name == name);
}

/// <summary>A column.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type, as the server prints it.</param>
/// <param name="IsNullable">Whether a value may be absent.</param>
/// <param name="Doc">What it means.</param>
/// <param name="Source">Where its values come from; null for the place of an item.</param>
internal sealed record PostgresColumn(
    string Name, string Type, bool IsNullable, string Doc, ColumnSource? Source = null)
{
    /// <summary>The value that rows get which were there before the column was.</summary>
    internal string DefaultOfOldRows => Type switch
    {
        "boolean" => "false",
        "text" => "''",
        "bytea" => "'\\x'",
        "timestamp with time zone" => "'1970-01-01T00:00:00Z'",
        "uuid" => "'00000000-0000-0000-0000-000000000000'",
        _ => "0",
    };
}

/// <summary>A field of the model and the form in which a column shows it.</summary>
/// <param name="Table">The table of the model.</param>
/// <param name="Ordinal">The column there.</param>
/// <param name="Field">What the model says of it.</param>
/// <param name="Form">How it is shown.</param>
/// <param name="Mapping">Further words on the form; null for a column of the record's own.</param>
internal sealed record ColumnSource(
    int Table, int Ordinal, RelationalColumn Field, ColumnForm Form, ColumnMapping? Mapping);
