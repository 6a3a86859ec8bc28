namespace Streams.Connectors.Bitcoin;

/// <summary>How blocks are read from files.</summary>
public sealed record BitcoinFilesOptions
{
    /// <summary>Which files, with <c>*</c>, <c>?</c> and <c>**</c>: a node's <c>blk*.dat</c>, or files that
    /// hold one raw block each. They are read in the order of their names.</summary>
    public required string Files { get; init; }

    /// <summary>The network: mainnet, testnet3, testnet4, signet or regtest. Default mainnet.</summary>
    public string Network { get; init; } = BitcoinNetwork.Mainnet.Name;

    /// <summary>Whether to wait for further blocks and files at the end. Default false: the source is then
    /// done.</summary>
    public bool Follow { get; init; }

    /// <summary>How often to look for further blocks, when following. Default 1 s.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The deepest reorganisation that is followed, in blocks; a deeper one stops the source.
    /// Default 6.</summary>
    public int FinalityBlocks { get; init; } = 6;

    /// <summary>The largest block, in bytes. Default 4,000,000, which the rules of consensus allow.</summary>
    public int BlockBytesMax { get; init; } = 4_000_000;

    /// <summary>The reader's options that follow from these.</summary>
    /// <exception cref="Connect.ConfigurationException">An option is out of its range.</exception>
    internal BitcoinReaderOptions ReaderOptions()
    {
        if (!BitcoinNetwork.TryFromName(Network, out BitcoinNetwork network))
            throw new Connect.ConfigurationException(
                $"bitcoin-files: '{Network}' is no network. Networks: mainnet, testnet3, testnet4, " +
                    $"signet, regtest.");
        if (FinalityBlocks < 1)
            throw new Connect.ConfigurationException(
                $"bitcoin-files: finality_blocks must be at least 1; it is {FinalityBlocks}.");
        var options = new BitcoinReaderOptions { Network = network, BlockBytesMax = BlockBytesMax };
        try
        {
            options.Validate();
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new Connect.ConfigurationException($"bitcoin-files: block_bytes_max: {e.Message}", e);
        }
        return options;
    }
}
