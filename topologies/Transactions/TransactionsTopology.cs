using Streams.Connectors.Chain;
using Streams.Connectors.Http;
using Streams.Dsl;
using Streams.Log;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Topologies.Transactions.Prices;
using Streams.Topologies.Transactions.Tags;

namespace Streams.Topologies.Transactions;

/// <summary>How the transactions topology is set up.</summary>
public sealed record TransactionsOptions
{
    /// <summary>Thresholds of the rules.</summary>
    public RiskOptions Risk { get; init; } = new();

    /// <summary>Blocks that can be retracted. Default 6, as the source's finality.</summary>
    public int FinalityBlocks { get; init; } = 6;

    /// <summary>How long a transaction is remembered to recognise it when it comes again. Default 24
    /// h.</summary>
    public TimeSpan DeduplicateWithin { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long after its end an hour of the hourly totals still takes late blocks. Default 2 h, by
    /// which a block's time may be ahead.</summary>
    public TimeSpan HourGrace { get; init; } = TimeSpan.FromHours(2);

    /// <summary>How another system is asked about the transactions of alerts, where one is.</summary>
    public AsyncCallOptions LookupCalls { get; init; } = new AlertLookupOptions().Calls;

    /// <summary>Bound on the memory of each store, in bytes. Default 16 GiB.</summary>
    public long StateBytesMax { get; init; } = 16L << 30;
}

/// <summary>
/// From transactions to risk-scored transactions and alerts: drops what comes twice, looks up what is spent,
/// recognises patterns, tags and entities, applies the rules.
/// </summary>
/// <remarks>
/// A chain is analysed in its own order, by one task: an address's history, an entity, a peel chain need the
/// transactions before. docs/decisions/0005-one-task-per-chain.md weighs that.
/// </remarks>
public static class TransactionsTopology
{
    /// <summary>Transactions as read (CSIC-012): key is the transaction id.</summary>
    public const string Transactions = "transactions";

    /// <summary>Transactions with analysis.</summary>
    public const string Enriched = "transactions.enriched";

    /// <summary>One record per transaction and rule that calls for action.</summary>
    public const string Alerts = "alerts";

    /// <summary>Alerts with what another system says of their transactions, where one is asked.</summary>
    public const string AlertLookups = "alerts.enriched";

    /// <summary>Entities as they change.</summary>
    public const string Entities = "entities";

    /// <summary>Totals per hour and level, once the hour is over.</summary>
    public const string RiskHourly = "risk.hourly";

    /// <summary>What could not be read or processed.</summary>
    public const string DeadLetters = "transactions.dead-letter";

    private static readonly Serde<ChainTransaction> TransactionSerde = RecordSerde.Protobuf<ChainTransaction>(
        );

    /// <summary>Builds the topology.</summary>
    /// <param name="options">How it is set up.</param>
    /// <param name="tags">The label set.</param>
    /// <param name="counts">Counts what is dropped as a duplicate.</param>
    /// <param name="prices">Prices for limits in dollars; without them, limits are in base units.</param>
    /// <param name="lookup">Asked about the transactions of alerts; without it, nobody is.</param>
    public static Topology Build(
        TransactionsOptions options, TagTable tags, TransactionsCounts? counts = null,
        PriceTable? prices = null, HttpLookup? lookup = null)
    {
        var builder = new StreamsBuilder();
        Declare(builder);
        AddStores(builder, options);
        var rolledBack = new SideOutput<Bytes32, RolledBackEntry>("rolled-back");
        var entities = new SideOutput<long, Entity>("entities");
        var risk = new SideOutput<RiskLevel, BlockRisk>("risk");

        ProcessedStreams<Bytes32, ChainTransaction> tracked = builder
            .Stream(Transactions,
                new Consumed<Bytes32, ChainTransaction>(Serdes.Bytes32, TransactionSerde) { Name = "read" })
            .Process(
                () => new BlockTracker(options.FinalityBlocks, rolledBack),
                new ProcessOptions("track-blocks", BlockTracker.Store),
                Serdes.Bytes32, TransactionSerde);
        ProcessedStreams<Bytes32, ChainTransaction> analysed = Deduplicated(
            tracked.Main, options, counts).Process(
            () => new AnalysisProcessor(options.Risk, tags, prices ?? PriceTable.Empty, entities, risk),
            new ProcessOptions("analyse", AnalysisProcessor.Outputs, AnalysisProcessor.Addresses,
                AnalysisProcessor.Entities),
            Serdes.Bytes32, TransactionSerde);

        analysed.Main.To(Enriched, new Produced<Bytes32, ChainTransaction> { Name = "write-enriched" });
        KStream<Text, Alert> alerts = WriteAlerts(analysed.Main, options.Risk);
        if (lookup is not null)
            WriteLookups(builder, alerts.LookUp(lookup, options.LookupCalls));
        WriteEntities(tracked.Side(rolledBack), analysed.Side(entities));
        WriteHours(analysed.Side(risk), options);
        return builder.Build();
    }

    private static void Declare(StreamsBuilder builder)
    {
        builder.Topic(new TopicSpec { Name = Enriched, Schema = ChainTransaction.RecordType.Name });
        // A backfill looks up here what was delivered: as far back as it can reach.
        builder.Topic(new TopicSpec { Name = Alerts, Schema = Alert.RecordType.Name, Retention = null });
        builder.Topic(new TopicSpec
        {
            Name = Entities,
            Schema = Entity.RecordType.Name,
            Compacted = true,
            Retention = null,
        });
        builder.Topic(new TopicSpec { Name = RiskHourly, Schema = RiskHour.RecordType.Name });
    }

