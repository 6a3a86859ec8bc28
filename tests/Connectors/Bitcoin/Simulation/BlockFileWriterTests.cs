using Streams.Connectors.Bitcoin;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Connectors.Chain;
using Streams.Records;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin.Simulation;

/// <summary>A simulated chain in a node's files comes out of them as it comes out of the
/// simulation.</summary>
public sealed class BlockFileWriterTests
{
    private static readonly SimulationOptions Options = new()
    {
        TransactionsPerBlock = 30,
        TransactionsPerSecond = 0,
        BlocksMax = 200,
        InjectionsPerMillion = 2_000,
        CorruptBlocksPerThousand = 50,
        DuplicateBlocksPerThousand = 50,
    };

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Files_give_the_same_records_as_the_simulation(bool obfuscated, bool onlyGood)
    {
        using var folder = new TemporaryFolder();
        byte[] key = obfuscated ? [0x1F, 0, 0xA3, 7, 0x5C, 0xEE, 0x90, 0x42] : [];
        const long FileBytesMax = 250_000;
        using (var writer = new BlockFileWriter(folder.Path, BitcoinNetwork.Regtest, key, FileBytesMax))
        using (var simulator = new BlockSimulator(Options))
            writer.WriteChain(simulator, heightMax: 199, onlyGood);

        using var files = new SimulatedFeed();
        files.RunFiles(folder.File("*.dat"));
        using var simulated = new SimulatedFeed();
        simulated.Run(Options);
        Assert.Equal(Sorted(simulated), Sorted(files));
        Assert.Equal(onlyGood, files.DeadLetters().Count == 0);
        Assert.Equal(obfuscated, File.Exists(folder.File("xor.dat")));
        string[] names = [.. Directory.GetFiles(folder.Path, "blk*.dat").Order()];
        Assert.True(names.Length > 2);
        Assert.EndsWith("blk00000.dat", names[0], StringComparison.Ordinal);
        Assert.All(names, n => Assert.InRange(new FileInfo(n).Length, 1, FileBytesMax));
    }

    [Fact]
    public void A_key_of_an_earlier_chain_does_not_stay_behind()
    {
        using var folder = new TemporaryFolder();
        new BlockFileWriter(folder.Path, BitcoinNetwork.Regtest, [1, 2, 3, 4, 5, 6, 7, 8]).Dispose();
        Assert.True(File.Exists(folder.File("xor.dat")));
        new BlockFileWriter(folder.Path, BitcoinNetwork.Regtest).Dispose();
        Assert.False(File.Exists(folder.File("xor.dat")));
    }

    // A block that waits for its good copy comes out later; which records there are is the same.
    private static List<string> Sorted(SimulatedFeed feed) =>
    [
        .. feed.Transactions().Select(b => RecordSerde.Protobuf<ChainTransaction>().Deserialize(b))
            .Select(t => $"{t.BlockHeight:000000} {t.TxIndex:00000} {t.TxId} {t.BlockHash} " +
                $"{t.OutputSumBase} {t.Inputs.Count}")
            .Order(StringComparer.Ordinal),
    ];
}
