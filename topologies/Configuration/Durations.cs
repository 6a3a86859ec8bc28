using System.Globalization;

namespace Streams.Topologies.Configuration;

/// <summary>Durations as people write them: a number and a unit.</summary>
internal static class Durations
{
    private static readonly (string Unit, double Milliseconds)[] Units =
        [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    internal static bool TryParse(string text, out TimeSpan span)
    {
        foreach ((string unit, double milliseconds) in Units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(text[..^unit.Length], NumberStyles.Float, CultureInfo.InvariantCulture, out double count)
                && count >= 0 && count * milliseconds < TimeSpan.MaxValue.TotalMilliseconds)
            {
                span = TimeSpan.FromMilliseconds(count * milliseconds);
                return true;
            }
        }
        span = default;
        return false;
    }

    internal static string Format(TimeSpan span)
    {
        foreach ((string unit, double milliseconds) in Units.Reverse())
        {
            double count = span.TotalMilliseconds / milliseconds;
            if (count >= 1 && count == Math.Floor(count))
                return string.Create(CultureInfo.InvariantCulture, $"{count}{unit}");
        }
        return string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds}ms");
    }
}
