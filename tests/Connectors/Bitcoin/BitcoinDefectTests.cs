using Streams.Buffers;
using Streams.Connectors.Bitcoin;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

/// <summary>Each defect, made in the simplest way and found where it is.</summary>
public sealed class BitcoinDefectTests
{
    private const int Max = BitcoinData.TransactionBytesMax;
    private const long Coin = 100_000_000;

    private static readonly BitcoinHash Spent = BitcoinHashTests.Parse(new string('a', 64));

    private static readonly Dictionary<BitcoinDefect, Func<ParseResult<BitcoinDefect>>> Cases = new()
    {
        [BitcoinDefect.None] = () => ReadBlock(Mine(Coinbase(), Transaction())),
        [BitcoinDefect.CompactSizeNotCanonical] = () => Read("01000000fd0100"),
        [BitcoinDefect.TransactionTooLarge] = () => Read("01000000feffffffff"),
        [BitcoinDefect.WitnessFlagUnknown] = () => Read("010000000002"),
        [BitcoinDefect.WitnessSuperfluous] = () => Read("0100000000010000" + "00000000"),
        [BitcoinDefect.Truncated] =
            () => BitcoinTransactionReader.ReadWhole(Transaction().AsSpan()[..^1], Max, out _),
        [BitcoinDefect.TrailingBytes] =
            () => BitcoinTransactionReader.ReadWhole([.. Transaction(), 0], Max, out _),
        [BitcoinDefect.InputsMissing] = () => Check(BitcoinData.Hex("01000000000000000000")),
        [BitcoinDefect.OutputsMissing] = () => Check(Build(inputs: [Spent], values: [])),
        [BitcoinDefect.TransactionWeightTooLarge] =
            () => Check(Build([Spent], [1], script: new byte[1_000_000])),
        [BitcoinDefect.ValueNegative] = () => Check(Build([Spent], [1, -1])),
        [BitcoinDefect.ValueTooLarge] = () => Check(Build([Spent], [(21_000_000 * Coin) + 1])),
        [BitcoinDefect.ValueSumTooLarge] = () => Check(Build([Spent], [21_000_000 * Coin, 1])),
        [BitcoinDefect.InputDuplicate] =
            () => Check(Build([Spent, new BitcoinHash(new byte[32]), Spent], [1])),
        [BitcoinDefect.CoinbaseScriptLength] = () => Check(Coinbase(new byte[101])),
        [BitcoinDefect.PreviousOutputNull] = () => Check(WithNullInput()),
        [BitcoinDefect.BlockTooLarge] =
            () => ReadBlock([.. Mine(Coinbase())[..80], 0xFE, 0xFF, 0xFF, 0xFF, 0xFF]),
        [BitcoinDefect.BitsInvalid] = () => ReadBlock(WithBits(Mine(Coinbase()), 0)),
        [BitcoinDefect.BitsTooEasy] = () => ReadBlock(WithBits(Mine(Coinbase()), 0x2100FFFF)),
        [BitcoinDefect.ProofOfWorkMissing] = () => ReadBlock(WithBits(Mine(Coinbase()), 0x1D00FFFF)),
        [BitcoinDefect.TransactionsMissing] = () => ReadBlock([.. Mine(Coinbase())[..80], 0]),
        [BitcoinDefect.CoinbaseMissing] = () => ReadBlock(Mine(Transaction())),
        [BitcoinDefect.CoinbaseMultiple] =
            () => ReadBlock(Mine(Coinbase(), Transaction(), Coinbase([1, 2, 3]))),
        [BitcoinDefect.MerkleRootMismatch] =
            () => ReadBlock(WithoutLast(Mine(Coinbase(), Transaction()), Transaction())),
        [BitcoinDefect.MerkleTreeMutated] = () => ReadBlock(Doubled()),
        [BitcoinDefect.WitnessUnexpected] =
            () => ReadBlock(Mine(Coinbase(), WitnessTransaction(), WithWitness([2]))),
        [BitcoinDefect.WitnessReservedValue] =
            () => ReadBlock(Mine(StripWitness(CommittedCoinbase()), WitnessTransaction())),
        [BitcoinDefect.WitnessCommitmentMismatch] =
            () => ReadBlock(Mine(CommittedCoinbase().Raw.ToArray(), WitnessTransaction())),
        [BitcoinDefect.BlockWeightTooLarge] = () => ReadBlock(Mine(Coinbase(), Large(1), Large(2))),
        [BitcoinDefect.FrameMagic] = () => ReadFile("0102030405060708"),
        [BitcoinDefect.FrameLength] = () => ReadFile("fabfb5da00000000"),
        [BitcoinDefect.FrameTruncated] = () => ReadFile("fabfb5da0001000000"),
    };

