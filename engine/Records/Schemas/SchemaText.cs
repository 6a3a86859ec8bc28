using System.Globalization;
using System.Text;

namespace Streams.Records.Schemas;

/// <summary>
/// A schema as lines of text, to be kept beside the code and compared with the next version.
/// </summary>
/// <remarks>
/// <code>
/// record chain_transaction 3 "A transaction."
/// 1 always int64 event_ns "ns" "Event time."
/// 2 optional enum:TxStatus status "" "How settled it is."
/// 3 repeated message:tx_input inputs "" "What it spends."
/// retired 4 old_name
/// record tx_input 1 "An input."
/// ...
/// enum TxStatus
/// 0 mempool
/// </code>
/// The outermost record comes first.
/// </remarks>
public static class SchemaText
{
    /// <summary>Writes a schema with all that is inside it.</summary>
    public static string Write(RecordSchema schema)
    {
        var text = new StringBuilder();
        foreach (RecordSchema record in schema.Tree())
        {
            text.Append(
                CultureInfo.InvariantCulture, $"record {record.Name} {record.Version} {Quote(record.Doc)}\n");
            foreach (FieldSchema field in record.Fields)
                WriteField(text, field);
            foreach (RetiredField field in record.Retired)
                text.Append(CultureInfo.InvariantCulture, $"retired {field.Number} {field.Name}\n");
        }
        foreach (EnumSchema names in schema.Enums())
        {
            text.Append(CultureInfo.InvariantCulture, $"enum {names.Name}\n");
            foreach (EnumValue value in names.Values)
                text.Append(CultureInfo.InvariantCulture, $"{value.Number} {value.Name}\n");
        }
        return text.ToString();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="FormatException">The text is something else; the message names the line.</exception>
    public static RecordSchema Read(string text) => new SchemaTextReader(text).Read();

    private static void WriteField(StringBuilder text, FieldSchema field)
    {
        string kind = field.Kind switch
        {
            FieldKind.Message => $"message:{field.Message!.Name}",
            FieldKind.Enum => $"enum:{field.Enum!.Name}",
            _ => KindName(field.Kind),
        };
        string form = field.Form.ToString().ToLowerInvariant();
        text.Append(CultureInfo.InvariantCulture, $"{field.Number} {form} {kind} {field.Name} ")
            .Append(CultureInfo.InvariantCulture, $"{Quote(field.Unit)} {Quote(field.Doc)}\n");
    }

    /// <summary>The kind in schemas and documents: <c>int64</c>, <c>bytes32</c>.</summary>
    internal static string KindName(FieldKind kind) => kind.ToString().ToLowerInvariant();

    private static string Quote(string text) => $"\"{text.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"";
}
