using Streams.Connect;
using Streams.Connectors.Mining;
using Streams.Dsl;
using Streams.Log;
using Streams.Processing;
using Streams.Records;

namespace Streams.Topologies.Mining;

/// <summary>Options of the topology <c>mining</c>.</summary>
public sealed record MetricsOptions
{
    /// <summary>Partitions of the topic of samples, which are divided by machine: on Kafka as many processes
    /// can share the work. To be chosen before the first run. Default 1.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>How long after its end an hour still takes late samples. Default 10
    /// min.</summary>
    public TimeSpan HourGrace { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>Samples of machines, and their hours: the totals that a database without continuous aggregates
/// cannot keep for itself.</summary>
public static class MetricsTopology
{
    /// <summary>Samples as read (CSIC-014): key is the machine.</summary>
    public const string Metrics = "mining_metrics";

    /// <summary>Totals per machine and hour, once the hour is over.</summary>
    public const string Hourly = "mining_metrics.hourly";

    /// <summary>The record types of the topics.</summary>
    public static IReadOnlyList<TopicFormat> Formats { get; } =
    [
        TopicFormat.Of(Metrics, RecordSerde.Protobuf<MachineMetric>()),
        TopicFormat.Of(Hourly, RecordSerde.Protobuf<MetricsHour>()),
    ];

    /// <summary>The tables of sinks that know no types of PostgreSQL.</summary>
    public static IReadOnlyList<TableMapping> Tables { get; } =
    [
        new TableMapping { Topic = Metrics, Table = "metrics", Key = ["time", "machine"] },
        new TableMapping { Topic = Hourly, Table = "metrics_hourly", Key = ["time", "machine"] },
    ];

    /// <summary>The tables in PostgreSQL (CSIC-070): the key of <c>metrics</c> is time and machine, for time
    /// alone cannot be unique across machines.</summary>
    public static IReadOnlyList<TableMapping> PostgresTables { get; } =
    [
        new TableMapping
        {
            Topic = Metrics,
            Table = "machines",
            Key = ["machine_id"],
            Columns = [new ColumnMapping("machine_id", "machine", ColumnForm.Uuid)],
            Omit = ["time", "hash_rate", "power_consumption", "temperature", "pool_url"],
        },
        new TableMapping
        {
            Topic = Metrics,
            Table = "metrics",
            Key = ["time", "machine_id"],
            Columns =
            [
                new ColumnMapping("machine_id", "machine", ColumnForm.Uuid),
                new ColumnMapping("at", "time", ColumnForm.Instant),
            ],
            Omit = ["machine", "site"],
            Time = "time",
            References = [new TableReference("machine_id", "machines", "machine_id")],
        },
        new TableMapping
        {
            Topic = Hourly,
            Table = "metrics_hourly",
            Key = ["hour", "machine_id"],
            Columns =
            [
                new ColumnMapping("hour", "time", ColumnForm.Instant),
                new ColumnMapping("machine_id", "machine", ColumnForm.Uuid),
            ],
            Omit = ["time", "machine"],
            Time = "hour",
        },
    ];

    /// <summary>The views in PostgreSQL.</summary>
    public static IReadOnlyList<ViewMapping> PostgresViews { get; } =
    [
        new ViewMapping(
            "machine_latest", "Each machine's latest sample.",
            """
            SELECT DISTINCT ON (m.machine_id) m.machine, m.site, s.*
            FROM machines m JOIN metrics s USING (machine_id) ORDER BY m.machine_id, s.time DESC
            """),
        // CSIC-073: what stands twice is compared, so that a row that somebody took away is found.
        new ViewMapping(
            "metrics_differences",
            "Closed hours of a machine whose samples are not as many as were counted: one is missing.",
            """
            SELECT hour, machine_id, h.samples AS counted, m.samples AS stored
            FROM metrics_hourly h
            FULL JOIN (SELECT date_trunc('hour', at, 'UTC') AS hour, machine_id, count(*) AS samples
                       FROM metrics GROUP BY 1, 2) m USING (hour, machine_id)
            WHERE hour <= (SELECT max(hour) FROM metrics_hourly)
              AND hour >= (SELECT min(hour) FROM metrics_hourly)
              AND hour >= (SELECT date_trunc('hour', min(at), 'UTC') FROM metrics)
              AND h.samples IS DISTINCT FROM m.samples
            """),
    ];

    /// <summary>Builds the topology.</summary>
    public static Topology Build(MetricsOptions options)
    {
        var builder = new StreamsBuilder();
        builder.Topic(new TopicSpec { Name = Hourly, Schema = MetricsHour.RecordType.Name });
        builder
            .Stream(Metrics,
                new Consumed<Text, MachineMetric>(Serdes.Text, RecordSerde.Protobuf<MachineMetric>())
                {
                    Name = "read",
                })
            .GroupByKey(new Grouped<Text, MachineMetric>
            {
                Name = "by-machine",
                KeySerde = Serdes.Text,
                ValueSerde = RecordSerde.Protobuf<MachineMetric>(),
            })
            .WindowedBy(TimeWindows.OfSizeAndGrace(TimeSpan.FromHours(1), options.HourGrace))
            .Aggregate(
                () => default,
                (_, sample, sum) => Add(sample, sum),
                new Materialized<Text, MetricsSum>
                {
                    StoreName = "metrics-hours",
                    ValueSerde = new MetricsSumSerde(),
                })
            .Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()) with
            {
                StoreName = "metrics-hours-open",
            })
            .ToStream("closed-hours")
            .Map((window, sum) => (window.Key, HourOf(window, sum)), "make-hours")
            .To(Hourly, new Produced<Text, MetricsHour>
            {
                Name = "write-hours",
                KeySerde = Serdes.Text,
                ValueSerde = RecordSerde.Protobuf<MetricsHour>(),
            });
        return builder.Build();
    }

