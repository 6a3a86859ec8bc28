namespace Streams.Tests.Simulation;

/// <summary>How often what happened in simulations: steps, accidents, records of each operator.</summary>
internal sealed class Coverage
{
    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);

    /// <summary>How often something happened.</summary>
    internal long this[string what] => _counts.GetValueOrDefault(what);

    /// <summary>Says that something happened.</summary>
    internal void Count(string what, long times = 1) => _counts[what] = this[what] + times;

    /// <summary>Adds what happened in another.</summary>
    internal void Add(Coverage other)
    {
        foreach ((string what, long times) in other._counts)
            Count(what, times);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join('\n', _counts.Select(c => $"  {c.Value,12:N0} {c.Key}"));
}
