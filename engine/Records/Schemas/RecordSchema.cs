namespace Streams.Records.Schemas;

/// <summary>
/// A record's description as data: what codecs and tables are made of, and what documents show.
/// </summary>
/// <param name="Name">snake_case.</param>
/// <param name="Version">From 1.</param>
/// <param name="Doc">One sentence.</param>
/// <param name="Fields">In ascending order of number.</param>
/// <param name="Retired">Numbers and names that fields once had, in ascending order of number.</param>
public sealed record RecordSchema(
    string Name,
    int Version,
    string Doc,
    IReadOnlyList<FieldSchema> Fields,
    IReadOnlyList<RetiredField> Retired)
{
    /// <summary>The schema of a record type.</summary>
    /// <exception cref="ArgumentException">The description breaks a rule;
    /// the message names record and field.</exception>
    public static RecordSchema Of<T>()
        where T : IDescribed<T>, new()
    {
        RecordSchema schema = SchemaBuilder.Build<T>();
        SchemaRules.CheckTree(schema);
        return schema;
    }

    /// <summary>This schema and those inside it, each once, in order of first appearance.</summary>
    public IReadOnlyList<RecordSchema> Tree()
    {
        var found = new List<RecordSchema> { this };
        for (int i = 0; i < found.Count; i++)
        {
            foreach (FieldSchema field in found[i].Fields)
            {
                if (field.Message is { } inner && !found.Exists(schema => schema.Name == inner.Name))
                    found.Add(inner);
            }
        }
        return found;
    }

    /// <summary>
    /// The enumerations of this schema and those inside it, each once, in order of first appearance.
    /// </summary>
    public IReadOnlyList<EnumSchema> Enums()
    {
        var found = new List<EnumSchema>();
        foreach (RecordSchema schema in Tree())
        {
            foreach (FieldSchema field in schema.Fields)
            {
                if (field.Enum is { } names && !found.Exists(schema => schema.Name == names.Name))
                    found.Add(names);
            }
        }
        return found;
    }
}

/// <summary>Whether a field has a value always, perhaps, or many times.</summary>
public enum FieldForm
{
    /// <summary>Always one value; zero or empty where none was written.</summary>
    Always,

    /// <summary>One value or none.</summary>
    Optional,

    /// <summary>A list of values.</summary>
    Repeated,
}

/// <summary>One field of a record.</summary>
public sealed record FieldSchema
{
    /// <summary>Identifies the field on the Protobuf wire, for ever.</summary>
    public required int Number { get; init; }

    /// <summary>snake_case, or camelCase where somebody else named it; identifies the field in JSON, and in
    /// tables in snake_case.</summary>
    public required string Name { get; init; }

    /// <summary>What sort of value it holds.</summary>
    public required FieldKind Kind { get; init; }

    /// <summary>How many values it holds.</summary>
    public required FieldForm Form { get; init; }

    /// <summary>What the value counts; empty when it counts nothing.</summary>
    public required string Unit { get; init; }

    /// <summary>What the value means, one sentence.</summary>
    public required string Doc { get; init; }

    /// <summary>The inner record, where the kind is <see cref="FieldKind.Message"/>.</summary>
    public RecordSchema? Message { get; init; }

    /// <summary>The names, where the kind is <see cref="FieldKind.Enum"/>.</summary>
    public EnumSchema? Enum { get; init; }
}

/// <summary>A number and a name that no field may have again.</summary>
/// <param name="Number">The number.</param>
/// <param name="Name">The name.</param>
public sealed record RetiredField(int Number, string Name);
