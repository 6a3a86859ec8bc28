using System.Collections.Frozen;
using Streams.Connect;

namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>What a simulated chain is like, and how fast it is fed. The same options give the same
/// bytes.</summary>
public sealed record SimulationOptions
{
    /// <summary>The longest time between blocks, on average: rules that look at an hour must see two
    /// blocks.</summary>
    public static readonly TimeSpan BlockIntervalMax = TimeSpan.FromMinutes(40);

    /// <summary>Blocks with nothing but a coinbase that a chain begins with: so long it takes until the
    /// exchanges' coins may be spent. After them the exchanges pay out to the wallets, and then traffic
    /// begins.</summary>
    public const int RunUpBlocks = SimulatedActors.ExchangeCount + CoinbaseMaturityBlocks;

    /// <summary>Blocks until a coinbase may be spent. Source: Bitcoin Core,
    /// <c>COINBASE_MATURITY</c>.</summary>
    internal const int CoinbaseMaturityBlocks = 100;

    private const int TransactionsPerBlockMax = 2_000;
    private const int TransactionsPerChainMinuteMax = 400;
    private const int RateMax = 1_000_000;
    private const int ChainDaysOfDemo = 8;
    private const int InjectionsOfDemo = 30;
    private static readonly TimeSpan BlockIntervalMin = TimeSpan.FromMinutes(1);

    /// <summary>Everything random follows from it. Default 1.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Time of the first block. Default 2025-01-01T00:00Z.</summary>
    public DateTimeOffset StartTime { get; init; } = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Time that passes on the chain from block to block, on average; each takes half to one and a
    /// half times as long. Default 10 min; 1 to 40 min. With the other defaults 30 s are eight
    /// days.</summary>
    public TimeSpan BlockInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Transactions in a block, the coinbase aside. Default 250; 5 to 2,000, and at most 400 for
    /// each minute of the chain. The simulator's memory follows it: 300 kB for each per minute of the
    /// chain.</summary>
    public int TransactionsPerBlock { get; init; } = 250;

    /// <summary>How fast blocks are fed, in transactions per second of the clock. Default 10,000; 0 for as
    /// fast as they are taken.</summary>
    public int TransactionsPerSecond { get; init; } = 10_000;

    /// <summary>Ends after this many blocks, <see cref="RunUpBlocks"/> included. Default 0: never.</summary>
    public int BlocksMax { get; init; }

    /// <summary>Ends after this time of the clock. Default zero: never.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>How often each typology is injected, per million transactions. Default 100.</summary>
    public int InjectionsPerMillion { get; init; } = 100;

    /// <summary>Exceptions from <see cref="InjectionsPerMillion"/>. Default: velocity 300, because it takes
    /// six days and most demos end before the later ones are complete.</summary>
    public IReadOnlyDictionary<SimulatedTypology, int> InjectionsPerMillionOf { get; init; } =
        new Dictionary<SimulatedTypology, int> { [SimulatedTypology.Velocity] = 300 }.ToFrozenDictionary();

    /// <summary>Of a thousand blocks, how many arrive damaged first and whole then. Default 5.</summary>
    public int CorruptBlocksPerThousand { get; init; } = 5;

    /// <summary>Of a thousand blocks, how many arrive twice. Default 5.</summary>
    public int DuplicateBlocksPerThousand { get; init; } = 5;

    /// <summary>The reporting limit that structuring stays under: <c>RiskOptions.StructuringLimit</c>, in
    /// satoshi. Default 100,000,000.</summary>
    public long ReportingLimitSatoshi { get; init; } = 100_000_000;

    /// <summary>Ordinary traffic alone: nothing injected, nothing damaged, nothing twice.</summary>
    public SimulationOptions WithoutInjections() => this with
    {
        InjectionsPerMillion = 0,
        InjectionsPerMillionOf = FrozenDictionary<SimulatedTypology, int>.Empty,
        CorruptBlocksPerThousand = 0,
        DuplicateBlocksPerThousand = 0,
    };