    private static MetricsSum Add(MachineMetric sample, MetricsSum sum)
    {
        sum.TemperatureMax = Math.Max(
            sum.Samples == 0 ? double.NegativeInfinity : sum.TemperatureMax,
            sample.Temperature ?? double.NegativeInfinity);
        sum.Samples++;
        sum.RateSamples += sample.HashRate is null ? 0 : 1;
        sum.PowerSamples += sample.PowerConsumption is null ? 0 : 1;
        sum.HashRate += sample.HashRate ?? 0;
        sum.PowerConsumption += sample.PowerConsumption ?? 0;
        return sum;
    }

    private static MetricsHour HourOf(Windowed<Text> window, MetricsSum sum) => new()
    {
        Time = window.StartMs * 1_000_000,
        Machine = window.Key,
        Samples = sum.Samples,
        HashRate = sum.RateSamples == 0 ? null : sum.HashRate / sum.RateSamples,
        PowerConsumption = sum.PowerSamples == 0 ? null : sum.PowerConsumption / sum.PowerSamples,
        TemperatureMax = double.IsNegativeInfinity(sum.TemperatureMax) ? null : sum.TemperatureMax,
    };
}

/// <summary>Registers the topology.</summary>
internal sealed class MetricsKind : TopologyKind
{
    public override string Name => "mining";

    public override string Doc => "Samples of mining machines and their hourly totals.";

    public override Type Options => typeof(MetricsOptions);

    internal override IReadOnlyList<TopicFormat> Formats => MetricsTopology.Formats;

    internal override BuiltTopology Build(object options)
    {
        var metrics = (MetricsOptions)options;
        if (metrics.Partitions < 1)
            throw new ConfigurationException(
                $"mining: 'partitions' must be at least 1; it is {metrics.Partitions}.");
        return new()
        {
            Topology = MetricsTopology.Build(metrics),
            Inputs = [new TopicSpec
            {
                Name = MetricsTopology.Metrics,
                Partitions = metrics.Partitions,
                Schema = MachineMetric.RecordType.Name,
            }],
            Formats = Formats,
            OutputTopics = [MetricsTopology.Metrics, MetricsTopology.Hourly],
            Tables = MetricsTopology.Tables,
            PostgresTables = MetricsTopology.PostgresTables,
            PostgresViews = MetricsTopology.PostgresViews,
        };
    }
}
