namespace Streams.Dsl;

/// <summary>A table that every task has whole, to look up by any key: for data that is small and that records
/// of all partitions need.</summary>
/// <remarks>Records are joined with what it holds when they are processed: it keeps no time of its
/// own.</remarks>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed class GlobalKTable<TKey, TValue>
{
    internal GlobalKTable(string storeName) => StoreName = storeName;

    /// <summary>The name of its store, which processors can ask for too, to read.</summary>
    public string StoreName { get; }
}
