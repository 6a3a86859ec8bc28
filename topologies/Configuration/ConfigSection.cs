using Streams.Connect;
using YamlDotNet.RepresentationModel;

namespace Streams.Topologies.Configuration;

/// <summary>A value of the configuration and where it stands.</summary>
internal sealed class ConfigValue(YamlNode node, string where)
{
    private readonly YamlNode _node = node;

    /// <summary>Text that stands at a place.</summary>
    internal ConfigValue(string text, string where)
        : this(new YamlScalarNode(text), where)
    {
    }

    /// <summary>A group as a value.</summary>
    internal static ConfigValue Of(ConfigSection section, string where)
    {
        var mapping = new YamlMappingNode();
        foreach ((string name, ConfigValue value) in section.Values)
            mapping.Children[name] = value._node;
        return new ConfigValue(mapping, where);
    }

    /// <summary>The text, with <c>${NAME}</c> replaced from the environment.</summary>
    /// <exception cref="ConfigurationException">It is no text, or a variable is not set.</exception>
    internal string AsText() => _node is YamlScalarNode scalar
        ? EnvironmentText.Expand(scalar.Value ?? "", this)
        : throw Error("one value is needed here, not a list or a group");

    /// <summary>A list of texts; one text counts as a list of one.</summary>
    internal IReadOnlyList<string> AsList() => _node is YamlSequenceNode sequence
        ? [.. sequence.Children.Select(c => new ConfigValue(c, Place(c)).AsText())]
        : [AsText()];

    /// <summary>The values of a list, whatever they are.</summary>
    internal IReadOnlyList<ConfigValue> AsValues() => _node is YamlSequenceNode sequence
        ? [.. sequence.Children.Select(c => new ConfigValue(c, Place(c)))]
        : throw Error("a list is needed here");

    /// <summary>Whether it is a group.</summary>
    internal bool IsSection => _node is YamlMappingNode;

    /// <summary>A group of options.</summary>
    internal ConfigSection AsSection() => _node is YamlMappingNode mapping
        ? ConfigSection.Of(mapping, where, Place)
        : throw Error("a group of options is needed here");

    /// <summary>The same, and where both are groups, with what the other has beside.</summary>
    internal ConfigValue Over(ConfigValue other)
    {
        if (_node is not YamlMappingNode above || other._node is not YamlMappingNode below)
            return this;
        var merged = new YamlMappingNode();
        foreach ((YamlNode key, YamlNode value) in below.Children)
            merged.Children[key] = value;
        foreach ((YamlNode key, YamlNode value) in above.Children)
            merged.Children[key] = merged.Children.TryGetValue(key, out YamlNode? under)
                ? new ConfigValue(value, where).Over(new ConfigValue(under, where))._node
                : value;
        return new ConfigValue(merged, where);
    }

    /// <summary>An error at this place.</summary>
    internal ConfigurationException Error(string what) => new($"{where}: {what}");

    private string Place(YamlNode child)
    {
        int colon = where.LastIndexOf(':');
        return colon > 0
            && int.TryParse(where.AsSpan(colon + 1), out _) ? $"{where[..colon]}:{child.Start.Line}" : where;
    }
}

/// <summary>A group of options and where it stands.</summary>
internal sealed class ConfigSection(IReadOnlyList<KeyValuePair<string, ConfigValue>> values, string where)
{
    /// <summary>The options, in the order in which they stand.</summary>
    internal IReadOnlyList<KeyValuePair<string, ConfigValue>> Values { get; } = values;

    /// <summary>A group without options.</summary>
    internal static ConfigSection Empty(string where) => new([], where);

    /// <summary>An option; null where it was not given.</summary>
    internal ConfigValue? this[string name] => Values.FirstOrDefault(v => v.Key == name).Value;

    /// <summary>The same without some options.</summary>
    internal ConfigSection Without(params string[] names) =>
        new([.. Values.Where(v => !names.Contains(v.Key))], where);

    /// <summary>The same with one option more, where it was not given.</summary>
    internal ConfigSection WithDefault(string name, string value) =>
        this[name] is not null ? this : new([.. Values, new(name, new ConfigValue(value, where))], where);

    /// <summary>The same with the options of another where they are not given here, group by group.</summary>
    internal ConfigSection Over(ConfigSection other)
    {
        var merged = new List<KeyValuePair<string, ConfigValue>>(
            other.Values.Where(o => this[o.Key] is null));
        foreach ((string name, ConfigValue value) in Values)
            merged.Add(new(name, other[name] is { } below ? value.Over(below) : value));
        return new ConfigSection(merged, where);
    }

    /// <summary>An error at this place.</summary>
    internal ConfigurationException Error(string what) => new($"{where}: {what}");

    /// <summary>Reads a file.</summary>
    /// <exception cref="ConfigurationException">It cannot be read, or is not YAML with options at its
    /// top.</exception>
    internal static ConfigSection ReadFile(string path)
    {
        var yaml = new YamlStream();
        try
        {
            using StreamReader reader = File.OpenText(path);
            yaml.Load(reader);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"The configuration {path} cannot be read: {e.Message}", e);
        }
        catch (YamlDotNet.Core.YamlException e)
        {
            throw new ConfigurationException(
                $"{path}:{e.Start.Line}: this is not YAML: {e.InnerException?.Message ?? e.Message}", e);
        }
        if (yaml.Documents.Count == 0)
            return Empty($"{path}:1");
        return new ConfigValue(yaml.Documents[0].RootNode, $"{path}:1").AsSection();
    }

    internal static ConfigSection Of(YamlMappingNode mapping, string where, Func<YamlNode, string> place)
    {
        var values = new List<KeyValuePair<string, ConfigValue>>();
        foreach ((YamlNode key, YamlNode value) in mapping.Children)
        {
            if (key is not YamlScalarNode { Value: { } name })
                throw new ConfigurationException($"{place(key)}: the name of an option is needed here");
            values.Add(new(name, new ConfigValue(value, place(key))));
        }
        return new ConfigSection(values, where);
    }
}

/// <summary>Variables of the environment in text.</summary>
internal static class EnvironmentText
{
    internal static string Expand(string text, ConfigValue at)
    {
        for (int start = text.IndexOf("${", StringComparison.Ordinal); start >= 0; start = text.IndexOf(
            "${", start, StringComparison.Ordinal))
        {
            int end = text.IndexOf('}', start);
            if (end < 0)
                throw at.Error("'${' is not closed by '}'");
            string name = text[(start + 2)..end];
            string value = Environment.GetEnvironmentVariable(name)
                ?? throw at.Error($"the environment has no variable '{name}'");
            Secrets.Add(name, value);
            text = text[..start] + value + text[(end + 1)..];
            start += value.Length;
        }
        return text;
    }
}
