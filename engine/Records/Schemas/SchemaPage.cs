using System.Globalization;
using System.Text;

namespace Streams.Records.Schemas;

/// <summary>Writes the page of docs/schemas that says what a record's fields are.</summary>
public static class SchemaPage
{
    /// <summary>The page in Markdown, the same for the same schema on every machine.</summary>
    /// <param name="schema">The record.</param>
    /// <param name="note">Further Markdown above the fields.</param>
    /// <param name="column">A further column of every table of fields.</param>
    public static string Write(RecordSchema schema, string note = "", SchemaPageColumn? column = null)
    {
        var text = new StringBuilder();
        text.Append("# ").Append(schema.Name).Append("\n\n");
        text.Append(schema.Doc).Append("\n\n");
        text.Append(CultureInfo.InvariantCulture, $"Version {schema.Version}. ")
            .Append("Written from the record's description: edit that, not this page.\n\n");
        if (note.Length > 0)
            text.Append(note).Append("\n\n");
        WriteFields(text, schema, column);
        foreach (RecordSchema inner in schema.Tree())
        {
            if (inner == schema)
                continue;
            text.Append("\n## ").Append(inner.Name).Append("\n\n").Append(inner.Doc).Append("\n\n");
            WriteFields(text, inner, column);
        }
        foreach (EnumSchema names in schema.Enums())
            WriteEnum(text, names);
        return text.ToString();
    }

    private static void WriteFields(StringBuilder text, RecordSchema schema, SchemaPageColumn? column)
    {
        text.Append("| number | name | type | unit | presence | meaning |")
            .Append(column is null ? "\n" : $" {column.Heading} |\n")
            .Append("|---:|---|---|---|---|---|").Append(column is null ? "\n" : "---|\n");
        foreach (FieldSchema field in schema.Fields)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {field.Number} | `{field.Name}` | {TypeOf(field)} ")
                .Append(CultureInfo.InvariantCulture, $"| {Cell(field.Unit)} | {PresenceOf(field)} ")
                .Append(CultureInfo.InvariantCulture, $"| {Cell(field.Doc)} |")
                .Append(column is null ? "\n" : $" {column.CellOf(schema, field)} |\n");
        }
        foreach (RetiredField field in schema.Retired)
            text.Append(
                    CultureInfo.InvariantCulture, $"| {field.Number} | ~~`{field.Name}`~~ | | | | Retired. |")
                .Append(column is null ? "\n" : " |\n");
    }

    private static void WriteEnum(StringBuilder text, EnumSchema names)
    {
        text.Append("\n## ").Append(names.Name).Append("\n\n| number | name |\n|---:|---|\n");
        foreach (EnumValue value in names.Values)
            text.Append(CultureInfo.InvariantCulture, $"| {value.Number} | `{value.Name}` |\n");
    }

    private static string TypeOf(FieldSchema field) => field.Kind switch
    {
        FieldKind.Message => $"[{field.Message!.Name}](#{field.Message.Name})",
        FieldKind.Enum => $"[{field.Enum!.Name}](#{field.Enum.Name.ToLowerInvariant()})",
        _ => SchemaText.KindName(field.Kind),
    };

    private static string PresenceOf(FieldSchema field) => field.Form switch
    {
        FieldForm.Optional => "optional",
        FieldForm.Repeated => "list",
        _ => "always",
    };

    private static string Cell(string text) => text.Replace("|", "\\|");
}

/// <summary>A column that a page has beside the schema's own.</summary>
/// <param name="Heading">What stands above it.</param>
/// <param name="CellOf">What stands in it, Markdown, for a field of a record.</param>
public sealed record SchemaPageColumn(string Heading, Func<RecordSchema, FieldSchema, string> CellOf);
