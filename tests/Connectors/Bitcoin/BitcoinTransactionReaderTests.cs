using System.Buffers;
using System.Text.Json;
using Streams.Buffers;
using Streams.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class BitcoinTransactionReaderTests
{
    private const int Max = BitcoinData.TransactionBytesMax;

    // BIP143, "Native P2WPKH": the signed transaction, whose parts the text spells out.
    private const string Bip143 =
        "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f000000004948304502"
        + "21008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1"
        + "c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287"
        + "d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac"
        + "7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609"
        + "e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f33"
        + "58f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07ae"
        + "ee635711000000";

    [Fact]
    public void A_witness_transaction_shows_its_parts()
    {
        BitcoinTransaction transaction = BitcoinData.ReadTransaction(BitcoinData.Hex(Bip143));
        Assert.Equal(1u, transaction.Version);
        Assert.Equal(17u, transaction.LockTime);
        Assert.Equal(2, transaction.InputCount);
        Assert.Equal(2, transaction.OutputCount);
        Assert.True(transaction.HasWitness);
        Assert.False(transaction.IsCoinbase);

        BitcoinInputs.Enumerator inputs = transaction.Inputs.GetEnumerator();
        Assert.True(inputs.MoveNext());
        Assert.Equal(
            "9f96ade4b41d5433f4eda31e1738ec2b36f6e7d1420d94a6af99801a88f7f7ff",
            inputs.Current.PreviousTxId.ToString());
        Assert.Equal(0u, inputs.Current.PreviousOutput);
        Assert.Equal(0xFFFFFFEEu, inputs.Current.Sequence);
        Assert.Equal(73, inputs.Current.Script.Length);
        Assert.Equal(0, inputs.Current.Witness.Count);
        Assert.True(inputs.MoveNext());
        Assert.Equal(1u, inputs.Current.PreviousOutput);
        Assert.Equal(0xFFFFFFFFu, inputs.Current.Sequence);
        Assert.True(inputs.Current.Script.IsEmpty);
        Assert.Equal(2, inputs.Current.Witness.Count);
        var lengths = new List<int>();
        foreach (ReadOnlySpan<byte> item in inputs.Current.Witness)
            lengths.Add(item.Length);
        Assert.Equal([71, 33], lengths);
        Assert.False(inputs.MoveNext());

        BitcoinOutputs.Enumerator outputs = transaction.Outputs.GetEnumerator();
        Assert.True(outputs.MoveNext());
        Assert.Equal(112_340_000, outputs.Current.Satoshi);
        Assert.True(outputs.MoveNext());
        Assert.Equal(223_450_000, outputs.Current.Satoshi);
        Assert.Equal(25, outputs.Current.Script.Length);
        Assert.False(outputs.MoveNext());
    }

    [Fact]
    public void Sizes_and_hashes_of_a_witness_transaction_leave_the_witness_out_where_they_should()
    {
        byte[] raw = BitcoinData.Hex(Bip143);
        BitcoinTransaction transaction = BitcoinData.ReadTransaction(raw);
        int witnessBytes = 1 + 1 + 1 + 71 + 1 + 33;
        Assert.Equal(raw.Length - witnessBytes - 2, transaction.StrippedBytes);
        Assert.Equal((4 * transaction.StrippedBytes) + witnessBytes + 2, transaction.Weight);
        Assert.Equal((transaction.Weight + 3) / 4, transaction.VirtualBytes);
        byte[] stripped = [.. raw[..4], .. raw[6..(raw.Length - 4 - witnessBytes)], .. raw[^4..]];
        Assert.Equal(BitcoinData.ReadTransaction(stripped).ComputeTxId(), transaction.ComputeTxId());
        Assert.NotEqual(transaction.ComputeTxId(), transaction.ComputeWitnessTxId());
    }

    [Fact]
    public void Every_transaction_of_Cores_vectors_is_read_and_written_again_byte_for_byte()
    {
        List<byte[]> transactions = BitcoinData.CoreTransactions();
        Assert.Equal(121 + 93 + 500, transactions.Count);
        foreach (byte[] raw in transactions)
            Assert.Equal(raw, BitcoinData.Rewrite(BitcoinData.ReadTransaction(raw)));
    }

    [Fact]
    public void Cores_valid_transactions_pass_the_rules_and_those_marked_bad_do_not()
    {
        foreach (JsonElement row in BitcoinData.Json("core/tx_valid.json").EnumerateArray())
        {
            if (row.GetArrayLength() == 3)
                Assert.Equal(BitcoinDefect.None, Check(row[1]));
        }
        int bad = 0;
        foreach (JsonElement row in BitcoinData.Json("core/tx_invalid.json").EnumerateArray())
        {
            if (row.GetArrayLength() != 3)
                continue;
            // The others are refused for their scripts, which the rules do not look at.
            bool isBad = row[2].GetString() == "BADTX";
            Assert.Equal(isBad, Check(row[1]) != BitcoinDefect.None);
            bad += isBad ? 1 : 0;
        }
        Assert.True(bad > 5, $"only {bad} vectors are marked BADTX");
    }

    [Fact]
    public void Every_truncation_asks_for_more_and_consumes_nothing()
    {
        using var scratch = new PooledBuffer();
        foreach (byte[] raw in BitcoinData.CoreTransactions().Append(BitcoinData.Hex(Bip143)))
        {
            for (int cut = 0; cut < raw.Length; cut++)
            {
                var result =
                    BitcoinTransactionReader.TryRead(raw.AsSpan(0, cut), Max, out BitcoinTransaction none);
                Assert.Equal(ParseStatus.NeedMoreData, result.Status);
                Assert.True(none.Raw.IsEmpty);
                var reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(raw, 0, cut));
                result = BitcoinTransactionReader.TryRead(ref reader, Max, scratch, out _);
                Assert.Equal(ParseStatus.NeedMoreData, result.Status);
                Assert.Equal(0, reader.Consumed);
            }
        }
    }

    [Fact]
    public void Every_split_over_two_segments_gives_the_same_transaction()
    {
        using var scratch = new PooledBuffer();
        foreach (byte[] raw in BitcoinData.CoreTransactions().Append(BitcoinData.Hex(Bip143)))
        {
            BitcoinHash expected = BitcoinData.ReadTransaction(raw).ComputeWitnessTxId();
            byte[] followed = [.. raw, 0xAA, 0xBB];
            for (int split = 0; split <= followed.Length; split++)
            {
                var reader = new SequenceReader<byte>(Segments.Of(followed[..split], followed[split..]));
                ParseResult<BitcoinDefect> result =
                    BitcoinTransactionReader.TryRead(
                        ref reader, Max, scratch, out BitcoinTransaction transaction);
                Assert.True(result.IsDone, $"{result} at split {split}");
                Assert.Equal(raw.Length, reader.Consumed);
                Assert.Equal(expected, transaction.ComputeWitnessTxId());
            }
        }
    }

    [Fact]
    public void Byte_by_byte_and_behind_other_bytes_a_transaction_is_found_all_the_same()
    {
        byte[] raw = BitcoinData.Hex(Bip143);
        using var scratch = new PooledBuffer();
        var reader = new SequenceReader<byte>(Segments.Of([.. raw.Select(b => new[] { b })]));
        Assert.True(
            BitcoinTransactionReader.TryRead(ref reader, Max, scratch, out BitcoinTransaction first).IsDone);
        Assert.Equal(raw, first.Raw.ToArray());
        Assert.True(reader.End);

        // Larger than what is first copied together, and in the middle of a sequence.
        byte[] large = LargeTransaction(outputs: 3000);
        reader = new SequenceReader<byte>(Segments.Of([1, 2, 3, .. large[..10_000]], large[10_000..], [9]));
        reader.Advance(3);
        Assert.True(
            BitcoinTransactionReader.TryRead(ref reader, Max, scratch, out BitcoinTransaction second).IsDone);
        Assert.Equal(large, second.Raw.ToArray());
        Assert.Equal(1, reader.Remaining);
    }

    [Fact]
    public void Defects_in_later_segments_are_reported_and_consume_nothing()
    {
        byte[] raw = BitcoinData.Hex(Bip143);
        raw[5] = 2;
        using var scratch = new PooledBuffer();
        for (int split = 1; split < 10; split++)
        {
            var reader = new SequenceReader<byte>(Segments.Of(raw[..split], raw[split..]));
            var result = BitcoinTransactionReader.TryRead(ref reader, Max, scratch, out _);
            Assert.Equal(ParseResult<BitcoinDefect>.Invalid(BitcoinDefect.WitnessFlagUnknown, 5), result);
            Assert.Equal(0, reader.Consumed);
        }
    }

    // Version 1, then a count of 2^64-1, 2^32-1 and 2^16-1 inputs; then as long a script in the first input.
    [Theory]
    [InlineData("01000000ffffffffffffffffff", 4, BitcoinDefect.TransactionTooLarge)]
    [InlineData("01000000feffffffff", 4, BitcoinDefect.TransactionTooLarge)]
    [InlineData("01000000fea0860100", 4, BitcoinDefect.TransactionTooLarge)]
    [InlineData(
        "0100000001" + "000000000000000000000000000000000000000000000000000000000000000000000000"
        + "ff0000000001000000",
        41, BitcoinDefect.TransactionTooLarge)]
    [InlineData("01000000fd0100", 4, BitcoinDefect.CompactSizeNotCanonical)]
    public void Absurd_and_ambiguous_counts_are_refused_at_once(string hex, int offset, BitcoinDefect defect)
    {
        var result = BitcoinTransactionReader.TryRead(BitcoinData.Hex(hex), Max, out _);
        Assert.Equal(ParseResult<BitcoinDefect>.Invalid(defect, offset), result);
    }

    [Fact]
    public void A_count_that_is_possible_is_waited_for() =>
        Assert.Equal(
            ParseStatus.NeedMoreData,
            BitcoinTransactionReader.TryRead(BitcoinData.Hex("01000000fdffff"), Max, out _).Status);

    [Fact]
    public void The_limit_is_kept_to_the_byte_and_nothing_over_it_is_waited_for()
    {
        byte[] raw = BitcoinData.Hex(Bip143);
        Assert.True(BitcoinTransactionReader.TryRead(raw, raw.Length, out _).IsDone);
        for (int limit = 0; limit < raw.Length; limit++)
        {
            var result = BitcoinTransactionReader.TryRead(raw, limit, out _);
            Assert.Equal(BitcoinDefect.TransactionTooLarge, result.Defect);
            result = BitcoinTransactionReader.TryRead(raw.AsSpan(0, limit), limit, out _);
            Assert.Equal(BitcoinDefect.TransactionTooLarge, result.Defect);
        }
    }

    [Fact]
    public void A_transaction_without_inputs_and_outputs_is_the_one_reading_of_two_zero_counts()
    {
        BitcoinTransaction empty = BitcoinData.ReadTransaction(BitcoinData.Hex("01000000000011000000"));
        Assert.Equal(0, empty.InputCount + empty.OutputCount);
        Assert.Equal(17u, empty.LockTime);
        Assert.False(empty.HasWitness);
        Assert.False(empty.IsCoinbase);
        Assert.Equal(BitcoinDefect.InputsMissing, BitcoinTransactionRules.Check(empty).Defect);
    }

    [Fact]
    public void Reading_and_hashing_allocate_nothing_in_one_segment_or_several()
    {
        byte[] raw = BitcoinData.Hex(Bip143);
        using var scratch = new PooledBuffer(4096);
        ReadOnlySequence<byte> split = Segments.Of(raw[..100], raw[100..]);
        long satoshi = 0;
        Allocation.AssertNone(() =>
        {
            BitcoinTransactionReader.TryRead(raw, Max, out BitcoinTransaction transaction);
            foreach (BitcoinInput input in transaction.Inputs)
                satoshi += input.Witness.Count;
            foreach (BitcoinOutput output in transaction.Outputs)
                satoshi += output.Satoshi;
            satoshi += transaction.ComputeTxId().GetHashCode();
            satoshi += transaction.ComputeWitnessTxId().GetHashCode();
            satoshi += (long)BitcoinTransactionRules.Check(transaction).Status;
            var reader = new SequenceReader<byte>(split);
            BitcoinTransactionReader.TryRead(ref reader, Max, scratch, out transaction);
            satoshi += transaction.VirtualBytes;
        });
        Assert.NotEqual(0, satoshi);
    }

    private static BitcoinDefect Check(JsonElement hex) =>
        BitcoinTransactionRules.Check(BitcoinData.ReadTransaction(BitcoinData.Hex(hex.GetString()))).Defect;

    private static byte[] LargeTransaction(int outputs)
    {
        using var writer = new BitcoinTransactionWriter();
        using var destination = new PooledBuffer();
        writer.Start(2);
        writer.AddInput(default, 0, [], 0);
        for (int i = 0; i < outputs; i++)
            writer.AddOutput(i, [0x51]);
        writer.Finish(0, destination);
        return destination.WrittenSpan.ToArray();
    }
}
