using Streams.Connect;
using Streams.Connectors.Bitcoin;
using Streams.Connectors.Chain;
using Streams.Errors;
using Streams.Tests.Support;
using Streams.Tests.Topologies.Transactions;
using Streams.Topologies.Transactions;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

/// <summary>Files as they should not be: what is wrong becomes a dead letter, and the rest goes on (CSIC-114,
/// 115).</summary>
public sealed class BitcoinFilesSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_flipped_bit_anywhere_in_a_raw_block_is_refused_with_the_bytes()
    {
        byte[] block = BitcoinData.Bytes(BitcoinData.Block413567);
        var random = new Random(3);
        for (int i = 0; i < 5; i++)
        {
            byte[] damaged = [.. block];
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(_folder.File($"{i}.raw"), damaged);
        }
        File.WriteAllBytes(_folder.File("9.raw"), block);
        using TransactionsRun run = Drain("*.raw");
        List<DeadLetter> letters = run.Read<DeadLetter>(TransactionsTopology.DeadLetters);
        Assert.Equal(5, letters.Count);
        Assert.All(letters, l => Assert.Equal(block.Length, l.Value!.Value.Length));
        Assert.Equal(1557, run.Read<ChainTransaction>(TransactionsTopology.Enriched).Count);
        Assert.Equal(5, run.Counts.Own["blocks_refused"]);
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("short")]
    [InlineData("truncated")]
    [InlineData("trailing")]
    [InlineData("zeros")]
    [InlineData("absurd-count")]
    public void A_file_that_is_no_block_does_not_stop_the_others(string what)
    {
        byte[] block = BitcoinData.Bytes(BitcoinData.Block413567);
        byte[] absurd = [.. block[..80], 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
        File.WriteAllBytes(_folder.File("1.raw"), what switch
        {
            "empty" => [],
            "short" => block[..40],
            "truncated" => block[..^10],
            "trailing" => [.. block, 0],
            "zeros" => new byte[5000],
            _ => absurd,
        });
        File.WriteAllBytes(_folder.File("2.raw"), block);
        using TransactionsRun run = Drain("*.raw");
        Assert.Equal(what == "empty" ? 0 : 1, run.Read<DeadLetter>(TransactionsTopology.DeadLetters).Count);
        Assert.Equal(what == "empty" ? 1 : 0, run.Counts.Skipped);
        Assert.Equal(1557, run.Read<ChainTransaction>(TransactionsTopology.Enriched).Count);
    }

    [Fact]
    public void A_block_that_is_cut_by_the_end_of_the_read_ahead_buffer_is_read_whole()
    {
        byte[] block = BitcoinData.Bytes(BitcoinData.Block413567);
        byte[] frame = [0xF9, 0xBE, 0xB4, 0xD9, .. BitConverter.GetBytes(block.Length), .. block];
        // Past the buffer of 4 MiB several times, each time at another place of the block.
        File.WriteAllBytes(
            _folder.File("blk00000.dat"), [.. Enumerable.Repeat(frame, 20).SelectMany(b => b)]);
        using TransactionsRun run = Drain("blk*.dat");
        Assert.Equal(1557, run.Read<ChainTransaction>(TransactionsTopology.Enriched).Count);
        Assert.Empty(run.Read<DeadLetter>(TransactionsTopology.DeadLetters));
        Assert.Equal(20L * frame.Length, run.Counts.Bytes);
    }

    [Fact]
    public void Damage_in_a_nodes_file_costs_the_blocks_that_it_hits()
    {
        byte[] file = BitcoinData.Bzip2("blocks/btcd_blocks1-256.bz2");
        // In the middle of a block's transactions, and in the length of another one's frame.
        file[20_000] ^= 0xFF;
        int frame = NextFrame(file, 30_000);
        file[frame + 4] ^= 0x10;
        File.WriteAllBytes(_folder.File("blk00000.dat"), [.. new byte[1000], .. file, .. new byte[5000]]);
        using TransactionsRun run = Drain("blk*.dat");
        Assert.Equal(253, run.Counts.Own["blocks"]);
        Assert.NotEmpty(run.Read<DeadLetter>(TransactionsTopology.DeadLetters));
        Assert.Equal(file.Length + 6000, run.Counts.Bytes);
    }

    [Fact]
    public void The_key_of_a_recent_node_is_applied()
    {
        byte[] file = BitcoinData.Bzip2("blocks/btcd_blocks1-256.bz2");
        byte[] key = [1, 2, 3, 4, 5, 6, 7, 8];
        new BlockFileKey(key).Apply(file, 0);
        File.WriteAllBytes(_folder.File("blk00000.dat"), file);
        File.WriteAllBytes(_folder.File("xor.dat"), key);
        using TransactionsRun run = Drain("*.dat");
        Assert.Equal(255, run.Counts.Own["blocks"]);
        Assert.Empty(run.Read<DeadLetter>(TransactionsTopology.DeadLetters));
    }

    [Fact]
    public void A_block_that_comes_twice_counts_once()
    {
        byte[] file = BitcoinData.Bzip2("blocks/btcd_blocks1-256.bz2");
        File.WriteAllBytes(_folder.File("1.dat"), file);
        File.WriteAllBytes(_folder.File("2.dat"), file);
        using TransactionsRun run = Drain("*.dat");
        Assert.Equal(255, run.Counts.Own["blocks"]);
        Assert.Equal(255, run.Counts.Own["duplicate_blocks"]);
    }

    [Fact]
    public void A_block_over_the_limit_is_refused()
    {
        File.WriteAllBytes(_folder.File("1.raw"), BitcoinData.Bytes(BitcoinData.Block413567));
        using var run = new TransactionsRun();
        run.Drain(new BitcoinFilesOptions { Files = _folder.File("*.raw"), BlockBytesMax = 500_000 });
        DeadLetter letter = Assert.Single(run.Read<DeadLetter>(TransactionsTopology.DeadLetters));
        Assert.Equal("BlockTooLarge", letter.Reason.ToString());
    }

    [Fact]
    public void A_file_of_another_network_is_named()
    {
        byte[] file = BitcoinData.Bzip2("blocks/btcd_blocks1-256.bz2");
        BitConverter.GetBytes(BitcoinNetwork.Regtest.Magic).CopyTo(file, 0);
        File.WriteAllBytes(_folder.File("blk00000.dat"), file);
        var e = Assert.Throws<InvalidOperationException>(() => Drain("*.dat").Dispose());
        Assert.IsType<ConfigurationException>(e.InnerException);
        Assert.Contains("regtest", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_shrank_since_the_last_run_is_named()
    {
        byte[] file = BitcoinData.Bzip2("blocks/btcd_blocks1-256.bz2");
        File.WriteAllBytes(_folder.File("blk00000.dat"), file);
        using TransactionsRun run = Drain("*.dat");
        File.WriteAllBytes(_folder.File("blk00000.dat"), file[..1000]);
        var e = Assert.Throws<InvalidOperationException>(
            () => run.Drain(new BitcoinFilesOptions { Files = _folder.File("*.dat") }));
        Assert.Contains("blk00000.dat", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hundred_random_files_become_dead_letters_and_nothing_else()
    {
        var random = new Random(11);
        for (int i = 0; i < 100; i++)
        {
            byte[] bytes = new byte[random.Next(1, 3000)];
            random.NextBytes(bytes);
            File.WriteAllBytes(_folder.File($"{i:D3}.bin"), bytes);
        }
        using TransactionsRun run = Drain("*.bin");
        Assert.Equal(100, run.Read<DeadLetter>(TransactionsTopology.DeadLetters).Count);
        Assert.Empty(run.Read<ChainTransaction>(TransactionsTopology.Enriched));
    }

    public void Dispose() => _folder.Dispose();

    private TransactionsRun Drain(string pattern)
    {
        var run = new TransactionsRun();
        try
        {
            run.Drain(new BitcoinFilesOptions { Files = _folder.File(pattern) });
        }
        catch
        {
            run.Dispose();
            throw;
        }
        return run;
    }

    private static int NextFrame(byte[] file, int from)
    {
        int at = 0;
        while (at < from)
            at += 8 + BitConverter.ToInt32(file, at + 4);
        return at;
    }
}
