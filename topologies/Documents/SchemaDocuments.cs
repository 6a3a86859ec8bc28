using System.Text;
using Streams.Connect;
using Streams.Records.Schemas;

namespace Streams.Topologies.Documents;

/// <summary>The pages and .proto files of docs/schemas: one of each for every record type on the topics of
/// every topology.</summary>
internal static class SchemaDocuments
{
    /// <summary>Every record type, by name.</summary>
    internal static IReadOnlyList<RecordDocument> Records { get; } = FindRecords();

    /// <summary>All files: for each record its page and its .proto file, and the index.</summary>
    internal static IReadOnlyList<GeneratedFile> All() =>
    [
        .. Records.SelectMany(record => new GeneratedFile[]
        {
            new($"{record.Schema.Name}.md", record.Page()),
            new($"{record.Schema.Name}.proto", ProtoFile.Write(record.Schema)),
        }),
        new("README.md", Index()),
    ];

    private static List<RecordDocument> FindRecords()
    {
        var records = new SortedDictionary<string, RecordDocument>(StringComparer.Ordinal);
        foreach (TopologyKind kind in Registry.Topologies)
        {
            BuiltTopology built = kind.Build(Activator.CreateInstance(kind.Options)!);
            foreach (TopicFormat format in built.Formats)
            {
                if (!records.TryGetValue(format.Schema.Name, out RecordDocument? record))
                    records[format.Schema.Name] = record = new RecordDocument(format.Schema);
                record.Topics.Add(format.Topic);
                if (built.Tables.FirstOrDefault(table => table.Topic == format.Topic) is { } mapping)
                    record.Mapping = mapping;
            }
        }
        return [.. records.Values];
    }

    private static string Index()
    {
        var text = new StringBuilder("""
            # Record types

            What the topics hold: one page per record type with every field, and the .proto file to read it
            with in another language. Values are Protobuf; `streams tap` and the `jsonl` sink show them as
            JSON with the same names. [Record descriptions](../record-descriptions.md) says how each type
            looks in both, and what may change.

            Written by `streams schemas --out docs/schemas`: edit the descriptions, not these pages.

            | record | version | topics | table | |
            |---|---:|---|---|---|

            """);
        foreach (RecordDocument record in Records)
        {
            RecordSchema schema = record.Schema;
            text.Append($"| [{schema.Name}]({schema.Name}.md) | {schema.Version} | {record.TopicList} ")
                .Append(record.Mapping is { } mapping ? $"| `{mapping.Table}` " : "| ")
                .Append($"| [.proto]({schema.Name}.proto) |\n");
        }
        text.Append("\n## Views\n\nThe sinks of tables make these too.\n\n")
            .Append("| view | what a row is |\n|---|---|\n");
        foreach (TopologyKind kind in Registry.Topologies)
        {
            foreach (ViewMapping view in kind.Build(Activator.CreateInstance(kind.Options)!).Views)
                text.Append($"| `{view.Name}` | {view.Doc} |\n");
        }
        return text.ToString();
    }
}

/// <summary>A record type, the topics that hold it, and how it becomes rows.</summary>
internal sealed class RecordDocument(RecordSchema schema)
{
    internal RecordSchema Schema { get; } = schema;

    internal SortedSet<string> Topics { get; } = new(StringComparer.Ordinal);

    /// <summary>How it becomes rows; null where it does not.</summary>
    internal TableMapping? Mapping { get; set; }

    internal string TopicList => string.Join(", ", Topics.Select(topic => $"`{topic}`"));

    /// <summary>The page.</summary>
    internal string Page()
    {
        string topics = $"{(Topics.Count == 1 ? "Topic" : "Topics")}: {TopicList}. ";
        if (Mapping is not { } mapping)
            return SchemaPage.Write(Schema, $"{topics}The sinks of tables do not store it.{Encodings}");
        string key = mapping.Key.Count > 0
            ? $", one row per {string.Join(" and ", mapping.Key.Select(column => $"`{column}`"))}"
            : ", one row per record";
        var columns = new TableColumns(Schema, mapping);
        return SchemaPage.Write(
            Schema,
            $"{topics}Table: `{mapping.Table}`{key}; rows of its lists have that key, and the item's "
                + "`position`, before the columns named here. A field without a column is not stored."
                + Encodings,
            new SchemaPageColumn("SQLite column", columns.CellOf));
    }

    private string Encodings =>
        " An *optional* field may be absent, which is not zero; an inner record's fields are there when it "
        + $"is. In other languages: [{Schema.Name}.proto]({Schema.Name}.proto).";
}
