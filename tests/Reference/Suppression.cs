namespace Streams.Tests.Reference;

/// <summary>Holds the last change of each key back.</summary>
/// <param name="isFinal">Whether windows come out once, when they close; else each change after a
/// while.</param>
/// <param name="waitMs">How long: for a window, after its end.</param>
/// <param name="recordsMax">Most that are held back; the first comes out early where there are more.</param>
internal sealed class Suppression(bool isFinal, long waitMs, long recordsMax = long.MaxValue)
{
    private readonly Dictionary<(string Key, long StartMs, long EndMs), (long PlaceMs, Change Change)>
        _held = [];
    private long _highestMs = long.MinValue;

    internal Action<Change> Next { get; set; } = _ => { };

    internal int Count => _held.Count;

    internal void Process(Change change)
    {
        _highestMs = Math.Max(_highestMs, change.TimestampMs);
        var key = (change.Key, change.StartMs, change.EndMs);
        long placeMs = _held.TryGetValue(key, out var held) ? held.PlaceMs
            : isFinal ? change.EndMs : change.TimestampMs;
        _held[key] = (placeMs, change);
        while (_held.Count > 0)
        {
            var first = _held.OrderBy(h => h.Value.PlaceMs).ThenBy(h => h.Key.Key, StringComparer.Ordinal)
                .ThenBy(h => h.Key.StartMs).First();
            if (first.Value.PlaceMs > _highestMs - waitMs && _held.Count <= recordsMax)
                return;
            _held.Remove(first.Key);
            if (!isFinal || first.Value.Change.New is not null)
                Next(first.Value.Change);
        }
    }
}
