using System.Text.Json;
using Streams.Records;
using Streams.Records.Schemas;

namespace Streams.Tests.Engine.Records;

/// <summary>
/// The JSON that a record is to be written as, from the fields that a test names: those that always have a
/// value are filled in, by the schema.
/// </summary>
internal static class WholeJson
{
    /// <summary>The whole of a record.</summary>
    /// <param name="fields">A JSON object with the fields that matter; other names stay at the end.</param>
    public static string Of<T>(string fields)
        where T : IDescribed<T>, new()
    {
        using var document = JsonDocument.Parse(fields);
        return Whole(RecordSchema.Of<T>(), document.RootElement);
    }

    private static string Whole(RecordSchema schema, JsonElement given)
    {
        var parts = new List<string>();
        foreach (FieldSchema field in schema.Fields)
        {
            if (given.TryGetProperty(field.Name, out JsonElement value))
                parts.Add($"\"{field.Name}\":{Value(field, value)}");
            else if (field.Form != FieldForm.Optional)
                parts.Add($"\"{field.Name}\":{Default(field)}");
        }
        foreach (JsonProperty other in given.EnumerateObject())
        {
            if (!schema.Fields.Any(field => field.Name == other.Name))
                parts.Add($"\"{other.Name}\":{other.Value.GetRawText()}");
        }
        return $"{{{string.Join(',', parts)}}}";
    }

    private static string Value(FieldSchema field, JsonElement value)
    {
        if (field.Message is null)
            return value.GetRawText();
        if (field.Form != FieldForm.Repeated)
            return Whole(field.Message, value);
        return $"[{string.Join(',', value.EnumerateArray().Select(item => Whole(field.Message, item)))}]";
    }

    private static string Default(FieldSchema field) => (field.Form, field.Kind) switch
    {
        (FieldForm.Repeated, _) => "[]",
        (_, FieldKind.Bool) => "false",
        (_, FieldKind.Enum) => $"\"{field.Enum!.Values.Single(value => value.Number == 0).Name}\"",
        (_, FieldKind.Text or FieldKind.Bytes) => "\"\"",
        (_, FieldKind.Bytes32) => $"\"{new string('0', Bytes32.HexLength)}\"",
        (_, FieldKind.UInt256) => "\"0\"",
        _ => "0",
    };
}
