using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Streams.Topologies.Configuration;

namespace Streams.Topologies.Documents;

/// <summary>One option as a page shows it.</summary>
/// <param name="Name">As configuration writes it; dots lead into groups.</param>
/// <param name="Type">What a value looks like.</param>
/// <param name="Unit">What a number counts; empty for what is no number.</param>
/// <param name="Default">What holds where nothing is given.</param>
/// <param name="Meaning">The code's own words, Markdown.</param>
internal sealed partial record OptionDocument(
    string Name, string Type, string Unit, string Default, string Meaning)
{
    // What the words of a name or a summary say of a number. Names end in their unit, before Min and Max.
    private static readonly Dictionary<string, string> UnitOfWord = new()
    {
        ["Bytes"] = "bytes",
        ["Ms"] = "milliseconds",
        ["Seconds"] = "seconds",
        ["Blocks"] = "blocks",
        ["Records"] = "records",
        ["Threads"] = "threads",
        ["Tags"] = "tags",
        ["Hops"] = "hops",
        ["Days"] = "days",
        ["Transfers"] = "transfers",
        ["Inputs"] = "inputs",
        ["Outputs"] = "outputs",
        ["Percent"] = "percent",
        ["Ppm"] = "millionths",
        ["Score"] = "score, 0 to 100",
        ["Factor"] = "times",
        ["Satoshi"] = "satoshi",
        ["Seed"] = "seed",
        ["Restarts"] = "restarts",
        ["Calls"] = "calls",
        ["Attempts"] = "attempts",
        ["Retries"] = "attempts",
        ["Connections"] = "connections",
        ["Machines"] = "machines",
        ["Rounds"] = "rounds",
        ["Partitions"] = "partitions",
        ["Replicas"] = "replicas",
        ["Files"] = "files",
    };

    private static readonly string[] UnitsInWords =
        ["base units", "US dollars", "bytes", "percent", "millionths", "milliseconds", "inputs", "outputs"];

    /// <summary>The options of a record, those of its groups among them, in order of declaration.</summary>
    internal static IEnumerable<OptionDocument> Of(Type type, OptionText text, string prefix = "") =>
        Of(Activator.CreateInstance(type)!, text, prefix);

    private static IEnumerable<OptionDocument> Of(object defaults, OptionText text, string prefix)
    {
        foreach (PropertyInfo property in OptionBinder.Properties(defaults.GetType()))
        {
            string name = prefix + OptionBinder.SnakeCase(property.Name);
            if (OptionBinder.IsSection(property.PropertyType))
            {
                object group = property.GetValue(defaults)
                    ?? Activator.CreateInstance(property.PropertyType)!;
                foreach (OptionDocument inner in Of(group, text, $"{name}."))
                    yield return inner;
            }
            else
            {
                string words = text.Of(property);
                yield return new OptionDocument(
                    name, TypeOf(property.PropertyType), UnitOf(property, words),
                    DefaultOf(property, property.GetValue(defaults)), PlainDefault().Replace(words, ""));
            }
        }
    }

    private static string TypeOf(Type type)
    {
        Type target = Nullable.GetUnderlyingType(type) ?? type;
        if (target.IsEnum)
            return string.Join(" \\| ", Enum.GetNames(target).Select(OptionBinder.SnakeCase));
        if (target == typeof(bool))
            return "true \\| false";
        if (target == typeof(TimeSpan))
            return "duration";
        if (target == typeof(string))
            return "text";
        return target == typeof(int) || target == typeof(long) ? "whole number"
            : target == typeof(double) ? "number"
            : "list of texts";
    }

    private static string UnitOf(PropertyInfo property, string words)
    {
        Type target = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (target != typeof(int) && target != typeof(long) && target != typeof(double))
            return "";
        foreach (string unit in UnitsInWords)
        {
            if (words.Contains($"in {unit}", StringComparison.Ordinal))
                return unit;
        }
        string[] inName = [.. OptionBinder.SnakeCase(property.Name).Split('_')
            .Select(word => char.ToUpperInvariant(word[0]) + word[1..])
            .Where(word => word is not ("Min" or "Max"))];
        // TransactionsPerSecond says all of it.
        return inName.Contains("Per")
            ? string.Join(' ', inName).ToLowerInvariant()
            : UnitOfWord.GetValueOrDefault(inName[^1], "");
    }

    private static string DefaultOf(PropertyInfo property, object? value)
    {
        if (property.GetCustomAttribute<RequiredMemberAttribute>() is not null)
            return "required";
        return value is null ? "none" : $"`{OptionBinder.Format(value)}`";
    }

    // The column says it already, unless there is more to say.
    [GeneratedRegex(@" Default [^.;:,()]+(,\d{3})*\.$")]
    private static partial Regex PlainDefault();
}
