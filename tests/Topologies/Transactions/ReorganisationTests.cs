using Streams.Connectors.Bitcoin;
using Streams.Connectors.Chain;
using Streams.Records;
using Streams.Tests.Connectors.Bitcoin;
using Streams.Tests.Support;
using Streams.Topologies.Transactions;
using Xunit;

namespace Streams.Tests.Topologies.Transactions;

/// <summary>btcd's fixture: 0-1-2-3-4, and 3A-4A-5A from 2 on, which has more work.</summary>
public sealed class ReorganisationTests
{
    [Fact]
    public void The_branch_with_more_work_wins_and_the_stale_blocks_are_retracted()
    {
        using var folder = new TemporaryFolder();
        Unpack(folder, "blk_0_to_4", "blk_3A", "blk_4A", "blk_5A");
        using var run = new TransactionsRun();
        run.Drain(new BitcoinFilesOptions { Files = folder.File("*.dat") });

        List<ChainTransaction> records = run.Read<ChainTransaction>(TransactionsTopology.Enriched);
        List<Bytes32> stale = [.. Blocks(records, Operation.Retract)];
        List<Bytes32> chain = [.. Blocks(records, Operation.Append).Except(stale)];
        Assert.Equal(2, stale.Count);
        Assert.Equal(6, chain.Count);
        Assert.Equal([0, 1, 2, 3, 4, 5],
            chain.Select(b => records.First(r => r.BlockHash == b).BlockHeight!.Value).Order());
        Assert.Equal(2, run.Counts.Own["blocks_retracted"]);
        Assert.Equal(Standing(records), Standing(RunWithoutStale()));
    }

    [Fact]
    public void A_branch_that_arrives_later_is_followed_by_the_next_run()
    {
        using var folder = new TemporaryFolder();
        using var run = new TransactionsRun();
        Unpack(folder, "blk_0_to_4");
        run.Drain(new BitcoinFilesOptions { Files = folder.File("*.dat") });
        foreach (string next in new[] { "blk_3A", "blk_4A", "blk_5A" })
        {
            Unpack(folder, next);
            run.Drain(new BitcoinFilesOptions { Files = folder.File("*.dat") });
        }
        Assert.Equal(
            Standing(RunWithoutStale()), Standing(run.Read<ChainTransaction>(TransactionsTopology.Enriched)));
    }

    [Fact]
    public void A_retracted_transaction_comes_out_as_it_was_but_for_the_operation()
    {
        using var folder = new TemporaryFolder();
        Unpack(folder, "blk_0_to_4", "blk_3A", "blk_4A", "blk_5A");
        using var run = new TransactionsRun();
        run.Drain(new BitcoinFilesOptions { Files = folder.File("*.dat") });
        List<ChainTransaction> records = run.Read<ChainTransaction>(TransactionsTopology.Enriched);
        var retracted = records.Where(r => r.Op == Operation.Retract).ToList();
        Assert.NotEmpty(retracted);
        foreach (ChainTransaction record in retracted)
        {
            ChainTransaction before = records.First(r => r.TxId == record.TxId && r.Op == Operation.Append);
            Assert.Equal(Text(before), Text(record));
        }
    }

    [Fact]
    public void A_reorganisation_deeper_than_the_finality_stops_the_run_and_says_why()
    {
        using var folder = new TemporaryFolder();
        Unpack(folder, "blk_0_to_4", "blk_3A", "blk_4A", "blk_5A");
        using var run = new TransactionsRun();
        var e = Assert.Throws<InvalidOperationException>(
            () => run.Drain(new BitcoinFilesOptions { Files = folder.File("*.dat"), FinalityBlocks = 1 }));
        Assert.Contains("finality_blocks", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_that_stand_before_their_predecessors_wait_for_them()
    {
        byte[] all = BitcoinData.Bzip2("blocks/btcd_blocks1-256.bz2");
        List<byte[]> frames = Frames(all);
        using var straight = new TemporaryFolder();
        using var shuffled = new TemporaryFolder();
        File.WriteAllBytes(straight.File("blk.dat"), all);
        new Random(5).Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(frames));
        File.WriteAllBytes(shuffled.File("blk.dat"), [.. frames.SelectMany(f => f)]);

        using var first = new TransactionsRun();
        first.Drain(new BitcoinFilesOptions { Files = straight.File("*.dat") });
        using var second = new TransactionsRun();
        second.Drain(new BitcoinFilesOptions { Files = shuffled.File("*.dat") });
        var expected = first.Read<ChainTransaction>(TransactionsTopology.Enriched).Select(t => t.TxId).ToList(
            );
        Assert.Equal(255, first.Counts.Own["blocks"]);
        Assert.Equal(255, second.Counts.Own["blocks"]);
        Assert.Equal(
            expected, second.Read<ChainTransaction>(TransactionsTopology.Enriched).Select(t => t.TxId));
    }

    private static List<ChainTransaction> RunWithoutStale()
    {
        using var folder = new TemporaryFolder();
        byte[] first = BitcoinData.Bzip2("reorg/blk_0_to_4.dat.bz2");
        File.WriteAllBytes(folder.File("a.dat"), [.. Frames(first).Take(3).SelectMany(f => f)]);
        Unpack(folder, "blk_3A", "blk_4A", "blk_5A");
        using var run = new TransactionsRun();
        run.Drain(new BitcoinFilesOptions { Files = folder.File("*.dat") });
        return run.Read<ChainTransaction>(TransactionsTopology.Enriched);
    }

    // What holds after all records: appended and not retracted since, without the numbers that count records.
    private static SortedDictionary<string, string> Standing(List<ChainTransaction> records)
    {
        var standing = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (ChainTransaction record in records)
        {
            if (record.Op == Operation.Append)
                standing[record.TxId.ToString()] = Text(record);
            else
                Assert.True(standing.Remove(record.TxId.ToString()));
        }
        return standing;
    }

    private static string Text(ChainTransaction record)
    {
        record.Seq = 0;
        record.Op = Operation.Append;
        record.Status = TransactionStatus.InBlock;
        record.Confirmations = 1;
        using var buffer = new Streams.Buffers.PooledBuffer();
        RecordSerde.Json<ChainTransaction>().Serialize(record, buffer);
        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static IEnumerable<Bytes32> Blocks(List<ChainTransaction> records, Operation op) =>
        records.Where(r => r.Op == op).Select(r => r.BlockHash!.Value).Distinct();

    private static void Unpack(TemporaryFolder folder, params string[] names)
    {
        foreach (string name in names)
            File.WriteAllBytes(folder.File(name + ".dat"), BitcoinData.Bzip2($"reorg/{name}.dat.bz2"));
    }

    private static List<byte[]> Frames(byte[] file)
    {
        var frames = new List<byte[]>();
        for (int at = 0; at < file.Length;)
        {
            int length = 8 + BitConverter.ToInt32(file, at + 4);
            frames.Add(file[at..(at + length)]);
            at += length;
        }
        return frames;
    }
}
