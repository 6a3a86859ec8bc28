using System.Text;

namespace Streams.Records.Schemas;

/// <summary>An enumeration as records show it: a closed list of names and numbers.</summary>
/// <param name="Name">The .NET name.</param>
/// <param name="Values">In ascending order of number, zero among them.</param>
public sealed record EnumSchema(string Name, IReadOnlyList<EnumValue> Values)
{
    /// <summary>What the writers of names leave room for.</summary>
    private const int NameLengthMax = 63;

    /// <summary>The schema of an enumeration.</summary>
    /// <exception cref="ArgumentException">It is not over <see cref="int"/>, has no zero, gives one number
    /// two names, has two names that read the same in snake_case, or one of more than 63
    /// characters.</exception>
    public static EnumSchema Of(Type type)
    {
        if (Enum.GetUnderlyingType(type) != typeof(int))
            throw new ArgumentException($"Enumeration {type.Name} must be over int, as it is on the wire.");
        var values = new List<EnumValue>();
        foreach (object value in Enum.GetValuesAsUnderlyingType(type))
            values.Add(new EnumValue((int)value, SnakeCase(Enum.GetName(type, value)!)));
        values.Sort((left, right) => left.Number.CompareTo(right.Number));
        if (!values.Exists(value => value.Number == 0))
            throw new ArgumentException(
                $"Enumeration {type.Name} has no zero, which is what a missing field reads as.");
        for (int i = 1; i < values.Count; i++)
        {
            if (values[i].Number == values[i - 1].Number)
                throw new ArgumentException($"Enumeration {type.Name} has two names for {values[i].Number}.");
        }
        if (values.Exists(value => value.Name.Length > NameLengthMax))
            throw new ArgumentException(
                $"Enumeration {type.Name} has a name of more than {NameLengthMax} characters.");
        if (values.DistinctBy(value => value.Name).Count() != values.Count)
            throw new ArgumentException(
                $"Enumeration {type.Name} has names that are the same in snake_case.");
        return new EnumSchema(type.Name, values);
    }

    /// <summary>
    /// Turns a .NET name into a record's: <c>InBlock</c> to <c>in_block</c>, <c>TxID</c> to <c>tx_id</c>.
    /// </summary>
    public static string SnakeCase(string name)
    {
        var text = new StringBuilder(name.Length + 8);
        for (int i = 0; i < name.Length; i++)
        {
            bool startsWord = char.IsUpper(name[i]) && i > 0
                && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (startsWord && name[i - 1] != '_')
                text.Append('_');
            text.Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }
}

/// <summary>One value of an enumeration.</summary>
/// <param name="Number">What is on the Protobuf wire.</param>
/// <param name="Name">What is in JSON, snake_case.</param>
public sealed record EnumValue(int Number, string Name);
