using Streams.Connect;
using Streams.Connectors.Bitcoin;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Connectors.Chain;
using Streams.Connectors.Mining;
using Streams.Log;
using Streams.Processing;
using Streams.Records;
using Streams.Sinks.Jsonl;
using Streams.Sinks.Postgres;
using Streams.Sinks.Sqlite;
using Streams.Sinks.Timescale;
using Streams.Topologies.Configuration;
using Streams.Topologies.Mining;
using Streams.Topologies.Transactions;

namespace Streams.Topologies;

/// <summary>Everything that can be named in a configuration. A new source, sink or topology is one line
/// here.</summary>
internal static class Registry
{
    /// <summary>The kinds of sources.</summary>
    internal static IReadOnlyList<SourceKind> Sources { get; } =
    [
        SourceKind.Of<BitcoinFilesOptions, Bytes32, ChainTransaction>(
            "bitcoin-files", "Blocks from a node's blk*.dat files or from files of one raw block each.",
            "files",
            TransactionsTopology.Transactions, Serdes.Bytes32, RecordSerde.Protobuf<ChainTransaction>(),
            options => new BitcoinFilesSource(options), Height),
        SourceKind.Of<SimulationOptions, Bytes32, ChainTransaction>(
            BitcoinSimulatedSource.Kind, "Blocks of a simulated regtest chain, with known behaviour in them.",
            "seed", TransactionsTopology.Transactions, Serdes.Bytes32,
            RecordSerde.Protobuf<ChainTransaction>(), options => new BitcoinSimulatedSource(options),
            Height) with
        {
            EndlessBecause = options =>
                options is SimulationOptions { BlocksMax: 0, Duration.Ticks: 0 }
                    ? "has neither 'blocks_max' nor 'duration'"
                    : null,
        },
        SourceKind.Of<SimulatedMetricsOptions, Text, MachineMetric>(
            SimulatedMetricsSource.Kind, "Samples of simulated mining machines.", "seed",
            MetricsTopology.Metrics, Serdes.Text, RecordSerde.Protobuf<MachineMetric>(),
            options => new SimulatedMetricsSource(options)) with
        {
            EndlessBecause = options =>
                options is SimulatedMetricsOptions { RoundsMax: 0 } ? "has no 'rounds_max'" : null,
        },
    ];

    /// <summary>The kinds of sinks.</summary>
    internal static IReadOnlyList<SinkKind> Sinks { get; } =
    [
        SinkKind.Of<SqliteOptions>(
            "sqlite", "Tables of a SQLite file, offsets in the same transaction.", "file",
            topology => [.. topology.Tables.Select(t => t.Topic).Distinct()],
            (options, topology) =>
                new SqliteSink(options, topology.Formats, topology.Tables, topology.Views)),
        SinkKind.Of<PostgresOptions>(
            "postgres", "Tables of a PostgreSQL database, offsets in the same transaction.", "server",
            topology => [.. topology.PostgresTables.Select(t => t.Topic).Distinct()],
            (options, topology) => new PostgresSink(
                options, topology.Formats, topology.PostgresTables, topology.PostgresViews)),
        SinkKind.Of<TimescaleOptions>(
            "timescale", "The same with TimescaleDB: tables with a time are hypertables.", "server",
            topology => [.. topology.PostgresTables.Select(t => t.Topic).Distinct()],
            (options, topology) => new PostgresSink(
                options, topology.Formats, topology.PostgresTables, topology.PostgresViews)),
        SinkKind.Of<JsonlOptions>(
            "jsonl", "Files of one JSON value a line, a series per topic.", "folder",
            topology => topology.OutputTopics, (options, topology) =>
                new JsonlSink(options, topology.Formats)),
    ];

    /// <summary>The topologies.</summary>
    internal static IReadOnlyList<TopologyKind> Topologies { get; } =
    [
        new TransactionsKind(),
        new MetricsKind(),
    ];

    /// <summary>Chains are counted by height, and can be read again.</summary>
    private static SourcePosition<Bytes32, ChainTransaction> Height =>
        new("height", static (in record) => record.HasValue ? record.Value.BlockHeight : null);

    /// <summary>A kind by its name.</summary>
    /// <exception cref="ConfigurationException">There is none: the message names the nearest.</exception>
    internal static TKind Find<TKind>(IReadOnlyList<TKind> kinds, string name, string what, string where)
        where TKind : INamedKind => kinds.FirstOrDefault(k => k.Name == name)
        ?? throw new ConfigurationException(
            $"{where}: '{name}' is no {what}{OptionBinder.Suggestion(name, kinds.Select(k => k.Name))}");
}