    public static TheoryData<BitcoinDefect> Defects => [.. Enum.GetValues<BitcoinDefect>()];

    [Theory]
    [MemberData(nameof(Defects))]
    public void Every_defect_is_reached(BitcoinDefect defect) => Assert.Equal(defect, Cases[defect]().Defect);

    [Theory]
    [InlineData(BitcoinDefect.CompactSizeNotCanonical, 4)]
    [InlineData(BitcoinDefect.TransactionTooLarge, 4)]
    [InlineData(BitcoinDefect.WitnessFlagUnknown, 5)]
    [InlineData(BitcoinDefect.ValueNegative, 4 + 1 + 41 + 1 + 10)]
    [InlineData(BitcoinDefect.ValueSumTooLarge, 4 + 1 + 41 + 1 + 10)]
    [InlineData(BitcoinDefect.InputDuplicate, 4 + 1 + 82)]
    [InlineData(BitcoinDefect.PreviousOutputNull, 4 + 1 + 41)]
    [InlineData(BitcoinDefect.BlockTooLarge, 80)]
    [InlineData(BitcoinDefect.BitsInvalid, 72)]
    [InlineData(BitcoinDefect.BitsTooEasy, 72)]
    [InlineData(BitcoinDefect.ProofOfWorkMissing, 76)]
    [InlineData(BitcoinDefect.TransactionsMissing, 80)]
    [InlineData(BitcoinDefect.CoinbaseMissing, 81)]
    [InlineData(BitcoinDefect.CoinbaseMultiple, 81 + 62 + 61)]
    [InlineData(BitcoinDefect.MerkleRootMismatch, 36)]
    [InlineData(BitcoinDefect.WitnessUnexpected, 81 + 62)]
    [InlineData(BitcoinDefect.FrameLength, 4)]
    [InlineData(BitcoinDefect.FrameTruncated, 9)]
    public void A_defect_is_reported_where_it_is(BitcoinDefect defect, int offset) =>
        Assert.Equal(ParseResult<BitcoinDefect>.Invalid(defect, offset), Cases[defect]());

    // The reserved value must be there, alone, and of 32 bytes.
    [Theory]
    [InlineData(BitcoinDefect.None, 32)]
    [InlineData(BitcoinDefect.WitnessReservedValue, 31)]
    [InlineData(BitcoinDefect.WitnessReservedValue, 33)]
    [InlineData(BitcoinDefect.WitnessReservedValue, 32, 32)]
    [InlineData(BitcoinDefect.WitnessReservedValue, 0)]
    public void The_coinbases_witness_is_one_item_of_32_bytes(BitcoinDefect expected, params int[] items)
    {
        BitcoinTransaction committed =
            BitcoinData.Read(Committed(WitnessTransaction()), BitcoinData.Regtest)[0];
        byte[] coinbase = WithOutput(committed, script: null, items);
        Assert.Equal(expected, ReadBlock(Mine(coinbase, WitnessTransaction())).Defect);
    }

    [Fact]
    public void An_output_too_short_for_a_commitment_is_none()
    {
        BitcoinTransaction committed =
            BitcoinData.Read(Committed(WitnessTransaction()), BitcoinData.Regtest)[0];
        for (int bytes = 6; bytes < 38; bytes++)
        {
            byte[] script = [.. WitnessCommitment.Prefix, .. new byte[bytes - 6]];
            byte[] coinbase = WithOutput(committed, script, 32);
            Assert.Equal(BitcoinDefect.None, ReadBlock(Mine(coinbase, WitnessTransaction())).Defect);
        }
        byte[] longEnough = WithOutput(committed, [.. WitnessCommitment.Prefix, .. new byte[32]], 32);
        byte[] block = Mine(longEnough, WitnessTransaction());
        Assert.Equal(BitcoinDefect.WitnessCommitmentMismatch, ReadBlock(block).Defect);
    }

