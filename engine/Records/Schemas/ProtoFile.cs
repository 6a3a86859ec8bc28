using System.Globalization;
using System.Text;

namespace Streams.Records.Schemas;

/// <summary>Writes the .proto file that other languages read a record with.</summary>
/// <remarks>Source: proto3 language guide. Inner records and enumerations are declared inside the outermost
/// one, so that the files of several records share a package.</remarks>
public static class ProtoFile
{
    /// <summary>The text of the file, the same for the same schema on every machine.</summary>
    /// <param name="schema">The outermost record.</param>
    /// <param name="package">The Protobuf package, such as <c>streams.records</c>.</param>
    public static string Write(RecordSchema schema, string package = "streams.records")
    {
        var text = new StringBuilder();
        text.Append("// Written from the record's description, version ").Append(schema.Version)
            .Append(". Edit that, not this file.\n");
        text.Append("syntax = \"proto3\";\n\npackage ").Append(package).Append(";\n\n");
        text.Append("// ").Append(schema.Doc).Append('\n');
        text.Append("message ").Append(ProtoNames.Type(schema.Name)).Append(" {\n");
        WriteFields(text, schema, "  ");
        foreach (RecordSchema inner in schema.Tree())
        {
            if (inner != schema)
                WriteInner(text, inner);
        }
        foreach (EnumSchema names in schema.Enums())
            WriteEnum(text, names);
        text.Append("}\n");
        return text.ToString();
    }

    private static void WriteInner(StringBuilder text, RecordSchema inner)
    {
        text.Append("\n  // ").Append(inner.Doc).Append('\n');
        text.Append("  message ").Append(ProtoNames.Type(inner.Name)).Append(" {\n");
        WriteFields(text, inner, "    ");
        text.Append("  }\n");
    }

    private static void WriteFields(StringBuilder text, RecordSchema schema, string indent)
    {
        foreach (FieldSchema field in schema.Fields)
        {
            text.Append(indent).Append("// ").Append(field.Doc).Append(Notes(field)).Append('\n');
            text.Append(indent).Append(Form(field)).Append(TypeOf(field)).Append(' ').Append(field.Name)
                .Append(CultureInfo.InvariantCulture, $" = {field.Number};\n");
        }
        foreach (RetiredField field in schema.Retired)
            text.Append(indent).Append(CultureInfo.InvariantCulture, $"reserved {field.Number};\n")
                .Append(indent).Append(CultureInfo.InvariantCulture, $"reserved \"{field.Name}\";\n");
    }

    private static void WriteEnum(StringBuilder text, EnumSchema names)
    {
        text.Append("\n  enum ").Append(names.Name).Append(" {\n");
        // proto3 wants the zero first, whatever the order of the others.
        foreach (EnumValue value in names.Values.OrderBy(value => value.Number != 0))
        {
            text.Append("    ").Append(ProtoNames.EnumValue(names, value))
                .Append(CultureInfo.InvariantCulture, $" = {value.Number};\n");
        }
        text.Append("  }\n");
    }

    private static string Notes(FieldSchema field)
    {
        string unit = field.Unit.Length == 0 ? "" : $" Unit: {field.Unit}.";
        return field.Kind switch
        {
            FieldKind.Bytes32 => $"{unit} 32 bytes.",
            FieldKind.UInt256 => $"{unit} Unsigned, big-endian, at most 32 bytes, no leading zeros.",
            _ => unit,
        };
    }

    private static string Form(FieldSchema field) => field.Form switch
    {
        FieldForm.Repeated => "repeated ",
        FieldForm.Optional when field.Kind != FieldKind.Message => "optional ",
        _ => "",
    };

    private static string TypeOf(FieldSchema field) => field.Kind switch
    {
        FieldKind.Bool => "bool",
        FieldKind.Int32 => "int32",
        FieldKind.Int64 => "int64",
        FieldKind.UInt32 => "uint32",
        FieldKind.UInt64 => "uint64",
        FieldKind.Double => "double",
        FieldKind.Enum => field.Enum!.Name,
        FieldKind.Text => "string",
        FieldKind.Message => ProtoNames.Type(field.Message!.Name),
        _ => "bytes",
    };
}

/// <summary>The names of records and enumerations in .proto files.</summary>
internal static class ProtoNames
{
    /// <summary><c>tx_input</c> to <c>TxInput</c>.</summary>
    public static string Type(string recordName) =>
        string.Concat(recordName.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    /// <summary><c>in_block</c> of <c>TxStatus</c> to <c>TX_STATUS_IN_BLOCK</c>: values share the scope of
    /// their enumeration, so the name of that comes first.</summary>
    public static string EnumValue(EnumSchema names, EnumValue value) =>
        $"{EnumSchema.SnakeCase(names.Name)}_{value.Name}".ToUpperInvariant();
}
