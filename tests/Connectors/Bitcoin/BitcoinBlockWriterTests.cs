using Streams.Buffers;
using Streams.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class BitcoinBlockWriterTests
{
    private static readonly BitcoinBlockTemplate Template = new()
    {
        PreviousHash = BitcoinHashTests.Parse(new string('7', 64)),
        TimeSeconds = 1_700_000_000,
        Height = 840_000,
        CoinbaseSatoshi = 312_500_000,
        CoinbaseScript = BitcoinData.Hex("0014751e76e8199196d454941c45d1b3a323f1433bd6"),
    };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(32_767)]
    [InlineData(32_768)]
    [InlineData(8_388_608)]
    [InlineData(int.MaxValue)]
    public void A_mined_block_is_valid_and_says_its_height(int height)
    {
        using var writer = new BitcoinBlockWriter();
        using var destination = new PooledBuffer();
        writer.Start();
        writer.AddTransaction(Transaction(witness: true));
        writer.AddTransaction(Transaction(witness: false));
        BitcoinHash hash = writer.FinishWithCoinbase(Template with { Height = height }, destination);
        BitcoinBlock block = BitcoinData.Read(destination.WrittenSpan.ToArray(), BitcoinData.Regtest);
        Assert.Equal(hash, block.Index.Hash);
        Assert.Equal(height, block.Index.Height);
        Assert.Equal(3, block.Count);
        Assert.Equal(Template.PreviousHash, block.Index.Header.PreviousHash);
        Assert.Equal(Template.TimeSeconds, block.Index.Header.TimeSeconds);
        foreach (BitcoinOutput output in block[0].Outputs)
        {
            Assert.Equal(Template.CoinbaseSatoshi, output.Satoshi);
            Assert.Equal(Template.CoinbaseScript.ToArray(), output.Script.ToArray());
            break;
        }
    }

    [Fact]
    public void Coinbases_that_differ_only_in_the_extra_nonce_have_different_ids()
    {
        Assert.NotEqual(Block(Template), Block(Template with { ExtraNonce = 1 }));
        Assert.Equal(Block(Template), Block(Template));
    }

    [Fact]
    public void A_block_of_version_1_says_no_height() =>
        Assert.Null(BitcoinData.Read(Block(Template with { Version = 1 }), BitcoinData.Regtest).Index.Height);

    // The commitment was announced before it bound anybody; then coinbases had no reserved value.
    [Theory]
    [InlineData(481_823, BitcoinDefect.None)]
    [InlineData(481_824, BitcoinDefect.WitnessReservedValue)]
    public void A_commitment_without_witnesses_binds_from_the_networks_height_on(
        int height, BitcoinDefect expected)
    {
        byte[] committed = Block(Template with { Height = height });
        BitcoinBlock block = BitcoinData.Read(committed, BitcoinData.Regtest);
        byte[] stripped = BitcoinDefectTests.StripWitness(block[0]);
        byte[] raw = BitcoinDefectTests.Mine(stripped);
        // Regtest's work with the main network's height.
        var network = BitcoinNetwork.Regtest with { SegwitHeight = BitcoinNetwork.Mainnet.SegwitHeight };
        var reader = new BitcoinBlockReader(new BitcoinReaderOptions { Network = network });
        Assert.Equal(expected, reader.ReadWhole(raw, new BitcoinBlockIndex(), out _).Defect);
    }

    [Fact]
    public void A_target_that_no_nonce_meets_and_bytes_that_are_no_transaction_are_refused()
    {
        using var writer = new BitcoinBlockWriter();
        using var destination = new PooledBuffer();
        writer.Start();
        Assert.Throws<ArgumentException>(() => writer.AddTransaction([1, 2, 3]));
        Assert.Throws<InvalidOperationException>(() => writer.Finish(new BitcoinHeader(), destination));
        Assert.Throws<InvalidOperationException>(
            () => writer.FinishWithCoinbase(Template with { Bits = 0x1700_0001 }, destination));
        Assert.Throws<InvalidOperationException>(
            () => writer.FinishWithCoinbase(Template with { Bits = 0 }, destination));
    }

    [Fact]
    public void Witness_items_must_be_as_many_as_were_announced()
    {
        using var writer = new BitcoinTransactionWriter();
        using var destination = new PooledBuffer();
        writer.Start(2);
        Assert.Throws<InvalidOperationException>(() => writer.AddWitnessItem([1]));
        writer.AddInput(default, 0, [], 0, witnessItems: 1);
        Assert.Throws<InvalidOperationException>(() => writer.AddInput(default, 1, [], 0));
        Assert.Throws<InvalidOperationException>(() => writer.Finish(0, destination));
        writer.AddWitnessItem([1]);
        Assert.Throws<InvalidOperationException>(() => writer.AddWitnessItem([1]));
        writer.Finish(0, destination);
        Assert.True(BitcoinData.ReadTransaction(destination.WrittenSpan.ToArray()).HasWitness);
    }

    [Fact]
    public void Writing_and_mining_allocate_nothing()
    {
        byte[] transaction = Transaction(witness: true);
        using var writer = new BitcoinBlockWriter();
        using var destination = new PooledBuffer(4096);
        Allocation.AssertNone(() =>
        {
            destination.Clear();
            writer.Start();
            writer.AddTransaction(transaction);
            writer.FinishWithCoinbase(Template, destination);
        });
        Assert.True(destination.Length > 0);
    }

    private static byte[] Block(BitcoinBlockTemplate template)
    {
        using var writer = new BitcoinBlockWriter();
        using var destination = new PooledBuffer();
        writer.Start();
        writer.FinishWithCoinbase(template, destination);
        return destination.WrittenSpan.ToArray();
    }

    private static byte[] Transaction(bool witness)
    {
        using var writer = new BitcoinTransactionWriter();
        using var destination = new PooledBuffer();
        writer.Start(2);
        writer.AddInput(BitcoinHashTests.Parse(new string('1', 64)), 0, [0x51], 1, witness ? 2 : 0);
        if (witness)
        {
            writer.AddWitnessItem([]);
            writer.AddWitnessItem([1, 2, 3]);
        }
        writer.AddOutput(witness ? 1 : 2, [0x51]);
        writer.Finish(0, destination);
        return destination.WrittenSpan.ToArray();
    }
}