/// <summary>Something that a configuration names.</summary>
internal interface INamedKind
{
    string Name { get; }

    string Doc { get; }

    /// <summary>The record of its options.</summary>
    Type Options { get; }
}

/// <summary>A kind of source.</summary>
/// <param name="Name">What a configuration calls it.</param>
/// <param name="Doc">One line for people.</param>
/// <param name="Options">The record of its options.</param>
/// <param name="LocationOption">The option that stands behind the colon of KIND:LOCATION.</param>
/// <param name="Topic">The topic that it writes.</param>
/// <param name="Bind">Makes the binding: name, options.</param>
internal sealed record SourceKind(
    string Name, string Doc, Type Options, string LocationOption, string Topic,
    Func<string, object, SourceBinding> Bind)
    : INamedKind
{
    /// <summary>Why a source of these options is never exhausted; null where it can be.</summary>
    internal Func<object, string?> EndlessBecause { get; init; } = _ => null;

    internal static SourceKind Of<TOptions, TKey, TValue>(
        string name, string doc, string locationOption, string topic, Serde<TKey> keySerde,
        Serde<TValue> valueSerde,
        Func<TOptions, ISource<TKey, TValue>> create, SourcePosition<TKey, TValue>? readAgainBy = null) =>
        new(
            name, doc, typeof(TOptions), locationOption, topic,
            (binding, options) => new SourceBinding<TKey, TValue>(
                binding, topic, keySerde, valueSerde, () => create((TOptions)options))
            {
                CanBeReadAgain = readAgainBy is not null,
                Position = readAgainBy,
            });
}

/// <summary>A kind of sink.</summary>
/// <param name="Name">What a configuration calls it.</param>
/// <param name="Doc">One line for people.</param>
/// <param name="Options">The record of its options.</param>
/// <param name="LocationOption">The option that stands behind the colon of KIND:LOCATION.</param>
/// <param name="Topics">The topics that it gets of a topology.</param>
/// <param name="Create">Makes the sink.</param>
internal sealed record SinkKind(
    string Name, string Doc, Type Options, string LocationOption,
    Func<BuiltTopology, IReadOnlyList<string>> Topics,
    Func<object, BuiltTopology, ISink> Create) : INamedKind
{
    internal static SinkKind Of<TOptions>(
        string name, string doc, string locationOption, Func<BuiltTopology, IReadOnlyList<string>> topics,
        Func<TOptions, BuiltTopology, ISink> create) => new(
            name, doc, typeof(TOptions), locationOption, topics, (options, topology) =>
                create((TOptions)options, topology));
}

/// <summary>A topology that was built for a run.</summary>
internal sealed record BuiltTopology
{
    internal required Topology Topology { get; init; }

    /// <summary>Topics that sources write.</summary>
    internal required IReadOnlyList<TopicSpec> Inputs { get; init; }

    /// <summary>What the records of its topics are.</summary>
    internal required IReadOnlyList<TopicFormat> Formats { get; init; }

    /// <summary>Topics that a sink of whole records gets.</summary>
    internal required IReadOnlyList<string> OutputTopics { get; init; }

    internal IReadOnlyList<TableMapping> Tables { get; init; } = [];

    internal IReadOnlyList<ViewMapping> Views { get; init; } = [];

    /// <summary>The tables in PostgreSQL; those that others refer to before them.</summary>
    internal IReadOnlyList<TableMapping> PostgresTables { get; init; } = [];

    internal IReadOnlyList<ViewMapping> PostgresViews { get; init; } = [];

    /// <summary>Counts of its own, for the summary.</summary>
    internal Func<IReadOnlyDictionary<string, long>> Counts { get; init; } = () =>
        new Dictionary<string, long>();

    /// <summary>Lines to show at the start, such as what was loaded.</summary>
    internal IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>A kind of topology.</summary>
internal abstract class TopologyKind : INamedKind
{
    public abstract string Name { get; }

    public abstract string Doc { get; }

    public abstract Type Options { get; }

    /// <summary>What the records of its topics are, whatever the options.</summary>
    internal abstract IReadOnlyList<TopicFormat> Formats { get; }

    /// <summary>Builds it from its options.</summary>
    internal abstract BuiltTopology Build(object options);
}
