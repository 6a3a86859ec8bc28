using System.Security.Cryptography;
using Streams.Buffers;
using Streams.Connectors.Bitcoin;
using Streams.Connectors.Bitcoin.Simulation;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin.Simulation;

/// <summary>The blocks that the simulator delivers.</summary>
public sealed class SimulatedBlockTests
{
    private static readonly SimulationOptions Small = new()
    {
        TransactionsPerBlock = 40,
        BlocksMax = 400,
        InjectionsPerMillion = 2_000,
        CorruptBlocksPerThousand = 100,
        DuplicateBlocksPerThousand = 100,
    };

    [Theory]
    [InlineData(1, 40, 10)]
    [InlineData(2, 5, 40)]
    [InlineData(3, 400, 1)]
    [InlineData(4, 2_000, 10)]
    public void Every_block_is_valid_and_follows_the_one_before(
        long seed, int transactionsPerBlock, int intervalMinutes)
    {
        SimulationOptions options = Small with
        {
            Seed = seed,
            TransactionsPerBlock = transactionsPerBlock,
            BlockInterval = TimeSpan.FromMinutes(intervalMinutes),
            BlocksMax = 250,
            CorruptBlocksPerThousand = 0,
            DuplicateBlocksPerThousand = 0,
        };
        var index = new BitcoinBlockIndex();
        BitcoinHash tip = default;
        uint time = 0;
        int height = 0;
        using var simulator = new BlockSimulator(options);
        while (simulator.TryNext(out SimulatedDelivery delivery))
        {
            ParseResult<BitcoinDefect> result = Reader().ReadWhole(
                delivery.Bytes, index, out BitcoinBlock block);
            Assert.True(result.IsDone, $"block {delivery.Height}: {result}");
            Assert.Equal(tip, index.Header.PreviousHash);
            Assert.Equal(height, index.Height);
            Assert.Equal(height++, delivery.Height);
            Assert.Equal(delivery.Hash, index.Hash);
            Assert.True(index.Header.TimeSeconds > time);
            Assert.Contains(block.Count, Range(options, delivery.Height));
            tip = index.Hash;
            time = index.Header.TimeSeconds;
        }
        Assert.Equal(250, height);
    }

    [Fact]
    public void The_same_options_give_the_same_bytes_and_another_seed_gives_others()
    {
        string first = DigestOf(Small);
        Assert.Equal(first, DigestOf(Small));
        Assert.NotEqual(first, DigestOf(Small with { Seed = 2 }));
        Assert.NotEqual(first, DigestOf(Small with { InjectionsPerMillion = 1_000 }));
    }

    [Fact]
    public void What_happens_to_blocks_on_the_way_does_not_change_the_chain()
    {
        List<BitcoinHash> undisturbed = Chain(
            Small with { CorruptBlocksPerThousand = 0, DuplicateBlocksPerThousand = 0 });
        Assert.Equal(undisturbed, Chain(Small));
        Assert.Equal(undisturbed,
            Chain(Small with { CorruptBlocksPerThousand = 1000, DuplicateBlocksPerThousand = 1000 }));
    }

    [Fact]
    public void A_damaged_block_is_refused_and_the_good_copy_follows()
    {
        var index = new BitcoinBlockIndex();
        int[] kinds = new int[4];
        SimulatedDeliveryKind before = SimulatedDeliveryKind.Block;
        using var simulator = new BlockSimulator(Small with { CorruptBlocksPerThousand = 1000 });
        while (simulator.TryNext(out SimulatedDelivery delivery))
        {
            bool isGood = delivery.Kind is SimulatedDeliveryKind.Block or SimulatedDeliveryKind.Duplicate;
            Assert.Equal(isGood, Reader().ReadWhole(delivery.Bytes, index, out _).IsDone);
            if (before is SimulatedDeliveryKind.FlippedBit or SimulatedDeliveryKind.Truncated)
                Assert.Equal(SimulatedDeliveryKind.Block, delivery.Kind);
            before = delivery.Kind;
            kinds[(int)delivery.Kind]++;
        }
        Assert.Equal(400, kinds[(int)SimulatedDeliveryKind.Block]);
        Assert.Equal(
            400, kinds[(int)SimulatedDeliveryKind.FlippedBit] + kinds[(int)SimulatedDeliveryKind.Truncated]);
        Assert.InRange(kinds[(int)SimulatedDeliveryKind.FlippedBit], 150, 250);
    }

    [Fact]
    public void A_block_that_comes_twice_comes_with_the_same_bytes_at_once_or_behind_the_next()
    {
        var digests = new Dictionary<int, string>();
        int late = 0;
        int repeated = 0;
        using var simulator = new BlockSimulator(Small with { DuplicateBlocksPerThousand = 500 });
        while (simulator.TryNext(out SimulatedDelivery delivery))
        {
            string digest = Convert.ToHexString(SHA256.HashData(delivery.Bytes));
            if (delivery.Kind == SimulatedDeliveryKind.Block)
                digests.Add(delivery.Height, digest);
            if (delivery.Kind != SimulatedDeliveryKind.Duplicate)
                continue;
            Assert.Equal(digests[delivery.Height], digest);
            repeated++;
            late += delivery.Height < simulator.Height ? 1 : 0;
        }
        Assert.InRange(repeated, 100, 250);
        Assert.InRange(late, repeated / 4, repeated * 3 / 4);
    }

    [Fact]
    public void Next_to_nothing_is_allocated_in_the_steady_state()
    {
        SimulationOptions options = new SimulationOptions { TransactionsPerBlock = 100 }.WithoutInjections();
        using var simulator = new BlockSimulator(options);
        while (simulator.Height < 600)
            simulator.TryNext(out _);
        long before = GC.GetAllocatedBytesForCurrentThread();
        while (simulator.Height < 800)
            simulator.TryNext(out _);
        long perBlock = (GC.GetAllocatedBytesForCurrentThread() - before) / 200;
        // The template of the block; and now and then a queue that grows. Less than ten bytes per
        // transaction.
        Assert.InRange(perBlock, 0, 1000);
    }

    private static BitcoinBlockReader Reader() =>
        new(new BitcoinReaderOptions { Network = BitcoinNetwork.Regtest });

    // A coinbase alone at first; then payouts; then about as many as were asked for, or as fit.
    private static IEnumerable<int> Range(SimulationOptions options, int height) =>
        height < SimulationOptions.RunUpBlocks ? [1]
            : Enumerable.Range(2, options.TransactionsPerBlock + 1_000);

    private static string DigestOf(SimulationOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var simulator = new BlockSimulator(options);
        while (simulator.TryNext(out SimulatedDelivery delivery))
            hash.AppendData(delivery.Bytes);
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static List<BitcoinHash> Chain(SimulationOptions options)
    {
        var hashes = new List<BitcoinHash>();
        using var simulator = new BlockSimulator(options);
        while (simulator.TryNext(out SimulatedDelivery delivery))
        {
            if (delivery.Kind == SimulatedDeliveryKind.Block)
                hashes.Add(delivery.Hash);
        }
        return hashes;
    }
}
