using Streams.Connect;
using Streams.Connectors.Chain;
using Streams.Connectors.Http;
using Streams.Log;
using Streams.Topologies.Transactions.Prices;
using Streams.Topologies.Transactions.Tags;

namespace Streams.Topologies.Transactions;

/// <summary>The options of the transactions topology as a configuration has them.</summary>
public sealed record TransactionsSetupOptions
{
    /// <summary>Where the labels of addresses come from.</summary>
    public TagOptions Labels { get; init; } = new();

    /// <summary>Where prices come from.</summary>
    public PriceOptions Prices { get; init; } = new();

    /// <summary>Thresholds of the rules.</summary>
    public RiskOptions Risk { get; init; } = new();

    /// <summary>Blocks that can be retracted. Default 6; not less than the source's.</summary>
    public int FinalityBlocks { get; init; } = 6;

    /// <summary>How long a transaction is remembered to recognise it when it comes again. Default 24
    /// h.</summary>
    public TimeSpan DeduplicateWithin { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long after its end an hour of the hourly totals still takes late blocks. Default 2
    /// h.</summary>
    public TimeSpan HourGrace { get; init; } = TimeSpan.FromHours(2);

    /// <summary>Another system that is asked about the transactions of alerts.</summary>
    public AlertLookupOptions AlertLookup { get; init; } = new();

    /// <summary>Bound on the memory of each store, in bytes. Default 16 GiB.</summary>
    public long StateBytesMax { get; init; } = 16L << 30;
}

/// <summary>Registers the transactions topology.</summary>
internal sealed class TransactionsKind : TopologyKind
{
    public override string Name => "transactions";

    public override string Doc => "Risk-scored transactions and alerts from the blocks of a chain.";

    public override Type Options => typeof(TransactionsSetupOptions);

    internal override IReadOnlyList<TopicFormat> Formats => TransactionsTables.Formats;

    internal override BuiltTopology Build(object options)
    {
        var setup = (TransactionsSetupOptions)options;
        setup.Risk.Validate();
        LoadedTags labels = TagLoader.Load(setup.Labels);
        PriceTable prices = PriceLoader.Load(setup.Prices);
        List<string> notes = [labels.Report.ToString()];
        if (prices.Version is { } version)
            notes.Add($"{version}: {prices.Count:N0} prices; limits are in US dollars where they hold");
        if (setup.AlertLookup.Http.Url is { } url)
            notes.Add($"alerts are looked up at {url}");
        return Build(setup, labels.Table, notes, prices);
    }

    /// <summary>Builds it with labels and prices that are loaded already.</summary>
    internal static BuiltTopology Build(
        TransactionsSetupOptions setup, TagTable labels, IReadOnlyList<string> notes,
        PriceTable? prices = null)
    {
        var counts = new TransactionsCounts();
        var options = new TransactionsOptions
        {
            Risk = setup.Risk,
            FinalityBlocks = setup.FinalityBlocks,
            DeduplicateWithin = setup.DeduplicateWithin,
            HourGrace = setup.HourGrace,
            StateBytesMax = setup.StateBytesMax,
            LookupCalls = setup.AlertLookup.Calls,
        };
        // It lives as long as the process.
        HttpLookup? lookup = setup.AlertLookup.Http.Url is null ? null : new(setup.AlertLookup.Http);
        return new BuiltTopology
        {
            Topology = TransactionsTopology.Build(options, labels, counts, prices, lookup),
            Inputs = [new TopicSpec
            {
                Name = TransactionsTopology.Transactions,
                Schema = ChainTransaction.RecordType.Name,
            }],
            Formats = TransactionsTables.Formats,
            OutputTopics = lookup is null
                ? TransactionsTables.OutputTopics
                : [.. TransactionsTables.OutputTopics, TransactionsTopology.AlertLookups],
            Tables = lookup is null
                ? TransactionsTables.Tables
                : [.. TransactionsTables.Tables, TransactionsTables.AlertLookups],
            Views = TransactionsTables.Views,
            PostgresTables = TransactionsPostgres.Tables,
            PostgresViews = TransactionsPostgres.Views,
            Counts = () => new Dictionary<string, long> { ["duplicates"] = counts.Duplicates },
            Notes = notes,
        };
    }
}
