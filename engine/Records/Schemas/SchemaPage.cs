using System.Globalization;
using System.Text;

namespace Streams.Records.Schemas;

/// <summary>Writes the page of docs/schemas that says what a record's fields are.</summary>
public static class SchemaPage
{
    /// <summary>The page in Markdown, the same for the same schema on every machine.</summary>
    public static string Write(RecordSchema schema)
    {
        var text = new StringBuilder();
        text.Append("# ").Append(schema.Name).Append("\n\n");
        text.Append(schema.Doc).Append("\n\n");
        text.Append(CultureInfo.InvariantCulture, $"Version {schema.Version}. ")
            .Append("Written from the record's description: edit that, not this page.\n\n");
        WriteFields(text, schema);
        foreach (RecordSchema inner in schema.Tree())
        {
            if (inner == schema)
                continue;
            text.Append("\n## ").Append(inner.Name).Append("\n\n").Append(inner.Doc).Append("\n\n");
            WriteFields(text, inner);
        }
        foreach (EnumSchema names in schema.Enums())
            WriteEnum(text, names);
        return text.ToString();
    }

    private static void WriteFields(StringBuilder text, RecordSchema schema)
    {
        text.Append("| number | name | type | unit | meaning |\n|---:|---|---|---|---|\n");
        foreach (FieldSchema field in schema.Fields)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {field.Number} | `{field.Name}` | {TypeOf(field)} ")
                .Append(CultureInfo.InvariantCulture, $"| {Cell(field.Unit)} | {Cell(field.Doc)} |\n");
        }
        foreach (RetiredField field in schema.Retired)
            text.Append(
                CultureInfo.InvariantCulture, $"| {field.Number} | ~~`{field.Name}`~~ | | | Retired. |\n");
    }

    private static void WriteEnum(StringBuilder text, EnumSchema names)
    {
        text.Append("\n## ").Append(names.Name).Append("\n\n| number | name |\n|---:|---|\n");
        foreach (EnumValue value in names.Values)
            text.Append(CultureInfo.InvariantCulture, $"| {value.Number} | `{value.Name}` |\n");
    }

    private static string TypeOf(FieldSchema field)
    {
        string type = field.Kind switch
        {
            FieldKind.Message => $"[{field.Message!.Name}](#{field.Message.Name})",
            FieldKind.Enum => $"[{field.Enum!.Name}](#{field.Enum.Name.ToLowerInvariant()})",
            _ => SchemaText.KindName(field.Kind),
        };
        return field.Form switch
        {
            FieldForm.Optional => $"{type}, optional",
            FieldForm.Repeated => $"list of {type}",
            _ => type,
        };
    }

    private static string Cell(string text) => text.Replace("|", "\\|");
}
