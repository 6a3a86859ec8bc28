using Streams.Buffers;

namespace Streams.State;

/// <summary>
/// Restores records of a changelog a few at a time: a store larger than the processor's caches waits for
/// memory at each of them, and these waits overlap when all are announced before the first is restored.
/// </summary>
internal sealed class RestoreQueue(StateStore store) : IDisposable
{
    private const int RecordsMax = 16;

    private readonly PooledBuffer _bytes = new();
    private readonly Place[] _places = new Place[RecordsMax];
    private int _count;

    /// <summary>Takes a record; earlier ones are restored when there is no room for more.</summary>
    internal void Add(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        if (_count == RecordsMax)
            Apply();
        _places[_count++] = new Place(
            _bytes.Length, key.Length, hasValue ? value.Length : -1, store.Expect(key));
        _bytes.Write(key);
        if (hasValue)
            _bytes.Write(value);
    }

    /// <summary>Restores what was taken, in that order.</summary>
    internal void Apply()
    {
        foreach (ref readonly Place place in _places.AsSpan(0, _count))
            store.ExpectEntry(place.Hash);
        ReadOnlySpan<byte> bytes = _bytes.WrittenSpan;
        foreach (ref readonly Place place in _places.AsSpan(0, _count))
        {
            bool hasValue = place.ValueBytes >= 0;
            store.Restore(
                bytes.Slice(place.Start, place.KeyBytes), hasValue,
                hasValue ? bytes.Slice(place.Start + place.KeyBytes, place.ValueBytes) : default);
        }
        _count = 0;
        _bytes.Clear();
    }

    /// <inheritdoc/>
    public void Dispose() => _bytes.Dispose();

    private readonly record struct Place(int Start, int KeyBytes, int ValueBytes, uint Hash);
}
