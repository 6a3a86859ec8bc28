using System.Globalization;
using System.Reflection;
using System.Text;
using Streams.Connect;
using Streams.Errors;

namespace Streams.Topologies.Configuration;

/// <summary>Fills option records from configuration: names in snake_case, values as people write
/// them.</summary>
/// <remarks>
/// The option records are the only description of what can be configured: docs/configuration.md is made from
/// them too.
/// </remarks>
internal static class OptionBinder
{
    /// <summary>Fills an option record.</summary>
    /// <param name="type">The record.</param>
    /// <param name="section">The options that were given.</param>
    /// <returns>The record, with its defaults where nothing was given.</returns>
    /// <exception cref="ConfigurationException">A name is not known, a value does not fit, or a required one
    /// is missing.</exception>
    internal static object Bind(Type type, ConfigSection section) =>
        Fill(Activator.CreateInstance(type)!, section);

    private static object Fill(object options, ConfigSection section)
    {
        Type type = options.GetType();
        foreach ((string name, ConfigValue value) in section.Values)
        {
            PropertyInfo property = Property(type, name)
                ?? throw value.Error($"there is no option '{name}' here{Suggestion(name, NamesOf(type))}");
            property.SetValue(options, Convert(property.PropertyType, value, property.GetValue(options)));
        }
        foreach (PropertyInfo property in Properties(type))
        {
            bool required =
                property.GetCustomAttribute<System.Runtime.CompilerServices.RequiredMemberAttribute>(
                ) is not null;
            if (required && property.GetValue(options) is null)
                throw section.Error($"the option '{SnakeCase(property.Name)}' is needed here");
        }
        return options;
    }

    /// <inheritdoc cref="Bind(Type, ConfigSection)"/>
    internal static T Bind<T>(ConfigSection section) => (T)Bind(typeof(T), section);

    /// <summary>The names of a record's options.</summary>
    internal static IEnumerable<string> NamesOf(Type type) => Properties(type).Select(p => SnakeCase(p.Name));

    /// <summary>The properties that can be configured, in order of declaration.</summary>
    internal static IEnumerable<PropertyInfo> Properties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.CanWrite && IsConfigurable(p.PropertyType)).OrderBy(p => p.MetadataToken);

    /// <summary>A name as configuration writes it.</summary>
    internal static string SnakeCase(string name)
    {
        var text = new StringBuilder();
        for (int i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsUpper(name[i]))
                text.Append('_');
            text.Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }

    /// <summary>"; did you mean ...?" where a known name is near.</summary>
    internal static string Suggestion(string name, IEnumerable<string> known)
    {
        List<string> all = [.. known];
        string? nearest = all.OrderBy(k => EditDistance.Between(name, k)).ThenBy(
            k => k, StringComparer.Ordinal).FirstOrDefault();
        return nearest is not null && EditDistance.Between(name, nearest) <= Math.Max(2, name.Length / 3)
            ? $"; did you mean '{nearest}'?"
            : all.Count == 0 ? "" : $". Known: {string.Join(", ", all)}";
    }

    /// <summary>A value as configuration writes it.</summary>
    internal static string Format(object? value) => value switch
    {
        null => "",
        TimeSpan span => Durations.Format(span),
        bool flag => flag ? "true" : "false",
        Enum name => SnakeCase(name.ToString()),
        IEnumerable<string> list => $"[{string.Join(", ", list)}]",
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };

    private static PropertyInfo? Property(Type type, string name) =>
        Properties(type).FirstOrDefault(p => SnakeCase(p.Name) == name);

    private static bool IsConfigurable(Type type) =>
        IsScalar(Nullable.GetUnderlyingType(type) ?? type) || IsList(type) || IsSection(type);

    private static bool IsScalar(Type type) =>
        type.IsEnum || type == typeof(string) || type == typeof(int) || type == typeof(long)
            || type == typeof(bool)
        || type == typeof(double) || type == typeof(TimeSpan);

    private static bool IsList(Type type) => type == typeof(IReadOnlyList<string>);

    /// <summary>Whether a property is a group of options of its own.</summary>
    internal static bool IsSection(Type type) =>
        type.IsClass && type.Name.EndsWith("Options", StringComparison.Ordinal);

    private static object? Convert(Type type, ConfigValue value, object? current)
    {
        Type target = Nullable.GetUnderlyingType(type) ?? type;
        if (IsSection(target))
            return Fill(current ?? Activator.CreateInstance(target)!, value.AsSection());
        if (IsList(target))
            return value.AsList();
        string text = value.AsText();
        if (target == typeof(string))
            return text;
        if (target.IsEnum)
            return EnumOf(target, text, value);
        if (target == typeof(bool))
            return bool.TryParse(text, out bool flag) ? flag
                : throw value.Error($"'{text}' is neither true nor false");
        if (target == typeof(TimeSpan))
            return Durations.TryParse(text, out TimeSpan span)
                ? span
                : throw value.Error($"'{text}' is no duration; write such as 500ms, 10s, 5m, 24h or 7d");
        return NumberOf(target, text, value);
    }

    private static object NumberOf(Type target, string text, ConfigValue value)
    {
        string digits = text.Replace("_", "", StringComparison.Ordinal);
        if (target == typeof(int)
            && int.TryParse(digits, NumberStyles.Integer, CultureInfo.InvariantCulture, out int small))
            return small;
        if (target == typeof(long)
            && long.TryParse(digits, NumberStyles.Integer, CultureInfo.InvariantCulture, out long large))
            return large;
        if (target == typeof(double)
            && double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out double real))
            return real;
        throw value.Error(
            $"'{text}' is no {(target == typeof(double) ? "number" : "whole number in range")}");
    }

    private static object EnumOf(Type target, string text, ConfigValue value)
    {
        foreach (object name in Enum.GetValues(target))
        {
            if (SnakeCase(name.ToString()!) == text)
                return name;
        }
        List<string> names = [.. Enum.GetNames(target).Select(SnakeCase)];
        throw value.Error($"'{text}' is none of {string.Join(", ", names)}{Suggestion(text, names)}");
    }
}
