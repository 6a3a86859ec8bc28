using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class BitcoinBlockFileReaderTests
{
    private static readonly byte[] Key = BitcoinData.Hex("f90102bed9a5b6c7");

    [Fact]
    public void Blocks_padding_and_garbage_are_told_apart_and_every_byte_is_one_of_them()
    {
        byte[][] blocks = Blocks(3);
        byte[] garbage = [1, 2, 3, 4, 5, 6, 7];
        byte[] file =
        [
            .. Frame(blocks[0]), .. new byte[100], .. Frame(blocks[1]), .. garbage, .. Frame(blocks[2]),
            .. new byte[50],
        ];
        Assert.Equal(
            [
                (BlockFileItemKind.Block, BitcoinDefect.None, blocks[0].Length + 8),
                (BlockFileItemKind.Padding, BitcoinDefect.None, 100),
                (BlockFileItemKind.Block, BitcoinDefect.None, blocks[1].Length + 8),
                (BlockFileItemKind.Garbage, BitcoinDefect.FrameMagic, 7),
                (BlockFileItemKind.Block, BitcoinDefect.None, blocks[2].Length + 8),
                (BlockFileItemKind.Padding, BitcoinDefect.None, 50),
            ],
            ReadAll(file, default));
    }

    [Fact]
    public void Every_network_has_a_magic_of_its_own()
    {
        (BitcoinNetwork Network, string Magic)[] networks =
        [
            (BitcoinNetwork.Mainnet, "f9beb4d9"), (BitcoinNetwork.Testnet3, "0b110907"),
            (BitcoinNetwork.Testnet4, "1c163f28"), (BitcoinNetwork.Signet, "0a03cf40"),
            (BitcoinNetwork.Regtest, "fabfb5da"),
        ];
        byte[] block = Blocks(1)[0];
        foreach ((BitcoinNetwork network, string magic) in networks)
        {
            byte[] frame = [.. BitcoinData.Hex(magic), .. Frame(block)[4..]];
            foreach ((BitcoinNetwork other, _) in networks)
            {
                var reader =
                    new BitcoinBlockFileReader(new BitcoinReaderOptions { Network = other }, default);
                ParseResult<BitcoinDefect> result =
                    reader.TryRead(frame, 0, BlockFilePart.End, out BlockFileItem item);
                Assert.Equal(network == other, result.IsDone);
                Assert.Equal(network == other, item.Block.SequenceEqual(block));
            }
            Assert.True(BitcoinNetwork.TryFromName(network.ToString(), out BitcoinNetwork named));
            Assert.Same(network, named);
        }
        Assert.False(BitcoinNetwork.TryFromName("main", out _));
    }

    [Fact]
    public void Every_truncation_asks_for_more_until_the_file_ends()
    {
        byte[] frame = Frame(Blocks(1)[0]);
        var reader = new BitcoinBlockFileReader(BitcoinData.Regtest, default);
        for (int cut = 0; cut < frame.Length; cut++)
        {
            ParseResult<BitcoinDefect> result =
                reader.TryRead(frame.AsSpan(0, cut), 0, BlockFilePart.Middle, out BlockFileItem item);
            Assert.Equal(ParseStatus.NeedMoreData, result.Status);
            Assert.True(item.Raw.IsEmpty);
            result = reader.TryRead(frame.AsSpan(0, cut), 0, BlockFilePart.End, out item);
            Assert.Equal(cut, item.Raw.Length);
            if (cut >= 4)
                Assert.Equal(ParseResult<BitcoinDefect>.Invalid(BitcoinDefect.FrameTruncated, cut), result);
        }
        Assert.Equal(ParseStatus.NeedMoreData, reader.TryRead([], 0, BlockFilePart.End, out _).Status);
    }

    // Bytes come in pieces of any size; what is found does not depend on where they were cut.
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(1000)]
    public void However_the_file_arrives_the_same_blocks_are_found(int step)
    {
        byte[][] blocks = Blocks(3);
        byte[] magic = Frame(blocks[0])[..4];
        byte[] file =
        [
            9, 9, .. magic[..3], .. Frame(blocks[0]), 0, 0, 0, .. Frame(blocks[1]),
            .. magic, 0xFF, 0xFF, 0xFF, 0xFF, 7,
            .. Frame(blocks[2]), .. magic[..2],
        ];
        var reader = new BitcoinBlockFileReader(BitcoinData.Regtest, default);
        var found = new List<byte[]>();
        int skipped = 0;
        int at = 0;
        for (int arrived = Math.Min(step, file.Length); at < file.Length;)
        {
            BlockFilePart part = arrived == file.Length ? BlockFilePart.End : BlockFilePart.Middle;
            ParseResult<BitcoinDefect> result =
                reader.TryRead(file.AsSpan(at..arrived), at, part, out BlockFileItem item);
            if (result.Status == ParseStatus.NeedMoreData)
            {
                Assert.NotEqual(BlockFilePart.End, part);
                arrived = Math.Min(arrived + step, file.Length);
                continue;
            }
            at += item.Raw.Length;
            if (item.Kind == BlockFileItemKind.Block)
                found.Add(item.Block.ToArray());
            else
                skipped += item.Raw.Length;
        }
        Assert.Equal(blocks, found);
        Assert.Equal(file.Length - blocks.Sum(b => b.Length + 8), skipped);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(90u)]
    [InlineData(4_000_001u)]
    [InlineData(uint.MaxValue)]
    public void A_length_that_is_no_blocks_is_garbage_up_to_the_next_frame(uint length)
    {
        byte[][] blocks = Blocks(2);
        byte[] damaged = Frame(blocks[0]);
        BinaryPrimitives.WriteUInt32LittleEndian(damaged.AsSpan(4), length);
        Assert.Equal(
            [
                (BlockFileItemKind.Garbage, BitcoinDefect.FrameLength, damaged.Length),
                (BlockFileItemKind.Block, BitcoinDefect.None, blocks[1].Length + 8),
            ],
            ReadAll([.. damaged, .. Frame(blocks[1])], default));
    }

    [Fact]
    public void A_length_that_swallows_the_next_block_costs_one_block_and_not_two()
    {
        byte[][] blocks = Blocks(3);
        byte[] damaged = Frame(blocks[0]);
        BinaryPrimitives.WriteUInt32LittleEndian(damaged.AsSpan(4), (uint)(blocks[0].Length + 100));
        byte[] file = [.. damaged, .. Frame(blocks[1]), .. Frame(blocks[2])];
        var reader = new BitcoinBlockFileReader(BitcoinData.Regtest, default);
        var blockReader = new BitcoinBlockReader(BitcoinData.Regtest);
        var index = new BitcoinBlockIndex();
        var valid = new List<byte[]>();
        for (int at = 0; at < file.Length;)
        {
            ParseResult<BitcoinDefect> result =
                reader.TryRead(file.AsSpan(at), at, BlockFilePart.End, out BlockFileItem item);
            bool isValid = result.IsDone && blockReader.ReadWhole(item.Block, index, out _).IsDone;
            if (isValid)
                valid.Add(item.Block.ToArray());
            bool isSuspect = item.Kind == BlockFileItemKind.Block && !isValid;
            at += isSuspect ? BitcoinBlockFileReader.FrameBytes : item.Raw.Length;
        }
        Assert.Equal(blocks[1..], valid);
    }

    // In a growing file the space after the last block is where the next one will be written.
    [Fact]
    public void Space_at_the_end_of_a_growing_file_is_waited_for_and_not_passed()
    {
        byte[] frame = Frame(Blocks(1)[0]);
        byte[] file = [.. new byte[20], .. frame, .. new byte[20]];
        var reader = new BitcoinBlockFileReader(BitcoinData.Regtest, default);
        const BlockFilePart Growing = BlockFilePart.Growing;
        Assert.True(reader.TryRead(file, 0, Growing, out BlockFileItem item).IsDone);
        Assert.Equal((BlockFileItemKind.Padding, 20), (item.Kind, item.Raw.Length));
        Assert.True(reader.TryRead(file.AsSpan(20), 20, Growing, out item).IsDone);
        Assert.Equal(BlockFileItemKind.Block, item.Kind);
        for (int at = 20 + frame.Length; at < file.Length; at++)
        {
            ParseResult<BitcoinDefect> result = reader.TryRead(file.AsSpan(at), at, Growing, out item);
            Assert.Equal(ParseStatus.NeedMoreData, result.Status);
            Assert.True(item.Raw.IsEmpty);
            Assert.True(reader.TryRead(file.AsSpan(at), at, BlockFilePart.Middle, out item).IsDone);
            Assert.Equal(BlockFileItemKind.Padding, item.Kind);
        }
    }

    [Fact]
    public void Garbage_without_end_is_reported_in_bounded_pieces()
    {
        byte[] block = Blocks(1)[0];
        byte[] garbage = new byte[BitcoinBlockFileReader.GarbageBytesMax + 1000];
        garbage.AsSpan().Fill(7);
        Assert.Equal(
            [
                (BlockFileItemKind.Garbage, BitcoinDefect.FrameMagic, BitcoinBlockFileReader.GarbageBytesMax),
                (BlockFileItemKind.Garbage, BitcoinDefect.FrameMagic, 1000),
                (BlockFileItemKind.Block, BitcoinDefect.None, block.Length + 8),
            ],
            ReadAll([.. garbage, .. Frame(block)], default));
    }

    // A node reserves space with plain zeros, which clearing turns into the key: the first key byte here is
    // the magic's.
    [Fact]
    public void Unwritten_space_of_an_obfuscated_file_is_padding_wherever_it_begins()
    {
        byte[] block = Blocks(1)[0];
        byte[] key = [.. Key];
        key[0] = Frame(block)[0];
        for (int padding = 1; padding <= 40; padding++)
        {
            byte[] file = [.. Frame(block), .. new byte[padding], .. Frame(block), .. new byte[padding]];
            var fileKey = new BlockFileKey(key);
            // Only what the node wrote was obfuscated.
            int frame = block.Length + 8;
            fileKey.Apply(file.AsSpan(0, frame), 0);
            fileKey.Apply(file.AsSpan(frame + padding, frame), frame + padding);
            fileKey.Apply(file, 0);
            Assert.Equal(
                [
                    (BlockFileItemKind.Block, BitcoinDefect.None, frame),
                    (BlockFileItemKind.Padding, BitcoinDefect.None, padding),
                    (BlockFileItemKind.Block, BitcoinDefect.None, frame),
                    (BlockFileItemKind.Padding, BitcoinDefect.None, padding),
                ],
                ReadAll(file, fileKey));
        }
    }

    [Fact]
    public void A_key_is_applied_by_position_and_undone_by_applying_it_again()
    {
        var random = new Random(9);
        var key = new BlockFileKey(Key);
        for (int run = 0; run < 2_000; run++)
        {
            byte[] plain = new byte[random.Next(0, 200)];
            random.NextBytes(plain);
            long position = random.NextInt64(0, 1L << 40);
            byte[] actual = [.. plain];
            key.Apply(actual, position);
            Assert.Equal(plain.Select((b, i) => (byte)(b ^ Key[(position + i) % 8])), actual);
            // In two parts, as a file is read.
            int cut = random.Next(plain.Length + 1);
            key.Apply(actual.AsSpan(0, cut), position);
            key.Apply(actual.AsSpan(cut), position + cut);
            Assert.Equal(plain, actual);
        }
    }

    [Fact]
    public void A_zero_key_changes_nothing_and_a_key_of_another_length_is_none()
    {
        byte[] bytes = [1, 2, 3];
        new BlockFileKey(new byte[8]).Apply(bytes, 5);
        Assert.Equal([1, 2, 3], bytes);
        Assert.True(default(BlockFileKey).IsZero);
        Assert.Throws<ArgumentException>(() => new BlockFileKey(new byte[7]));
        Assert.Throws<ArgumentException>(() => new BlockFileKey(new byte[9]));
    }

    [Fact]
    public void Reading_frames_and_clearing_bytes_allocate_nothing()
    {
        byte[] file = [.. Frame(Blocks(1)[0]), .. new byte[64], 1, 2, 3];
        var key = new BlockFileKey(Key);
        var reader = new BitcoinBlockFileReader(BitcoinData.Regtest, default);
        int items = 0;
        Allocation.AssertNone(() =>
        {
            key.Apply(file, 0);
            key.Apply(file, 0);
            for (int at = 0; at < file.Length; items++)
            {
                reader.TryRead(file.AsSpan(at), at, BlockFilePart.End, out BlockFileItem item);
                at += item.Raw.Length;
            }
        });
        Assert.Equal(3 * 1200, items);
    }

    private static byte[] Frame(byte[] block)
    {
        using var destination = new PooledBuffer();
        BitcoinBlockWriter.WriteFrame(BitcoinNetwork.Regtest, block, destination);
        return destination.WrittenSpan.ToArray();
    }

    private static byte[][] Blocks(int count)
    {
        using var writer = new BitcoinBlockWriter();
        using var destination = new PooledBuffer();
        byte[][] blocks = new byte[count][];
        BitcoinHash previous = default;
        for (int i = 0; i < count; i++)
        {
            destination.Clear();
            writer.Start();
            var template = new BitcoinBlockTemplate
            {
                PreviousHash = previous,
                TimeSeconds = 1_700_000_000,
                Height = i + 1,
                CoinbaseSatoshi = 50,
                CoinbaseScript = new byte[] { 0x51 },
            };
            previous = writer.FinishWithCoinbase(template, destination);
            blocks[i] = destination.WrittenSpan.ToArray();
        }
        return blocks;
    }

    private static List<(BlockFileItemKind, BitcoinDefect, int)> ReadAll(byte[] file, BlockFileKey key)
    {
        var reader = new BitcoinBlockFileReader(BitcoinData.Regtest, key);
        var items = new List<(BlockFileItemKind, BitcoinDefect, int)>();
        for (int at = 0; at < file.Length;)
        {
            ParseResult<BitcoinDefect> result =
                reader.TryRead(file.AsSpan(at), at, BlockFilePart.End, out BlockFileItem item);
            items.Add((item.Kind, result.Defect, item.Raw.Length));
            at += item.Raw.Length;
        }
        return items;
    }
}
