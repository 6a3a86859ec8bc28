namespace Streams.Connectors.Bitcoin;

/// <summary>What a miner decides about a block besides its transactions.</summary>
public sealed record BitcoinBlockTemplate
{
    /// <summary>The version; by default the one that votes for nothing. Source: BIP9.</summary>
    public int Version { get; init; } = 0x2000_0000;

    /// <summary>The hash of the block before.</summary>
    public required BitcoinHash PreviousHash { get; init; }

    /// <summary>Unix seconds.</summary>
    public required uint TimeSeconds { get; init; }

    /// <summary>The target; by default regtest's, which every second hash meets.</summary>
    public uint Bits { get; init; } = BitcoinNetwork.Regtest.EasiestBits;

    /// <summary>The height, which the coinbase begins with. Source: BIP34.</summary>
    public required int Height { get; init; }

    /// <summary>What the coinbase pays itself in satoshi: subsidy and fees.</summary>
    public required long CoinbaseSatoshi { get; init; }

    /// <summary>The script that the coinbase pays to.</summary>
    public required ReadOnlyMemory<byte> CoinbaseScript { get; init; }

    /// <summary>Tells coinbases apart that are otherwise equal.</summary>
    public ulong ExtraNonce { get; init; }

    /// <summary>Whether the coinbase commits to the witnesses, if any. Source: BIP141.</summary>
    public bool CommitsToWitnesses { get; init; } = true;
}