    private static void AddStores(StreamsBuilder builder, TransactionsOptions options)
    {
        StoreOptions Named(string name) => new() { Name = name, StateBytesMax = options.StateBytesMax };
        builder.AddStateStore(Stores.Bytes(Named(BlockTracker.Store)));
        builder.AddStateStore(Stores.Bytes(Named(AnalysisProcessor.Outputs), savepoints: true));
        builder.AddStateStore(Stores.Bytes(Named(AnalysisProcessor.Addresses), savepoints: true));
        builder.AddStateStore(Stores.Bytes(Named(AnalysisProcessor.Entities), savepoints: true));
    }

    private static KStream<Bytes32, ChainTransaction> Deduplicated(
        KStream<Bytes32, ChainTransaction> transactions, TransactionsOptions options,
        TransactionsCounts? counts) =>
        transactions
            .SelectKey((_, tx) => DeduplicationKey.Of(tx), "key-by-occurrence")
            .Deduplicate(options.DeduplicateWithin, new DeduplicationKeySerde(), new DeduplicateOptions
            {
                Name = "deduplicate",
                StoreName = "seen",
                Savepoints = true,
                StateBytesMax = options.StateBytesMax,
                OnDuplicate = counts is null ? null : counts.AddDuplicate,
            })
            .SelectKey((_, tx) => tx.TxId, "key-by-id");

    private static KStream<Text, Alert> WriteAlerts(
        KStream<Bytes32, ChainTransaction> enriched, RiskOptions options)
    {
        var writer = new AlertWriter(options.AlertScoreMin);
        KStream<Text, Alert> alerts = enriched.FlatMap<Text, Alert>(writer.Write, "make-alerts");
        alerts.To(Alerts, new Produced<Text, Alert>
        {
            Name = "write-alerts",
            KeySerde = Serdes.Text,
            ValueSerde = RecordSerde.Protobuf<Alert>(),
            DeliverOnce = true,
            Identity = AlertWriter.Identify,
        });
        return alerts;
    }

    private static void WriteLookups(StreamsBuilder builder, KStream<Text, AlertLookup> lookups)
    {
        builder.Topic(new TopicSpec { Name = AlertLookups, Schema = AlertLookup.RecordType.Name });
        lookups.To(AlertLookups, new Produced<Text, AlertLookup>
        {
            Name = "write-alert-lookups",
            KeySerde = Serdes.Text,
        });
    }

    // A rollback tells which entities it set back; their records follow.
    private static void WriteEntities(
        KStream<Bytes32, RolledBackEntry> rolledBack, KStream<long, Entity> changed) =>
        rolledBack
            .Filter((_, entry) => entry.Store == AnalysisProcessor.Entities
                && EntityRecords.IdOf(entry.Key) != 0, "entities-set-back")
            .Process(
                () =>
                    new EntityRestorer(), new ProcessOptions("restore-entities", AnalysisProcessor.Entities),
                Serdes.Int64, RecordSerde.Protobuf<Entity>())
            .Main
            .Merge(changed, "all-entities")
            .To(Entities, new Produced<long, Entity>
            {
                Name = "write-entities",
                KeySerde = Serdes.Int64,
                ValueSerde = RecordSerde.Protobuf<Entity>(),
            });

    private static void WriteHours(KStream<RiskLevel, BlockRisk> risk, TransactionsOptions options)
    {
        TimeWindows hours = TimeWindows.OfSizeAndGrace(TimeSpan.FromHours(1), options.HourGrace);
        risk
            .GroupByKey(new Grouped<RiskLevel, BlockRisk>
            {
                Name = "risk-by-level",
                KeySerde = new RiskLevelSerde(),
                ValueSerde = new BlockRiskSerde(),
            })
            .WindowedBy(hours)
            .Aggregate(
                () => default,
                (_, block, hour) => new BlockRisk
                {
                    Transactions = hour.Transactions + block.Transactions,
                    ValueBase = hour.ValueBase + block.ValueBase,
                },
                new Materialized<RiskLevel, BlockRisk>
                {
                    StoreName = "risk-hours",
                    ValueSerde = new BlockRiskSerde(),
                })
            .Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()) with
            {
                StoreName = "risk-hours-open",
            })
            .ToStream("closed-hours")
            .Map((window, total) => (window.StartMs, HourOf(window, total)), "make-hours")
            .To(RiskHourly, new Produced<long, RiskHour>
            {
                Name = "write-hours",
                KeySerde = Serdes.Int64,
                ValueSerde = RecordSerde.Protobuf<RiskHour>(),
            });
    }

    private static RiskHour HourOf(Windowed<RiskLevel> window, BlockRisk total) => new()
    {
        HourStartNs = window.StartMs * 1_000_000,
        Level = window.Key,
        Transactions = total.Transactions,
        ValueBase = total.ValueBase,
    };
}

/// <summary>What the topology counts beside its outputs, over all tasks of this process.</summary>
public sealed class TransactionsCounts
{
    private long _duplicates;

    /// <summary>Transactions that came again.</summary>
    public long Duplicates => Interlocked.Read(ref _duplicates);

    internal void AddDuplicate() => Interlocked.Increment(ref _duplicates);
}
