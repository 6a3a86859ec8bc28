using Streams.State;

namespace Streams.Tests.Simulation.Operators;

/// <summary>Compares stores of running tasks with what the references hold.</summary>
internal static class StoreComparison
{
    /// <summary>All entries with their times, by key and each by its own.</summary>
    internal static string? Compare<TValue>(
        KeyValueStore<string, TValue> store,
        IReadOnlyDictionary<string, (string Value, long TimestampMs)> state)
    {
        var found = new List<string>();
        foreach ((string key, TValue value) in store.All())
        {
            TValue again = default!;
            bool has = store.TryGet(key, ref again, out long timestampMs);
            found.Add($"{key}={value}@{timestampMs}{(has && Equals(again, value) ? "" : " (not by key)")}");
        }
        return Compare(
            store, found, [.. state.Select(e => $"{e.Key}={e.Value.Value}@{e.Value.TimestampMs}")], true);
    }

    /// <summary>All entries without their times.</summary>
    internal static string? Compare(
        KeyValueStore<string, string> store, IReadOnlyDictionary<string, string> state) => Compare(
        store, [.. store.All().Select(e => $"{e.Key}={e.Value}")],
        [.. state.Select(e => $"{e.Key}={e.Value}")], true);

    /// <summary>Texts of entries, in any order.</summary>
    internal static string? Compare(
        StateStore store, List<string> found, List<string> expected, bool isAll = false)
    {
        found.Sort(StringComparer.Ordinal);
        expected.Sort(StringComparer.Ordinal);
        return expected.SequenceEqual(found) && (!isAll || store.Count == expected.Count) ? null
            : $"store {store.Name} holds [{string.Join(", ", found)}] ({store.Count}), not " +
                $"[{string.Join(", ", expected)}]";
    }

    /// <summary>How many entries there are.</summary>
    internal static string? Compare(StateStore store, int expected) => store.Count == expected ? null
        : $"store {store.Name} holds {store.Count} entries, not {expected}";
}