    [Fact]
    public void Witnesses_must_match_their_commitment_in_blocks_that_claim_no_height_too()
    {
        byte[] block = Mine(version: 1, CommittedCoinbase().Raw.ToArray(), WitnessTransaction());
        Assert.Equal(BitcoinDefect.WitnessCommitmentMismatch, ReadBlock(block).Defect);
    }

    [Fact]
    public void A_coinbase_script_of_one_byte_is_too_short_and_2_to_100_bytes_are_right()
    {
        Assert.Equal(BitcoinDefect.CoinbaseScriptLength, Check(Coinbase([1])).Defect);
        Assert.Equal(BitcoinDefect.None, Check(Coinbase([1, 2])).Defect);
        Assert.Equal(BitcoinDefect.None, Check(Coinbase(new byte[100])).Defect);
    }

    // Up to sixteen inputs are compared on the stack, more in rented memory.
    [Theory]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(3000)]
    public void A_duplicate_is_found_among_any_number_of_inputs(int count)
    {
        BitcoinHash[] inputs = new BitcoinHash[count];
        byte[] bytes = new byte[32];
        var random = new Random(count);
        for (int i = 0; i < count; i++)
        {
            random.NextBytes(bytes);
            inputs[i] = new BitcoinHash(bytes);
        }
        Assert.Equal(BitcoinDefect.None, Check(Build(inputs, [1])).Defect);
        inputs[0] = inputs[^1];
        ParseResult<BitcoinDefect> result = Check(Build(inputs, [1]));
        Assert.Equal(BitcoinDefect.InputDuplicate, result.Defect);
        Assert.Equal(4 + CompactSize.Size((ulong)count) + (41 * (count - 1)), result.Offset);
    }

    [Fact]
    public void The_same_transaction_number_of_another_transaction_is_no_duplicate()
    {
        using var writer = new BitcoinTransactionWriter();
        using var destination = new PooledBuffer();
        writer.Start(1);
        writer.AddInput(Spent, 0, [], 0);
        writer.AddInput(Spent, 1, [], 0);
        writer.AddOutput(1, []);
        writer.Finish(0, destination);
        Assert.Equal(BitcoinDefect.None, Check(destination.WrittenSpan.ToArray()).Defect);
    }

    /// <summary>A regtest block of exactly these transactions.</summary>
    internal static byte[] Mine(params byte[][] transactions) => Mine(version: 2, transactions);

    private static byte[] Mine(int version, params byte[][] transactions)
    {
        using var writer = new BitcoinBlockWriter();
        using var destination = new PooledBuffer();
        writer.Start();
        foreach (byte[] transaction in transactions)
            writer.AddTransaction(transaction);
        var header = new BitcoinHeader { Version = version, Bits = BitcoinNetwork.Regtest.EasiestBits };
        writer.Finish(header, destination);
        return destination.WrittenSpan.ToArray();
    }

    /// <summary>The transaction without its witness.</summary>
    internal static byte[] StripWitness(BitcoinTransaction transaction)
    {
        using var writer = new BitcoinTransactionWriter();
        using var destination = new PooledBuffer();
        writer.Start(transaction.Version);
        foreach (BitcoinInput input in transaction.Inputs)
            writer.AddInput(input.PreviousTxId, input.PreviousOutput, input.Script, input.Sequence);
        foreach (BitcoinOutput output in transaction.Outputs)
            writer.AddOutput(output.Satoshi, output.Script);
        writer.Finish(transaction.LockTime, destination);
        return destination.WrittenSpan.ToArray();
    }

    private static ParseResult<BitcoinDefect> Read(string hex) =>
        BitcoinTransactionReader.TryRead(BitcoinData.Hex(hex), Max, out _);

    private static ParseResult<BitcoinDefect> Check(byte[] raw) =>
        BitcoinTransactionRules.Check(BitcoinData.ReadTransaction(raw));

    private static ParseResult<BitcoinDefect> ReadBlock(byte[] raw) =>
        new BitcoinBlockReader(BitcoinData.Regtest).ReadWhole(raw, new BitcoinBlockIndex(), out _);

    private static ParseResult<BitcoinDefect> ReadFile(string hex) =>
        new BitcoinBlockFileReader(BitcoinData.Regtest, default).TryRead(
            BitcoinData.Hex(hex), 0, BlockFilePart.End, out _);

    private static byte[] Transaction() => Build([Spent], [1]);

    private static byte[] Build(BitcoinHash[] inputs, long[] values, byte[]? script = null)
    {
        using var writer = new BitcoinTransactionWriter();
        using var destination = new PooledBuffer();
        writer.Start(1);
        foreach (BitcoinHash input in inputs)
            writer.AddInput(input, 0, [], 0);
        foreach (long value in values)
            writer.AddOutput(value, script ?? [0x51]);
        writer.Finish(0, destination);
        return destination.WrittenSpan.ToArray();
    }

    private static byte[] Coinbase(byte[]? script = null)
    {
        using var writer = new BitcoinTransactionWriter();
        using var destination = new PooledBuffer();
        writer.Start(1);
        writer.AddInput(default, uint.MaxValue, script ?? [0x51, 0x00], 0);
        writer.AddOutput(1, []);
        writer.Finish(0, destination);
        return destination.WrittenSpan.ToArray();
    }

    private static byte[] WithNullInput()
    {
        using var writer = new BitcoinTransactionWriter();
        using var destination = new PooledBuffer();
        writer.Start(1);
        writer.AddInput(Spent, 0, [], 0);
        writer.AddInput(default, uint.MaxValue, [], 0);
        writer.AddOutput(1, []);
        writer.Finish(0, destination);
        return destination.WrittenSpan.ToArray();
    }

    private static byte[] WitnessTransaction() => WithWitness([1, 2, 3]);

    // Either fits a block of 1,000,000 bytes without witnesses; both together do not.
    private static byte[] Large(long value) => Build([Spent], [value], script: new byte[600_000]);

    private static byte[] WithWitness(byte[] item)
    {
        using var writer = new BitcoinTransactionWriter();
        using var destination = new PooledBuffer();
        writer.Start(1);
        writer.AddInput(Spent, item[0], [], 0, witnessItems: 1);
        writer.AddWitnessItem(item);
        writer.AddOutput(1, []);
        writer.Finish(0, destination);
        return destination.WrittenSpan.ToArray();
    }

    // The coinbase with another witness, of zeros, and perhaps another output.
    private static byte[] WithOutput(BitcoinTransaction coinbase, byte[]? script, params int[] witness)
    {
        using var writer = new BitcoinTransactionWriter();
        using var destination = new PooledBuffer();
        writer.Start(coinbase.Version);
        foreach (BitcoinInput input in coinbase.Inputs)
            writer.AddInput(default, uint.MaxValue, input.Script, input.Sequence, witness.Length);
        foreach (int bytes in witness)
            writer.AddWitnessItem(new byte[bytes]);
        foreach (BitcoinOutput output in coinbase.Outputs)
            writer.AddOutput(output.Satoshi, output.Script);
        if (script is not null)
            writer.AddOutput(0, script);
        writer.Finish(coinbase.LockTime, destination);
        return destination.WrittenSpan.ToArray();
    }

    // It commits to a block of its own, of no other transaction.
    private static BitcoinTransaction CommittedCoinbase() =>
        BitcoinData.Read(Committed(), BitcoinData.Regtest)[0];

    private static byte[] Committed(params byte[][] transactions)
    {
        using var writer = new BitcoinBlockWriter();
        using var destination = new PooledBuffer();
        writer.Start();
        foreach (byte[] transaction in transactions)
            writer.AddTransaction(transaction);
        var template = new BitcoinBlockTemplate
        {
            PreviousHash = default,
            TimeSeconds = 0,
            Height = 1,
            CoinbaseSatoshi = 1,
            CoinbaseScript = default,
        };
        writer.FinishWithCoinbase(template, destination);
        return destination.WrittenSpan.ToArray();
    }

    private static byte[] WithBits(byte[] block, uint bits)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(72), bits);
        return block;
    }

    private static byte[] WithoutLast(byte[] block, byte[] last)
    {
        block[80]--;
        return block[..^last.Length];
    }

    // Three transactions and the third again: the same merkle root as three.
    private static byte[] Doubled()
    {
        byte[] second = Transaction();
        byte[] third = Build([Spent], [2]);
        byte[] block = Mine(Coinbase(), second, third);
        block[80]++;
        return [.. block, .. third];
    }
}