    /// <summary>Options of a demonstration: about eight days of the chain, which windows and habits need, and
    /// each typology about thirty times, whatever the length and the rate.</summary>
    /// <param name="duration">How long it runs.</param>
    /// <param name="transactionsPerSecond">Its rate.</param>
    public static SimulationOptions ForDemo(TimeSpan duration, int transactionsPerSecond)
    {
        double transactions = Math.Max(1, duration.TotalSeconds * transactionsPerSecond);
        double blocks = ChainDaysOfDemo * (TimeSpan.FromDays(1) / TimeSpan.FromMinutes(10));
        int perBlock = (int)Math.Clamp(transactions / blocks, 10, TransactionsPerBlockMax);
        double chainMinutes = TimeSpan.FromDays(ChainDaysOfDemo).TotalMinutes / (transactions / perBlock);
        int perMillion = (int)Math.Clamp(InjectionsOfDemo * 1_000_000 / transactions, 1, 2_000);
        return new SimulationOptions
        {
            TransactionsPerBlock = perBlock,
            BlockInterval = TimeSpan.FromMinutes(Math.Clamp(chainMinutes, 10, BlockIntervalMax.TotalMinutes)),
            TransactionsPerSecond = transactionsPerSecond,
            Duration = duration,
            InjectionsPerMillion = perMillion,
            InjectionsPerMillionOf = new Dictionary<SimulatedTypology, int>
            {
                [SimulatedTypology.Velocity] = 3 * perMillion,
            }.ToFrozenDictionary(),
        };
    }

    /// <summary>How often a typology is injected, per million transactions.</summary>
    internal int RateOf(SimulatedTypology typology) =>
        InjectionsPerMillionOf.TryGetValue(typology, out int rate) ? rate : InjectionsPerMillion;

    /// <summary>Refuses what cannot work.</summary>
    /// <exception cref="ConfigurationException">An option is out of its range.</exception>
    internal void Validate()
    {
        Require(BlockInterval >= BlockIntervalMin && BlockInterval <= BlockIntervalMax,
            $"block_interval must be 1 to 40 minutes; it is {BlockInterval}.");
        Require(TransactionsPerBlock is >= 5 and <= TransactionsPerBlockMax,
            $"transactions_per_block must be 5 to {TransactionsPerBlockMax:N0}; it is " +
                $"{TransactionsPerBlock:N0}.");
        Require(TransactionsPerBlock <= TransactionsPerChainMinuteMax * BlockInterval.TotalMinutes,
            $"transactions_per_block must be at most {TransactionsPerChainMinuteMax} for each minute of " +
                $"block_interval.");
        Require(TransactionsPerSecond >= 0,
            $"transactions_per_second is {TransactionsPerSecond}: give 0 or more.");
        Require(BlocksMax >= 0, $"blocks_max is {BlocksMax}: give 0 or more.");
        Require(Duration >= TimeSpan.Zero, $"duration is {Duration}: give 0 or more.");
        Require(StartTime >= DateTimeOffset.UnixEpoch && StartTime.Year < 2100,
            $"start_time must be from 1970 to 2099; it is {StartTime:O}.");
        Require(ReportingLimitSatoshi is >= 1_000_000 and <= 10_000_000_000,
            $"reporting_limit_satoshi must be 0.01 to 100 BTC; it is {ReportingLimitSatoshi:N0}.");
        Require(CorruptBlocksPerThousand is >= 0 and <= 1000,
            $"corrupt_blocks_per_thousand must be 0 to 1000; it is {CorruptBlocksPerThousand}.");
        Require(DuplicateBlocksPerThousand is >= 0 and <= 1000,
            $"duplicate_blocks_per_thousand must be 0 to 1000; it is {DuplicateBlocksPerThousand}.");
        foreach (SimulatedTypology typology in Enum.GetValues<SimulatedTypology>())
        {
            Require(RateOf(typology) is >= 0 and <= RateMax,
                $"injections_per_million of {typology} must be 0 to {RateMax:N0}; it is " +
                    $"{RateOf(typology):N0}.");
        }
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
            throw new ConfigurationException($"{BitcoinSimulatedSource.Kind}: {message}");
    }
}
