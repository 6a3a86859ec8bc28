using Streams.Connect;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Connectors.Chain;
using Streams.Errors;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin.Simulation;

/// <summary>The source kind <c>bitcoin-simulated</c>.</summary>
public sealed class BitcoinSimulatedSourceTests
{
    private static readonly SimulationOptions Options = new()
    {
        TransactionsPerBlock = 30,
        TransactionsPerSecond = 0,
        BlocksMax = 220,
        InjectionsPerMillion = 5_000,
        CorruptBlocksPerThousand = 50,
        DuplicateBlocksPerThousand = 50,
    };

    [Fact]
    public void Every_transaction_becomes_a_record_and_every_damaged_block_a_dead_letter()
    {
        using var feed = new SimulatedFeed();
        var truth = new SimulationTruth();
        Assert.Equal(SourceStatus.Done, feed.Run(Options, truth: truth));

        List<ChainTransaction> records = [.. feed.Transactions().Select(Decode)];
        Assert.Equal(220, records.Select(r => r.BlockHash).Distinct().Count());
        Assert.Equal(records.Count, records.Select(r => r.TxId).Distinct().Count());
        Assert.Equal(Enumerable.Range(0, records.Count).Select(i => (long)i), records.Select(r => r.Seq));
        Assert.All(records, r => Assert.Equal(Network.Regtest, r.Network));
        Assert.Equal(220, feed.Counts.Own["blocks"]);
        Assert.Equal(records.Count, feed.Counts.Own["transactions"]);

        var injected = truth.Snapshot().CountBy(i => i.Typology).ToDictionary();
        int damaged = injected[SimulatedTypology.FlippedBit] + injected[SimulatedTypology.TruncatedBlock];
        Assert.Equal(damaged, feed.Counts.Own["blocks_refused"]);
        Assert.Equal(injected[SimulatedTypology.DuplicateBlock], feed.Counts.Own["duplicate_blocks"]);
        List<DeadLetter> letters = feed.DeadLetters();
        Assert.Equal(damaged, letters.Count);
        Assert.All(letters, l => Assert.True(l.Value is { Length: > 80 } && l.Location is not null));
    }

    [Fact]
    public void Every_input_byte_is_counted()
    {
        using var feed = new SimulatedFeed();
        feed.Run(Options);
        long bytes = 0;
        using var simulator = new BlockSimulator(Options);
        while (simulator.TryNext(out SimulatedDelivery delivery))
            bytes += delivery.Bytes.Length;
        Assert.Equal(bytes, feed.Counts.Bytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(57)]
    [InlineData(190)]
    [InlineData(229)]
    public void A_process_that_dies_goes_on_where_it_committed_last_and_the_records_are_the_same(int reads)
    {
        using var whole = new SimulatedFeed();
        whole.Run(Options);
        using var feed = new SimulatedFeed();
        feed.Run(Options, reads, lostReads: 7);
        Assert.Equal(SourceStatus.More, feed.Run(Options, reads: 3, lostReads: 2));
        Assert.Equal(SourceStatus.Done, feed.Run(Options));
        Assert.Equal(whole.Transactions(), feed.Transactions());
        Assert.Equal(
            whole.DeadLetters().Select(l => $"{l.Location} {l.Reason}"),
            feed.DeadLetters().Select(l => $"{l.Location} {l.Reason}"));
    }

    [Fact]
    public void The_truth_is_the_same_after_a_restart()
    {
        using var feed = new SimulatedFeed();
        var truth = new SimulationTruth();
        feed.Run(Options, reads: 150, truth: truth);
        feed.Run(Options, truth: truth);
        var undisturbed = new SimulationTruth();
        using var whole = new SimulatedFeed();
        whole.Run(Options, truth: undisturbed);
        Assert.Equal(undisturbed.Snapshot().Select(Text), truth.Snapshot().Select(Text));

        static string Text(Injection i) =>
            $"{i.Number} {i.Typology} {i.FiresOn} {string.Join(",", i.Transactions)} {i.Height}";
    }

    [Theory]
    [InlineData(9, 30)]
    [InlineData(1, 31)]
    public void Other_options_than_those_of_the_run_before_are_refused(long seed, int transactionsPerBlock)
    {
        using var feed = new SimulatedFeed();
        feed.Run(Options, reads: 180);
        SimulationOptions other = Options with { Seed = seed, TransactionsPerBlock = transactionsPerBlock };
        var e = Assert.Throws<ConfigurationException>(() => feed.Run(other));
        Assert.Contains("other options", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Transactions_come_at_the_rate_that_was_asked_for()
    {
        using var feed = new SimulatedFeed();
        SimulationOptions paced =
            Options with { TransactionsPerSecond = 100, Duration = TimeSpan.FromSeconds(20) };
        var source = new BitcoinSimulatedSource(paced);
        int reads = 0;
        feed.Run(() => new Observed(source, () =>
        {
            reads++;
            feed.Clock.Advance(TimeSpan.FromMilliseconds(10));
        }));
        // A read is a hundredth of a second, and the last block may be over the rate.
        Assert.InRange(reads, 1990, 2010);
        Assert.InRange(feed.Transactions().Count, 1970, 2040);
    }

    [Fact]
    public void A_feed_that_was_held_up_makes_up_for_a_second_at_most()
    {
        using var feed = new SimulatedFeed();
        SimulationOptions paced =
            Options with { TransactionsPerSecond = 50, Duration = TimeSpan.FromMinutes(10) };
        bool held = false;
        feed.Run(() => new Observed(new BitcoinSimulatedSource(paced), () =>
        {
            feed.Clock.Advance(held ? TimeSpan.FromMilliseconds(10) : TimeSpan.FromMinutes(9.5));
            held = true;
        }));
        Assert.InRange(feed.Transactions().Count, 1500, 1630);
    }

    [Fact]
    public void It_ends_after_its_duration()
    {
        using var feed = new SimulatedFeed();
        SimulationOptions options = Options with { BlocksMax = 0, Duration = TimeSpan.FromSeconds(5) };
        Assert.Equal(
            SourceStatus.Done,
            feed.Run(() => new Observed(
                new BitcoinSimulatedSource(options), () =>
                    feed.Clock.Advance(TimeSpan.FromMilliseconds(100)))));
        string[] counts = ["blocks", "blocks_refused", "duplicate_blocks"];
        Assert.Equal(50, counts.Sum(c => feed.Counts.Own.GetValueOrDefault(c)));
    }

    private static ChainTransaction Decode(byte[] record) =>
        RecordSerde.Protobuf<ChainTransaction>().Deserialize(record);

    /// <summary>A source that says when it is read, and reads again where there was nothing.</summary>
    private sealed class Observed(BitcoinSimulatedSource source, Action onRead)
        : ISource<Bytes32, ChainTransaction>
    {
        public void Open(SourceContext context) => source.Open(context);

        public async ValueTask<SourceStatus> ReadAsync(
            SourceOutput<Bytes32, ChainTransaction> output, CancellationToken cancellation)
        {
            SourceStatus status = await source.ReadAsync(output, cancellation);
            onRead();
            return status == SourceStatus.Idle ? SourceStatus.More : status;
        }

        public void Dispose() => source.Dispose();
    }
}
