namespace Streams.Records.Schemas;

/// <summary>
/// Compares two versions of a record: what a reader of the one would misunderstand in data of the other.
/// </summary>
/// <remarks>
/// Compatible are: new fields, new values of an enumeration, fields that are retired, and other words in
/// docs. All else changes what bytes or names mean that are already in topics, stores and tables.
/// </remarks>
public static class SchemaChanges
{
    /// <summary>
    /// The changes that are not compatible, one sentence each, in the order of the older schema.
    /// </summary>
    /// <param name="older">What data was written with,
    /// such as <see cref="SchemaText.Read"/> of a committed file.</param>
    /// <param name="newer">What it shall be read with.</param>
    public static IReadOnlyList<string> FindIncompatible(RecordSchema older, RecordSchema newer)
    {
        var found = new List<string>();
        CompareRecords(older, newer, older.Name, found);
        bool isOther = SchemaText.Write(older) != SchemaText.Write(newer);
        if (found.Count == 0 && isOther && newer.Version <= older.Version)
            found.Add($"{older.Name}: the description changed, but not its version {older.Version}.");
        return found;
    }

    private static void CompareRecords(
        RecordSchema older, RecordSchema newer, string path, List<string> found)
    {
        if (older.Name != newer.Name)
            found.Add($"{path}: the record is now called {newer.Name}.");
        foreach (FieldSchema field in older.Fields)
        {
            string where = $"{path}.{field.Name}";
            if (newer.Fields.FirstOrDefault(candidate => candidate.Number == field.Number) is { } match)
                CompareFields(field, match, where, found);
            else if (!newer.Retired.Contains(new RetiredField(field.Number, field.Name)))
                found.Add(
                    $"{where}: field {field.Number} is gone; retire it, so that nothing takes its number.");
        }
        foreach (RetiredField retired in older.Retired)
        {
            if (!newer.Retired.Contains(retired))
                found.Add($"{path}.{retired.Name}: field {retired.Number} is no longer listed as retired.");
        }
    }

    private static void CompareFields(FieldSchema older, FieldSchema newer, string where, List<string> found)
    {
        if (older.Name != newer.Name)
            found.Add($"{where}: field {older.Number} is now called {newer.Name}.");
        if (older.Kind != newer.Kind)
            found.Add($"{where}: {Describe(older.Kind)} became {Describe(newer.Kind)}.");
        if (older.Form != newer.Form)
            found.Add($"{where}: what is {Describe(older.Form)} became {Describe(newer.Form)}.");
        if (older.Unit != newer.Unit)
            found.Add($"{where}: the unit '{older.Unit}' became '{newer.Unit}'.");
        if (older.Message is not null && newer.Message is not null)
            CompareRecords(older.Message, newer.Message, where, found);
        if (older.Enum is not null && newer.Enum is not null)
            CompareEnums(older.Enum, newer.Enum, where, found);
    }

    private static void CompareEnums(EnumSchema older, EnumSchema newer, string where, List<string> found)
    {
        foreach (EnumValue value in older.Values)
        {
            EnumValue? match = newer.Values.FirstOrDefault(candidate => candidate.Number == value.Number);
            if (match is null)
                found.Add($"{where}: value {value.Number} ({value.Name}) of {older.Name} is gone.");
            else if (match.Name != value.Name)
                found.Add($"{where}: {older.Name} {value.Number}, {value.Name}, is now {match.Name}.");
        }
    }

    private static string Describe(FieldKind kind) => SchemaText.KindName(kind);

    private static string Describe(FieldForm form) => form switch
    {
        FieldForm.Always => "always there",
        FieldForm.Optional => "optional",
        _ => "a list",
    };
}
