using System.Text.RegularExpressions;

namespace Streams.Records.Schemas;

/// <summary>
/// What a description has to keep to, so that every codec and every table can be made from it.
/// </summary>
internal static partial class SchemaRules
{
    /// <summary>The highest field number. Source: proto3 language guide, "Assigning Field Numbers".</summary>
    private const int NumberMax = (1 << 29) - 1;

    /// <summary>Numbers that Protocol Buffers keeps for itself. Source: as above.</summary>
    private const int ReservedFirst = 19_000;
    private const int ReservedLast = 19_999;

    /// <summary>PostgreSQL cuts longer identifiers off. Source: PostgreSQL manual, section 4.1.1.</summary>
    private const int NameLengthMax = 63;

    private const int UnitLengthMax = 24;

    private const string NameRule = "the name is not snake_case of at most 63 characters";
    private const string FieldNameRule = "the name is not snake_case or camelCase of at most 63 characters";
    private const string DocRule = "the doc is not one line that ends in a full stop";

    private static readonly string[] MoneyUnits = [Unit.Satoshi, Unit.Wei, Unit.BaseUnits];

    /// <summary>Checks one record, not those inside it.</summary>
    /// <exception cref="ArgumentException">A rule is broken.</exception>
    public static void Check(RecordSchema schema)
    {
        Require(IsName(schema.Name), $"Record '{schema.Name}'", NameRule);
        Require(schema.Version >= 1, $"Record {schema.Name}", "versions count from 1");
        Require(IsSentence(schema.Doc), $"Record {schema.Name}", DocRule);
        int previous = 0;
        foreach (FieldSchema field in schema.Fields)
        {
            string where = Where(schema, field.Number, field.Name);
            CheckNumberAndName(where, field.Number, field.Name);
            Require(field.Number != previous, where, "the number is used twice");
            Require(
                field.Number > previous, where, "numbers must ascend, so that encoders write them in order");
            previous = field.Number;
            Require(IsSentence(field.Doc), where, DocRule);
            Require(IsUnit(field.Unit), where, $"'{field.Unit}' is not a unit (is it the doc?)");
            Require(
                field.Kind != FieldKind.Double || !MoneyUnits.Contains(field.Unit),
                where,
                "money is a whole number of base units, never a double");
        }
        foreach (RetiredField field in schema.Retired)
            CheckNumberAndName(Where(schema, field.Number, field.Name), field.Number, field.Name);
        CheckUnique(schema);
    }

    /// <summary>Checks that a name stands for one thing in a record and all that is inside it.</summary>
    /// <exception cref="ArgumentException">It does not.</exception>
    public static void CheckTree(RecordSchema root)
    {
        var types = new Dictionary<string, string>();
        foreach (RecordSchema schema in root.Tree())
        {
            foreach (FieldSchema field in schema.Fields)
            {
                if (field.Message is not null)
                    Claim(types, root, ProtoNames.Type(field.Message.Name), SchemaText.Write(field.Message));
                if (field.Enum is not null)
                    Claim(types, root, field.Enum.Name, string.Join(' ', field.Enum.Values));
            }
        }
    }

    private static void Claim(
        Dictionary<string, string> types, RecordSchema root, string name, string contents)
    {
        Require(
            name != ProtoNames.Type(root.Name) && (types.TryAdd(name, contents) || types[name] == contents),
            $"Record {root.Name}",
            $"it contains two different types that are called {name}");
    }

    private static void CheckNumberAndName(string where, int number, string name)
    {
        Require(number is >= 1 and <= NumberMax, where, $"the number is not between 1 and {NumberMax}");
        Require(
            number is < ReservedFirst or > ReservedLast,
            where,
            $"numbers {ReservedFirst} to {ReservedLast} are reserved by Protocol Buffers");
        Require(IsFieldName(name), where, FieldNameRule);
    }

    private static void CheckUnique(RecordSchema schema)
    {
        var numbers = new HashSet<int>();
        var names = new HashSet<string>();
        foreach (FieldSchema field in schema.Fields)
        {
            string where = Where(schema, field.Number, field.Name);
            numbers.Add(field.Number);
            Require(names.Add(Sound(field.Name)), where, "another field has that name, but for its form");
        }
        foreach (RetiredField field in schema.Retired)
        {
            string where = Where(schema, field.Number, field.Name);
            Require(numbers.Add(field.Number), where, "the number is in use again");
            Require(names.Add(Sound(field.Name)), where, "the name is in use again");
        }
    }

    private static string Where(RecordSchema schema, int number, string name) =>
        $"Record {schema.Name}, field {number} '{name}'";

    private static bool IsName(string name) => name.Length <= NameLengthMax && SnakeCase().IsMatch(name);

    private static bool IsFieldName(string name) =>
        IsName(name) || (name.Length <= NameLengthMax && CamelCase().IsMatch(name));

    // protoc refuses names that are the same in camelCase, and a table has them in snake_case.
    private static string Sound(string name) =>
        name.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();

    private static bool IsSentence(string doc) =>
        doc.EndsWith('.') && doc.Length > 1 && !doc.AsSpan().ContainsAny('\n', '\r');

    private static bool IsUnit(string unit) =>
        unit.Length <= UnitLengthMax && !unit.EndsWith('.') && !unit.AsSpan().ContainsAny(
            "\r\n\"|") && unit.Trim() == unit;

    private static void Require(bool condition, string where, string rule)
    {
        if (!condition)
            throw new ArgumentException($"{where}: {rule}.");
    }

    [GeneratedRegex("^[a-z][a-z0-9]*(_[a-z0-9]+)*$", RegexOptions.CultureInvariant)]
    private static partial Regex SnakeCase();

    [GeneratedRegex("^[a-z][a-zA-Z0-9]*$", RegexOptions.CultureInvariant)]
    private static partial Regex CamelCase();
}
