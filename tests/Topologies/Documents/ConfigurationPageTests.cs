using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Streams.Tests.Support;
using Streams.Topologies;
using Streams.Topologies.Configuration;
using Streams.Topologies.Documents;
using Streams.Topologies.Hosting;
using Xunit;

namespace Streams.Tests.Topologies.Documents;

/// <summary>docs/configuration.md against the option records that it is made from.</summary>
public sealed partial class ConfigurationPageTests
{
    private const string Command =
        "dotnet run --project topologies -c Release -- options --out docs/configuration.md";

    private static IEnumerable<Type> OptionRecords =>
    [
        typeof(RunOptions), .. Registry.Topologies.Select(kind => kind.Options),
        .. Registry.Sources.Select(kind => kind.Options), .. Registry.Sinks.Select(kind => kind.Options),
    ];

    [Fact]
    public void The_committed_page_is_that_of_the_option_records() =>
        DocumentAssert.IsFresh(
            Path.Combine(SharedData.RepositoryRoot, "docs/configuration.md"), ConfigurationPage.Write(),
            Command);

    [Fact]
    public void Every_name_at_the_top_of_a_configuration_is_on_the_page()
    {
        string page = ConfigurationPage.Write();
        foreach (string name in RunSettingsReader.TopNames)
            Assert.Matches($@"(?m)^(    {name}:|\| `{name}[`.])", page);
    }

    [Fact]
    public void Every_kind_has_its_section_and_every_option_its_row()
    {
        string page = ConfigurationPage.Write();
        IEnumerable<string> names = [.. Registry.Sources.Select(kind => kind.Name),
            .. Registry.Sinks.Select(kind => kind.Name), .. Registry.Topologies.Select(kind => kind.Name)];
        Assert.All(names, name => Assert.Matches($@"(?m)^### {Regex.Escape(name)}(:|$)", page));
        Assert.All(
            All(),
            option => Assert.Matches(
                $@"(?m)^\| `([a-z_.]+\.)?{OptionBinder.SnakeCase(option.Property.Name)}` ", page));
    }

    [Fact]
    public void Every_number_has_a_unit()
    {
        var text = new OptionText();
        IEnumerable<string> without = OptionRecords.SelectMany(type => OptionDocument.Of(type, text))
            .Where(option => option.Type is "whole number" or "number" && option.Unit.Length == 0)
            .Select(option => $"{option.Name}: end its name in its unit, or say 'in UNIT' in its summary");
        Assert.Empty(without);
    }

    [Fact]
    public void A_summary_that_says_a_default_says_the_one_that_the_code_has()
    {
        var text = new OptionText();
        var wrong = new List<string>();
        foreach ((PropertyInfo property, object? value) in All())
        {
            string words = text.Of(property);
            if (words.Contains("Default ", StringComparison.Ordinal) && !Says(words, value))
                wrong.Add(
                    $"{property.DeclaringType!.Name}.{property.Name} is {OptionBinder.Format(value)}: "
                    + words);
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("How many. Default 10,000 (1 %).", 10_000, true)]
    [InlineData("How many. Default 10,001.", 10_000, false)]
    [InlineData("How many. Default 100,000.", 10_000, false)]
    [InlineData("How many.", 10_000, false)]
    [InlineData("How many bytes. Default 64 MiB, as a disk likes it.", 64 << 20, true)]
    [InlineData("How many bytes. Default 64 KiB.", 64 << 20, false)]
    public void A_wrong_default_in_a_summary_is_found(string words, int value, bool isRight) =>
        Assert.Equal(isRight, Says(words, value));

    private static IEnumerable<(PropertyInfo Property, object? Value)> All() =>
        OptionRecords.SelectMany(Options);

    private static IEnumerable<(PropertyInfo Property, object? Value)> Options(Type type)
    {
        object defaults = Activator.CreateInstance(type)!;
        foreach (PropertyInfo property in OptionBinder.Properties(type))
        {
            if (!OptionBinder.IsSection(property.PropertyType))
            {
                yield return (property, property.GetValue(defaults));
                continue;
            }
            foreach ((PropertyInfo, object?) inner in Options(property.PropertyType))
                yield return inner;
        }
    }

    private static bool Says(string words, object? value)
    {
        if (value is null)
            return words.Contains("Default none", StringComparison.Ordinal);
        if (value is TimeSpan zero && zero == TimeSpan.Zero)
            return words.Contains("Default zero", StringComparison.Ordinal);
        if (value is TimeSpan span)
            return DefaultDuration().Match(words) is { Success: true } match
                && Durations.TryParse(
                    match.Groups[1].Value + match.Groups[2].Value.Replace("min", "m"), out TimeSpan said)
                && said == span;
        if (value is int or long or double)
            return DefaultNumber().Match(words) is { Success: true } number
                && Convert.ToDouble(value, CultureInfo.InvariantCulture)
                    == double.Parse(number.Groups[1].Value, CultureInfo.InvariantCulture)
                        * Scale(number.Groups[2].Value);
        string name = value switch
        {
            IReadOnlyList<string> { Count: 0 } => "none",
            IReadOnlyList<string> list => string.Join(", ", list),
            Enum => OptionBinder.Format(value).Replace('_', ' '),
            _ => OptionBinder.Format(value),
        };
        return Regex.IsMatch(words, $@"\bDefault {Regex.Escape(name)}(\W|$)");
    }

    private static double Scale(string unit) => unit switch
    {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => 1,
    };

    [GeneratedRegex(@"\bDefault (\d+) ?(ms|s|min|h|d)\b")]
    private static partial Regex DefaultDuration();

    [GeneratedRegex(@"\bDefault ([\d,]+(?:\.\d+)?)(?: (KiB|MiB|GiB))?")]
    private static partial Regex DefaultNumber();
}
