namespace Streams.Connect;

/// <summary>
/// How the records of a topic become rows: a topology says it once, each sink of tables makes its own of it.
/// </summary>
public sealed record TableMapping
{
    /// <summary>The topic.</summary>
    public required string Topic { get; init; }

    /// <summary>The table's name.</summary>
    public required string Table { get; init; }

    /// <summary>The columns that identify a record; a further record of the same key replaces the row. Without any,
    /// rows are only added.</summary>
    public IReadOnlyList<string> Key { get; init; } = [];

    /// <summary>The column that says whether a record's fact holds (<c>append</c>) or ceases to (<c>retract</c>); a
    /// retracted row is deleted. Null where records are only added. The column itself is not stored.</summary>
    public string? OperationColumn { get; init; }

    /// <summary>Columns that are not stored.</summary>
    public IReadOnlyList<string> Omit { get; init; } = [];

    /// <summary>The lists that become tables of their own, by the field names that lead to them, joined by '_'.</summary>
    public IReadOnlyList<ChildMapping> Children { get; init; } = [];

    /// <summary>Columns to find rows by.</summary>
    public IReadOnlyList<TableIndex> Indexes { get; init; } = [];
}

/// <summary>A list of a record as a table: the record's key, the item's position, the item's columns.</summary>
/// <param name="List">The field names that lead to the list, joined by '_', such as <c>outputs</c>.</param>
/// <param name="Table">The table's name.</param>
public sealed record ChildMapping(string List, string Table)
{
    /// <summary>Columns to find rows by.</summary>
    public IReadOnlyList<TableIndex> Indexes { get; init; } = [];
}

/// <summary>An index.</summary>
/// <param name="Column">The column.</param>
/// <param name="Where">Which rows it holds, as a condition in SQL; null for all.</param>
public sealed record TableIndex(string Column, string? Where = null);

/// <summary>A view: a name, what it shows, and the query.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Doc">What a row is.</param>
/// <param name="Sql">The query, in the sink's own dialect.</param>
public sealed record ViewMapping(string Name, string Doc, string Sql);
