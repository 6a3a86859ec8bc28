namespace Streams.State;

/// <summary>The memory that the tables of one store may take together.</summary>
/// <remarks>Belongs to the task's thread.</remarks>
/// <param name="store">The store's name; empty for none.</param>
/// <param name="bytesMax">The bound, in bytes.</param>
internal sealed class StateBudget(string store, long bytesMax)
{
    internal StateBudget(StoreOptions options)
        : this(options.Name, options.StateBytesMax)
    {
    }

    /// <summary>A budget without a bound, for what is bounded otherwise.</summary>
    internal static StateBudget Unbounded => new("", long.MaxValue);

    /// <summary>Bytes that are taken.</summary>
    internal long Bytes { get; private set; }

    /// <summary>Takes memory before it is reserved.</summary>
    /// <exception cref="StateLimitException">There is not so much left.</exception>
    internal void Take(long bytes)
    {
        if (Bytes + bytes > bytesMax)
            throw new StateLimitException(store, Bytes, bytesMax);
        Bytes += bytes;
    }

    /// <summary>Gives memory back.</summary>
    internal void Give(long bytes) => Bytes -= bytes;
}
