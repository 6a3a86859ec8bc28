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

    /// <summary>The columns that identify a record; a further record of the same key replaces the row.
    /// Without any, rows are only added.</summary>
    public IReadOnlyList<string> Key { get; init; } = [];

    /// <summary>The column that says whether a record's fact holds (<c>append</c>) or ceases to
    /// (<c>retract</c>); a retracted row is deleted. Null where records are only added. The column itself is
    /// not stored.</summary>
    public string? OperationColumn { get; init; }

    /// <summary>Columns that are not stored.</summary>
    public IReadOnlyList<string> Omit { get; init; } = [];

    /// <summary>The lists that become tables of their own, by the field names that lead to them, joined by
    /// '_'.</summary>
    public IReadOnlyList<ChildMapping> Children { get; init; } = [];

    /// <summary>Columns to find rows by.</summary>
    public IReadOnlyList<TableIndex> Indexes { get; init; } = [];

    /// <summary>Columns beside those that the record's fields become by themselves: a field under another
    /// name, or in another form. The key may name them. A sink without such forms is not given
    /// any.</summary>
    public IReadOnlyList<ColumnMapping> Columns { get; init; } = [];

    /// <summary>The column that says when: a target that divides its tables by time divides this one by it.
    /// Belongs to the key where there is one. Null for a table that is not divided.</summary>
    public string? Time { get; init; }

    /// <summary>The column that the table can be divided by where somebody asks for it, though its key does
    /// not hold it: every record of a key says the same there. The key then holds it too. Null where there is
    /// no such column.</summary>
    public string? TimeOnRequest { get; init; }

    /// <summary>Columns whose values must stand in another table.</summary>
    public IReadOnlyList<TableReference> References { get; init; } = [];
}

/// <summary>A column that shows a field under another name or in another form.</summary>
/// <param name="Name">The column's name.</param>
/// <param name="Field">The field, by the field names that lead to it, joined by '_'; for
/// <see cref="ColumnForm.First"/> the list and the field of its items, with a '.' between.</param>
/// <param name="Form">How it is shown.</param>
public sealed record ColumnMapping(string Name, string Field, ColumnForm Form = ColumnForm.Same)
{
    /// <summary>Digits behind the point, for <see cref="ColumnForm.Scaled"/>.</summary>
    public int Scale { get; init; }

    /// <summary>What to write for each name of an enumeration, for <see cref="ColumnForm.Named"/>; a name
    /// that is not here is written as it is.</summary>
    public IReadOnlyDictionary<string, string> Names { get; init; } =
        new Dictionary<string, string>();
}

/// <summary>In which form a column shows a field.</summary>
public enum ColumnForm
{
    /// <summary>As it is.</summary>
    Same,

    /// <summary>Nanoseconds since 1970 as the target's instant, rounded down to what it can hold.</summary>
    Instant,

    /// <summary>An identifier as a UUID: the first 16 bytes of 32, or of the SHA-256 of a text, with the
    /// version (8) and the variant set.</summary>
    /// <remarks>Source: RFC 9562, section 5.8.</remarks>
    Uuid,

    /// <summary>A whole number of the smallest unit as a decimal number of the unit, exactly.</summary>
    Scaled,

    /// <summary>The name of an enumeration's value in other words.</summary>
    Named,

    /// <summary>The first value that an item of a list has; none where no item has one.</summary>
    First,
}

/// <summary>A reference to another table.</summary>
/// <param name="Column">The column.</param>
/// <param name="Table">The table where its values must stand.</param>
/// <param name="TableColumn">The column there.</param>
public sealed record TableReference(string Column, string Table, string TableColumn);

/// <summary>A list of a record as a table: the record's key, the item's position, the item's
/// columns.</summary>
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
