using System.Text.Json;
using Streams.Buffers;
using Streams.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class BitcoinBlockReaderTests
{
    private static readonly BitcoinReaderOptions Mainnet = new();

    [Fact]
    public void Two_mainnet_blocks_have_the_facts_that_were_computed_independently()
    {
        int blocks = 0;
        foreach (JsonElement facts in BitcoinData.Json("expected_block_facts.json").EnumerateArray())
        {
            byte[] raw = BitcoinData.Bytes(facts.GetProperty("file").GetString()!);
            BitcoinBlock block = BitcoinData.Read(raw, Mainnet);
            Facts actual = Count(block);
            Assert.Equal(facts.GetProperty("height").GetInt32(), block.Index.Height);
            Assert.Equal(facts.GetProperty("bytes").GetInt32(), block.Raw.Length);
            Assert.Equal(facts.GetProperty("tx").GetInt32(), block.Count);
            Assert.Equal(facts.GetProperty("segwitTx").GetInt32(), actual.WitnessTransactions);
            Assert.Equal(facts.GetProperty("inputs").GetInt32(), actual.Inputs);
            Assert.Equal(facts.GetProperty("outputs").GetInt32(), actual.Outputs);
            Assert.Equal(facts.GetProperty("inBlockSpends").GetInt32(), actual.InBlockSpends);
            if (facts.TryGetProperty("oneInTwoOut", out JsonElement oneInTwoOut))
                Assert.Equal(oneInTwoOut.GetInt32(), actual.OneInTwoOut);
            if (facts.TryGetProperty("hash", out JsonElement hash))
                Assert.Equal(hash.GetString(), block.Index.Hash.ToString());
            blocks++;
        }
        Assert.Equal(2, blocks);
    }

    [Fact]
    public void The_transactions_that_the_facts_name_are_in_the_block_with_the_values_they_name()
    {
        JsonElement facts = BitcoinData.Json("expected_block_facts.json")[1];
        byte[] raw = BitcoinData.Bytes(BitcoinData.Block702861);
        BitcoinBlock block = BitcoinData.Read(raw, Mainnet);
        Dictionary<string, int> positions = PositionsByTxId(block);
        foreach (JsonElement txId in facts.GetProperty("whirlpoolStructural").EnumerateArray())
        {
            BitcoinTransaction mix = block[positions[txId.GetString()!]];
            Assert.Equal((5, 5), (mix.InputCount, mix.OutputCount));
        }
        JsonElement wasabi = facts.GetProperty("wasabi1Like")[0];
        int equal = 0;
        foreach (BitcoinOutput output in block[positions[wasabi.GetProperty("txid").GetString()!]].Outputs)
            equal += output.Satoshi == wasabi.GetProperty("valueSat").GetInt64() ? 1 : 0;
        Assert.Equal(wasabi.GetProperty("equalOutputs").GetInt32(), equal);
    }

    [Fact]
    public void A_block_is_named_by_its_file()
    {
        byte[] mainnet = BitcoinData.Bytes(BitcoinData.Block702861);
        byte[] testnet = BitcoinData.Bytes(BitcoinData.TestnetBlock);
        Assert.Contains(BitcoinData.Read(mainnet, Mainnet).Index.Hash.ToString(), BitcoinData.Block702861);
        BitcoinBlock block = BitcoinData.Read(testnet, BitcoinData.Testnet);
        Assert.Contains(block.Index.Hash.ToString(), BitcoinData.TestnetBlock);
        Assert.True(block.Index.FirstWitness >= 0);
    }

    // The file's name says 256 and it ends with block 255.
    [Fact]
    public void The_first_blocks_after_genesis_link_up_and_their_work_adds_up()
    {
        List<byte[]> blocks = BitcoinData.Frames(BitcoinData.Bzip2("blocks/btcd_blocks1-256.bz2"), Mainnet);
        Assert.Equal(255, blocks.Count);
        BitcoinHash previous =
            BitcoinHashTests.Parse("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
        ChainWork work = default;
        foreach (byte[] raw in blocks)
        {
            BitcoinBlock block = BitcoinData.Read(raw, Mainnet);
            Assert.Equal(previous, block.Index.Header.PreviousHash);
            Assert.Null(block.Index.Height);
            previous = block.Index.Hash;
            work += block.Index.Header.Work;
        }
        // Each of difficulty 1: 2^48 / 65535 hashes.
        Assert.Equal((255UL * 0x1_0001_0001).ToString("x64", null), work.ToString());
    }

    [Fact]
    public void Of_two_branches_the_one_with_more_blocks_of_equal_difficulty_has_more_work()
    {
        List<byte[]> trunk = BitcoinData.Frames(BitcoinData.Bzip2("reorg/blk_0_to_4.dat.bz2"), Mainnet);
        string[] files = ["reorg/blk_3A.dat.bz2", "reorg/blk_4A.dat.bz2", "reorg/blk_5A.dat.bz2"];
        List<byte[]> branch = [.. files.SelectMany(f => BitcoinData.Frames(BitcoinData.Bzip2(f), Mainnet))];
        Assert.Equal((5, 3), (trunk.Count, branch.Count));

        var headers = trunk.Select(raw => BitcoinData.Read(raw, Mainnet).Index.Header).ToArray();
        var branchHeaders = branch.Select(raw => BitcoinData.Read(raw, Mainnet).Index.Header).ToArray();
        for (int i = 1; i < headers.Length; i++)
            Assert.Equal(headers[i - 1].ComputeHash(), headers[i].PreviousHash);
        Assert.Equal(headers[2].ComputeHash(), branchHeaders[0].PreviousHash);
        for (int i = 1; i < branchHeaders.Length; i++)
            Assert.Equal(branchHeaders[i - 1].ComputeHash(), branchHeaders[i].PreviousHash);

        ChainWork Sum(IEnumerable<BitcoinHeader> some) => some.Aggregate(
            default(ChainWork), (sum, h) => sum + h.Work);
        ChainWork main = Sum(headers);
        Assert.Equal(main, Sum(headers[..3].Concat(branchHeaders[..2])));
        Assert.True(Sum(headers[..3].Concat(branchHeaders)) > main);
    }

    // Genesis of testnet3 among them; some carry scripts that no other block has.
    [Fact]
    public void The_testnet_blocks_of_BIP158_are_valid_and_have_the_hashes_it_gives()
    {
        int blocks = 0;
        foreach (JsonElement row in BitcoinData.Json("core/blockfilters.json").EnumerateArray().Skip(1))
        {
            byte[] raw = BitcoinData.Hex(row[2].GetString());
            BitcoinBlock block = BitcoinData.Read(raw, BitcoinData.Testnet);
            Assert.Equal(row[1].GetString(), block.Index.Hash.ToString());
            if (block.Index.Height is int height)
                Assert.Equal(row[0].GetInt32(), height);
            blocks++;
        }
        Assert.Equal(10, blocks);
    }

    [Fact]
    public void A_block_put_together_from_RPC_has_the_weight_that_RPC_says()
    {
        const string Folder = "bitcoin-etl/test_export_blocks_job/bitcoin";
        string[] files =
            Directory.GetFiles(SharedData.Path("btc/" + Folder), "rpc_response_getblock_*_2.json",
            SearchOption.AllDirectories);
        Assert.Equal(7, files.Length);
        foreach (string file in files)
        {
            JsonElement rpc = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
            rpc = rpc.ValueKind == JsonValueKind.Array ? rpc[0] : rpc;
            rpc = rpc.TryGetProperty("result", out JsonElement result) ? result : rpc;
            BitcoinBlock block = BitcoinData.Read(BlockOfRpc(rpc), Mainnet);
            Assert.Equal(rpc.GetProperty("hash").GetString(), block.Index.Hash.ToString());
            Assert.Equal(rpc.GetProperty("size").GetInt32(), block.Index.Bytes);
            Assert.Equal(rpc.GetProperty("strippedsize").GetInt32(), block.Index.StrippedBytes);
            Assert.Equal(rpc.GetProperty("weight").GetInt32(), block.Index.Weight);
            for (int i = 0; i < block.Count; i++)
            {
                JsonElement transaction = rpc.GetProperty("tx")[i];
                Assert.Equal(transaction.GetProperty("txid").GetString(), block.Index.TxIds[i].ToString());
                Assert.Equal(
                    transaction.GetProperty("hash").GetString(), block.Index.WitnessTxIds[i].ToString());
                Assert.Equal(transaction.GetProperty("vsize").GetInt32(), block[i].VirtualBytes);
            }
        }
    }

    [Fact]
    public void Transactions_of_an_index_are_the_transactions_of_the_block()
    {
        byte[] raw = BitcoinData.Bytes(BitcoinData.TestnetBlock);
        BitcoinBlock block = BitcoinData.Read(raw, BitcoinData.Testnet);
        int offset = block.OffsetOf(0);
        int position = 0;
        foreach (BitcoinTransaction transaction in block.Index.View(raw))
        {
            Assert.Equal(offset, block.OffsetOf(position));
            Assert.Equal(block.Index.TxIds[position], transaction.ComputeTxId());
            Assert.Equal(block.Index.WitnessTxIds[position], transaction.ComputeWitnessTxId());
            Assert.Equal(position == 0, transaction.IsCoinbase);
            offset += transaction.Raw.Length;
            position++;
        }
        Assert.Equal((raw.Length, block.Count), (offset, position));
        Assert.Throws<ArgumentException>(
            () => BitcoinData.Read(raw, BitcoinData.Testnet).Index.View(raw.AsSpan(1)));
    }

    [Fact]
    public void Every_truncation_asks_for_more_and_what_follows_is_left_alone()
    {
        byte[] raw = BitcoinData.Bytes(BitcoinData.TestnetBlock);
        var reader = new BitcoinBlockReader(BitcoinData.Testnet);
        var index = new BitcoinBlockIndex();
        for (int cut = 0; cut < raw.Length; cut++)
        {
            ParseResult<BitcoinDefect> result =
                reader.TryRead(raw.AsSpan(0, cut), index, out BitcoinBlock none);
            Assert.Equal(ParseStatus.NeedMoreData, result.Status);
            Assert.True(none.Raw.IsEmpty);
            result = reader.ReadWhole(raw.AsSpan(0, cut), index, out _);
            Assert.Equal(ParseResult<BitcoinDefect>.Invalid(BitcoinDefect.Truncated, cut), result);
        }
        byte[] followed = [.. raw, 0];
        Assert.True(reader.TryRead(followed, index, out BitcoinBlock block).IsDone);
        Assert.Equal(raw.Length, block.Raw.Length);
        Assert.Equal(
            ParseResult<BitcoinDefect>.Invalid(BitcoinDefect.TrailingBytes, raw.Length),
            reader.ReadWhole(followed, index, out _));
    }

    // Header bits break the work; the others change an id, a witness hash, or the reading of the bytes.
    [Theory]
    [InlineData(BitcoinData.TestnetBlock, 1)]
    [InlineData(BitcoinData.Block702861, 9_973)]
    [InlineData(BitcoinData.Block413567, 9_973)]
    public void A_flipped_bit_anywhere_is_detected(string file, int step)
    {
        byte[] raw = BitcoinData.Bytes(file);
        BitcoinReaderOptions options = file == BitcoinData.TestnetBlock ? BitcoinData.Testnet : Mainnet;
        var reader = new BitcoinBlockReader(options);
        var index = new BitcoinBlockIndex();
        for (int position = 0; position < raw.Length; position += position < 100 ? 1 : step)
        {
            byte mask = (byte)(1 << (position % 8));
            raw[position] ^= mask;
            ParseResult<BitcoinDefect> result = reader.ReadWhole(raw, index, out _);
            Assert.True(result.IsInvalid, $"bit {position % 8} of byte {position} went unnoticed: {result}");
            raw[position] ^= mask;
        }
        Assert.True(reader.ReadWhole(raw, index, out _).IsDone);
    }

    [Fact]
    public void The_index_of_a_refused_block_is_empty_but_for_the_header()
    {
        byte[] raw = BitcoinData.Bytes(BitcoinData.TestnetBlock);
        var reader = new BitcoinBlockReader(BitcoinData.Testnet);
        var index = new BitcoinBlockIndex();
        Assert.True(reader.ReadWhole(raw, index, out _).IsDone);
        BitcoinHash hash = index.Hash;
        raw[^1] ^= 1;
        Assert.True(reader.ReadWhole(raw, index, out _).IsInvalid);
        Assert.Equal((hash, 0, 0), (index.Hash, index.Count, index.Bytes));
        Assert.Null(index.Height);
        Assert.False(reader.TryRead(raw.AsSpan(0, 79), index, out _).IsDone);
        Assert.True(index.Hash.IsZero);
    }

    [Fact]
    public void Limits_bound_the_block_and_each_transaction()
    {
        byte[] raw = BitcoinData.Bytes(BitcoinData.TestnetBlock);
        var index = new BitcoinBlockIndex();
        BitcoinReaderOptions options = BitcoinData.Testnet;
        Assert.Equal(BitcoinDefect.None, Read(options with { BlockBytesMax = raw.Length }));
        Assert.Equal(BitcoinDefect.BlockTooLarge, Read(options with { BlockBytesMax = raw.Length - 1 }));
        Assert.Equal(BitcoinDefect.TransactionTooLarge, Read(options with { TransactionBytesMax = 150 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Read(options with { BlockBytesMax = 99 }));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => Read(options with { TransactionBytesMax = (32 * 1024 * 1024) + 1 }));

        BitcoinDefect Read(BitcoinReaderOptions some) =>
            new BitcoinBlockReader(some).TryRead(raw, index, out _).Defect;
    }

    [Fact]
    public void Reading_a_block_again_allocates_nothing()
    {
        byte[] raw = BitcoinData.Bytes(BitcoinData.Block702861);
        var reader = new BitcoinBlockReader(Mainnet);
        var index = new BitcoinBlockIndex();
        long sum = 0;
        Allocation.AssertNone(
            () =>
            {
                reader.ReadWhole(raw, index, out BitcoinBlock block);
                foreach (BitcoinTransaction transaction in block)
                    sum += transaction.InputCount;
            },
            warmupRuns: 5, measuredRuns: 10);
        Assert.Equal(15 * 6518, sum);
    }

    private static byte[] BlockOfRpc(JsonElement rpc)
    {
        var header = new BitcoinHeader
        {
            Version = rpc.GetProperty("version").GetInt32(),
            PreviousHash = rpc.TryGetProperty("previousblockhash", out JsonElement previous)
                ? BitcoinHashTests.Parse(previous.GetString()!)
                : default,
            MerkleRoot = BitcoinHashTests.Parse(rpc.GetProperty("merkleroot").GetString()!),
            TimeSeconds = rpc.GetProperty("time").GetUInt32(),
            Bits = Convert.ToUInt32(rpc.GetProperty("bits").GetString(), 16),
            Nonce = rpc.GetProperty("nonce").GetUInt32(),
        };
        byte[] headerBytes = new byte[BitcoinHeader.Bytes];
        header.WriteTo(headerBytes);
        byte[][] transactions = [.. rpc.GetProperty("tx").EnumerateArray()
            .Select(t => BitcoinData.Hex(t.GetProperty("hex").GetString()))];
        return [.. headerBytes, (byte)transactions.Length, .. transactions.SelectMany(t => t)];
    }

    private static Dictionary<string, int> PositionsByTxId(BitcoinBlock block)
    {
        var positions = new Dictionary<string, int>();
        for (int i = 0; i < block.Count; i++)
            positions.Add(block.Index.TxIds[i].ToString(), i);
        return positions;
    }

    private static Facts Count(BitcoinBlock block)
    {
        var facts = new Facts();
        var made = new HashSet<BitcoinHash>();
        foreach (BitcoinHash id in block.Index.TxIds)
            made.Add(id);
        foreach (BitcoinTransaction transaction in block)
        {
            facts.WitnessTransactions += transaction.HasWitness ? 1 : 0;
            facts.Inputs += transaction.InputCount;
            facts.Outputs += transaction.OutputCount;
            bool isOneInTwoOut = transaction is { IsCoinbase: false, InputCount: 1, OutputCount: 2 };
            facts.OneInTwoOut += isOneInTwoOut ? 1 : 0;
            foreach (BitcoinInput input in transaction.Inputs)
                facts.InBlockSpends += made.Contains(input.PreviousTxId) ? 1 : 0;
        }
        return facts;
    }

    private sealed class Facts
    {
        public int WitnessTransactions;
        public int Inputs;
        public int Outputs;
        public int InBlockSpends;
        public int OneInTwoOut;
    }
}
