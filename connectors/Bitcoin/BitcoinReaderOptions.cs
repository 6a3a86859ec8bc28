namespace Streams.Connectors.Bitcoin;

/// <summary>Which network the readers read, and the bounds of what they wait for.</summary>
public sealed record BitcoinReaderOptions
{
    // Bitcoin Core's MAX_SIZE: no length in any of its serialisations is larger.
    private const int SerialisedBytesMax = 32 * 1024 * 1024;

    private const int SmallestBound = 100;

    /// <summary>The network; the main one by default.</summary>
    public BitcoinNetwork Network { get; init; } = BitcoinNetwork.Mainnet;

    /// <summary>The largest transaction, in bytes; 4,000,000 by default, the weight of a block.</summary>
    public int TransactionBytesMax { get; init; } = BitcoinTransactionRules.BlockWeightMax;

    /// <summary>The largest block, in bytes; 4,000,000 by default, its largest weight.</summary>
    public int BlockBytesMax { get; init; } = BitcoinTransactionRules.BlockWeightMax;

    /// <summary>Refuses what cannot work.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A bound is not from 100 bytes to 32 MiB.</exception>
    public void Validate()
    {
        Require(TransactionBytesMax, nameof(TransactionBytesMax));
        Require(BlockBytesMax, nameof(BlockBytesMax));
    }

    private static void Require(int bytes, string name)
    {
        if (bytes is < SmallestBound or > SerialisedBytesMax)
        {
            string range = $"{name} must be from {SmallestBound} to {SerialisedBytesMax:N0}.";
            throw new ArgumentOutOfRangeException(name, bytes, range);
        }
    }
}
