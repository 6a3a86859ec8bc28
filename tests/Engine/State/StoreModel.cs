using Streams.State;

namespace Streams.Tests.Engine.State;

/// <summary>A changelog kept in a dictionary: what a replay would end with.</summary>
internal sealed class ChangelogModel : IChangelog
{
    /// <summary>The last value of each key.</summary>
    internal SortedDictionary<string, string> Values { get; } = new(StringComparer.Ordinal);

    /// <summary>Entries written since the last reset.</summary>
    internal int Entries { get; set; }

    /// <summary>Every entry, for replays.</summary>
    internal List<(byte[] Key, byte[]? Value)> All { get; } = [];

    public void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        Entries++;
        All.Add((key.ToArray(), hasValue ? value.ToArray() : null));
        if (hasValue)
            Values[Convert.ToHexString(key)] = Convert.ToHexString(value);
        else
            Values.Remove(Convert.ToHexString(key));
    }

    /// <summary>Replays all entries into a store.</summary>
    internal void ReplayInto(StateStore store)
    {
        foreach ((byte[] key, byte[]? value) in All)
            store.Restore(key, value is not null, value);
    }
}

/// <summary>A changelog that nobody keeps.</summary>
internal sealed class NoChangelog : IChangelog
{
    internal static readonly NoChangelog Instance = new();

    public void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
    }
}

/// <summary>Compares stores by what they hold.</summary>
internal static class StoreContents
{
    internal static SortedDictionary<string, string> Of(BytesStore store)
    {
        var contents = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((byte[] key, byte[] value) in store.All())
            contents.Add(Convert.ToHexString(key), Convert.ToHexString(value));
        return contents;
    }
}
