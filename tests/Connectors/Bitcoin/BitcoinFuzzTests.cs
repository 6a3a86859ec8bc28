using System.Buffers;
using Streams.Buffers;
using Streams.Connectors.Bitcoin;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

/// <summary>Arbitrary and damaged bytes, from a seed: nothing throws, and what is accepted is accepted for a
/// reason.</summary>
public sealed class BitcoinFuzzTests
{
    private const int Seed = 20_260_101;
    private const int Runs = 100_000;

    [Fact]
    public void Arbitrary_bytes_never_throw()
    {
        var random = new Random(Seed);
        var blockReader = new BitcoinBlockReader(BitcoinData.Regtest);
        var fileReader = new BitcoinBlockFileReader(BitcoinData.Regtest, default);
        var index = new BitcoinBlockIndex();
        for (int run = 0; run < Runs; run++)
        {
            byte[] bytes = RandomBytes(random, random.Next(0, 300));
            ParseResult<BitcoinDefect> result =
                BitcoinTransactionReader.TryRead(
                    bytes, random.Next(0, 400), out BitcoinTransaction transaction);
            if (result.IsDone)
                AssertSameWhenRewritten(transaction);
            AssertOffsetInside(result, bytes);
            AssertOffsetInside(blockReader.TryRead(bytes, index, out _), bytes);
            var part = (BlockFilePart)(run % 3);
            result = fileReader.TryRead(bytes, random.Next(), part, out BlockFileItem item);
            AssertOffsetInside(result, bytes);
            Assert.Equal(result.Status == ParseStatus.NeedMoreData, item.Raw.IsEmpty);
        }
    }

    // Most random bytes fail early. Damage to real transactions goes deep, and often leaves another real
    // transaction.
    [Fact]
    public void Damaged_transactions_never_throw_and_what_is_read_can_be_written_again()
    {
        byte[][] seeds = [.. BitcoinData.CoreTransactions()];
        var random = new Random(Seed);
        using var scratch = new PooledBuffer();
        int accepted = 0;
        for (int run = 0; run < Runs; run++)
        {
            byte[] bytes = Damage(seeds[random.Next(seeds.Length)], random);
            ParseResult<BitcoinDefect> result =
                BitcoinTransactionReader.TryRead(
                    bytes, BitcoinData.TransactionBytesMax, out BitcoinTransaction transaction);
            AssertOffsetInside(result, bytes);
            int split = random.Next(bytes.Length + 1);
            var reader = new SequenceReader<byte>(Segments.Of(bytes[..split], bytes[split..]));
            ParseResult<BitcoinDefect> same =
                BitcoinTransactionReader.TryRead(ref reader, BitcoinData.TransactionBytesMax, scratch, out _);
            Assert.Equal(result, same);
            if (!result.IsDone)
                continue;
            accepted++;
            AssertSameWhenRewritten(transaction);
            _ = BitcoinTransactionRules.Check(transaction);
            foreach (BitcoinInput input in transaction.Inputs)
                _ = BitcoinSpender.Reveal(input);
            foreach (BitcoinOutput output in transaction.Outputs)
                _ = BitcoinScript.Classify(output.Script);
        }
        Assert.True(accepted > Runs / 10, $"{accepted} of {Runs} were accepted: the damage is too coarse");
    }

    [Fact]
    public void Damaged_blocks_never_throw_and_are_never_accepted()
    {
        byte[] raw = BitcoinData.Bytes(BitcoinData.TestnetBlock);
        var reader = new BitcoinBlockReader(BitcoinData.Testnet);
        var index = new BitcoinBlockIndex();
        var random = new Random(Seed);
        for (int run = 0; run < Runs / 10; run++)
        {
            // With the header left whole, its work does not give the damage away.
            int whole = run % 2 == 0 ? BitcoinHeader.Bytes : 0;
            byte[] bytes = [.. raw[..whole], .. Damage(raw[whole..], random)];
            if (bytes.AsSpan().SequenceEqual(raw))
                continue;
            ParseResult<BitcoinDefect> result = reader.ReadWhole(bytes, index, out _);
            Assert.True(result.IsInvalid);
            AssertOffsetInside(result, bytes);
        }
    }

    // The merkle root and the work are made to fit, so that the rules behind them have to find the damage, or
    // none.
    [Fact]
    public void Damaged_transactions_in_sound_blocks_never_throw()
    {
        BitcoinBlock block =
            BitcoinData.Read(BitcoinData.Bytes(BitcoinData.TestnetBlock), BitcoinData.Testnet);
        byte[][] seeds = new byte[block.Count][];
        for (int i = 0; i < seeds.Length; i++)
            seeds[i] = block[i].Raw.ToArray();
        var random = new Random(Seed);
        var reader = new BitcoinBlockReader(BitcoinData.Regtest);
        var index = new BitcoinBlockIndex();
        using var writer = new BitcoinBlockWriter();
        using var destination = new PooledBuffer();
        var defects = new HashSet<BitcoinDefect>();
        for (int run = 0; run < Runs / 10; run++)
        {
            writer.Start();
            foreach (byte[] seed in seeds)
            {
                byte[] bytes = random.Next(8) == 0 ? Damage(seed, random) : seed;
                if (BitcoinTransactionReader.ReadWhole(bytes, BitcoinData.TransactionBytesMax, out _).IsDone)
                    writer.AddTransaction(bytes);
            }
            destination.Clear();
            var header =
                new BitcoinHeader { Version = random.Next(1, 3), Bits = BitcoinNetwork.Regtest.EasiestBits };
            writer.Finish(header, destination);
            ParseResult<BitcoinDefect> result = reader.ReadWhole(destination.WrittenSpan, index, out _);
            AssertOffsetInside(result, destination.WrittenSpan.ToArray());
            defects.Add(result.Defect);
        }
        Assert.Contains(BitcoinDefect.None, defects);
        Assert.Contains(BitcoinDefect.WitnessCommitmentMismatch, defects);
        Assert.Contains(BitcoinDefect.ValueTooLarge, defects);
        Assert.DoesNotContain(BitcoinDefect.MerkleRootMismatch, defects);
    }

    private static void AssertSameWhenRewritten(in BitcoinTransaction transaction) =>
        Assert.Equal(transaction.Raw.ToArray(), BitcoinData.Rewrite(transaction));

    private static void AssertOffsetInside(ParseResult<BitcoinDefect> result, byte[] bytes)
    {
        Assert.Equal(result.IsInvalid, result.Defect != BitcoinDefect.None);
        Assert.InRange(result.Offset, 0, bytes.Length);
    }

    private static byte[] RandomBytes(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        // Small numbers make counts and lengths that fit.
        for (int i = 0; i < length; i++)
        {
            if (random.Next(3) > 0)
                bytes[i] &= 0x03;
        }
        return bytes;
    }

    private static byte[] Damage(byte[] seed, Random random)
    {
        var bytes = new List<byte>(seed);
        for (int damages = random.Next(1, 4); damages > 0 && bytes.Count > 0; damages--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveAt(at);
                    break;
                case 3:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                case 4:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    bytes[at] = (byte)random.Next(0xFD, 0x100);
                    break;
            }
        }
        return [.. bytes];
    }
}
