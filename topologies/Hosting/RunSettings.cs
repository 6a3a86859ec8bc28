using Streams.Connect;
using Streams.Connect.Backfills;
using Streams.Log.Embedded;
using Streams.Log.Kafka;
using Streams.Processing;
using Streams.Topologies.Configuration;

namespace Streams.Topologies.Hosting;

/// <summary>What to run, from a file and the command line together.</summary>
internal sealed record RunSettings
{
    internal required string Application { get; init; }

    internal required TopologyKind Topology { get; init; }

    internal required object TopologyOptions { get; init; }

    internal required IReadOnlyList<NamedSource> Sources { get; init; }

    internal required IReadOnlyList<NamedSink> Sinks { get; init; }

    internal required string DataFolder { get; init; }

    internal required RunOptions Options { get; init; }

    internal bool Drain { get; init; }

    internal bool Strict { get; init; }

    /// <summary>What may be lost for a change of the topology; on the command line only, because it is said
    /// once, for one start.</summary>
    internal IReadOnlyList<string> AcceptedLosses { get; init; } = [];

    /// <summary>What is to be processed again before the run goes on; null for nothing.</summary>
    internal BackfillRequest? Backfill { get; init; }
}

/// <summary>A source of a run.</summary>
internal sealed record NamedSource(string Name, SourceKind Kind, object Options);

/// <summary>A sink of a run.</summary>
internal sealed record NamedSink(string Name, SinkKind Kind, object Options);

/// <summary>How a run goes about it; the groups of a configuration file beside topology, sources and
/// sinks.</summary>
internal sealed record RunOptions
{
    /// <summary>Where to serve metrics, health and readiness, such as 127.0.0.1:9464; null for
    /// nowhere.</summary>
    public string? Listen { get; init; }

    /// <summary>How messages are written: text for people, or one JSON object a line.</summary>
    public LogFormat LogFormat { get; init; } = LogFormat.Text;

    /// <summary>How tasks run.</summary>
    public RuntimeOptions Runtime { get; init; } = new();

    /// <summary>How sources take in.</summary>
    public SourceOptions Intake { get; init; } = new();

    /// <summary>How sinks hand out.</summary>
    public SinkOptions Delivery { get; init; } = new();

    /// <summary>How what fails is started again.</summary>
    public RestartOptions Restarts { get; init; } = new();

    /// <summary>The embedded log.</summary>
    public LogOptions Log { get; init; } = new();

    /// <summary>The log on Apache Kafka, in place of the embedded one where brokers are named.</summary>
    public KafkaLogOptions Kafka { get; init; } = new();
}

/// <summary>How messages are written.</summary>
internal enum LogFormat
{
    /// <summary>For people.</summary>
    Text,

    /// <summary>One JSON object a line.</summary>
    Json,
}

/// <summary>The embedded log, as far as it can be configured.</summary>
internal sealed record LogOptions
{
    /// <summary>A segment is ended when the next commit would make it longer than this, in bytes. Default 64
    /// MiB.</summary>
    public int SegmentBytes { get; init; } = 64 << 20;

    /// <summary>At the latest this long after a commit its fsync begins, in milliseconds. Default
    /// 20.</summary>
    public int FlushIntervalMs { get; init; } = 20;

    /// <summary>Largest commit, in bytes. Default 256 MiB.</summary>
    public int CommitBytesMax { get; init; } = 256 << 20;

    /// <summary>Commits are refused when the disk has less than this left, in bytes. Default 128
    /// MiB.</summary>
    public long DiskFreeBytesMin { get; init; } = 128L << 20;

    internal EmbeddedLogOptions ToLog(string folder) => new()
    {
        Directory = folder,
        SegmentBytes = SegmentBytes,
        FlushIntervalMs = FlushIntervalMs,
        CommitBytesMax = CommitBytesMax,
        DiskFreeBytesMin = DiskFreeBytesMin,
    };
}

/// <summary>Puts a run together from what was given.</summary>
internal static class RunSettingsReader
{
    /// <summary>What may stand at the top of a configuration.</summary>
    internal static readonly string[] TopNames =
        ["application", "topology", "options", "sources", "sinks", "data", "listen", "log_format", "runtime",
            "intake", "delivery", "restarts", "log", "kafka"];

    /// <summary>Reads settings.</summary>
    /// <param name="file">The configuration file; empty for none.</param>
    /// <param name="line">What the command line says, which goes before the file.</param>
    /// <exception cref="ConfigurationException">Something is missing, unknown or of the wrong
    /// kind.</exception>
    internal static RunSettings Read(ConfigSection file, CommandLineSettings line)
    {
        foreach ((string name, ConfigValue value) in file.Values)
        {
            if (!TopNames.Contains(name))
                throw value.Error(
                    $"there is no option '{name}' here{OptionBinder.Suggestion(name, TopNames)}");
        }
        string topologyName = line.Topology ?? file["topology"]?.AsText()
            ?? throw file.Error("which topology? Give --topology NAME, or 'topology' in the configuration");
        TopologyKind topology = Registry.Find(Registry.Topologies, topologyName, "topology", "--topology");
        ConfigSection options = Assignments(line.Options).Over(
            file["options"]?.AsSection() ?? ConfigSection.Empty("options"));
        return new RunSettings
        {
            Application = file["application"]?.AsText() ?? topology.Name,
            Topology = topology,
            TopologyOptions = OptionBinder.Bind(topology.Options, options),
            Sources = Sources(file, line),
            Sinks = Sinks(file, line),
            DataFolder = line.Data ?? file["data"]?.AsText()
                ?? throw file.Error(
                    "where is the data to lie? Give --data DIR, or 'data' in the configuration"),
            Options = OptionBinder.Bind<RunOptions>(RunGroups(file, line)),
            Drain = line.Drain,
            Strict = line.Strict,
            AcceptedLosses = line.AcceptedLosses,
            Backfill = line.From.Count == 0 && line.To.Count == 0 ? null
                : new BackfillRequest(
                    [.. line.From.Select(BackfillPoint.Parse)], [.. line.To.Select(BackfillPoint.Parse)]),
        };
    }

    private static ConfigSection RunGroups(ConfigSection file, CommandLineSettings line)
    {
        ConfigSection groups = file.Without(
            "application", "topology", "options", "sources", "sinks", "data");
        if (line.Listen is not null)
            groups = groups.Without("listen").WithDefault("listen", line.Listen);
        if (line.Kafka is not null)
            groups = Brokers(line.Kafka).Over(groups);
        if (line.LogFormat is not null)
            groups = groups.Without("log_format").WithDefault("log_format", line.LogFormat);
        return groups;
    }

    /// <summary>The options of Kafka of a configuration file and of <c>BROKERS?option=value&amp;...</c>,
    /// which goes before it.</summary>
    internal static KafkaLogOptions KafkaOf(ConfigSection file, string? brokers)
    {
        var groups = new ConfigSection([.. file.Values.Where(v => v.Key == "kafka")], "configuration");
        return OptionBinder.Bind<RunOptions>(
            brokers is null ? groups : Brokers(brokers).Over(groups)).Kafka;
    }

    // BROKERS?option=value&..., as sources and sinks are given.
    private static ConfigSection Brokers(string word)
    {
        Location.Parse($"kafka:{word}", "--kafka", out ConfigSection options);
        return new ConfigSection(
            [new("kafka", ConfigValue.Of(Located(options, "brokers"), "--kafka"))], "--kafka");
    }

    private static List<NamedSource> Sources(ConfigSection file, CommandLineSettings line)
    {
        var sources = new List<NamedSource>();
        foreach ((string kindName, ConfigSection given, string where) in Entries(
            file, "sources", line.Sources, "--source"))
        {
            SourceKind kind = Registry.Find(Registry.Sources, kindName, "source", where);
            string name = given["name"]?.AsText() ?? kind.Name;
            if (sources.Any(s => s.Name == name))
                throw given.Error(
                    $"there is a source '{name}' already; give each a 'name' of its own, and keep it");
            ConfigSection options = Located(given.Without("name"), kind.LocationOption);
            if (kind.Options.GetProperty("Follow") is not null)
                options = options.WithDefault("follow", line.Drain ? "false" : "true");
            object bound = OptionBinder.Bind(kind.Options, options);
            if (line.Drain && kind.EndlessBecause(bound) is { } why)
                throw given.Error($"the source '{name}' {why}: with --drain the run would never end");
            sources.Add(new NamedSource(name, kind, bound));
        }
        return sources;
    }

    private static List<NamedSink> Sinks(ConfigSection file, CommandLineSettings line)
    {
        var sinks = new List<NamedSink>();
        foreach ((string kindName, ConfigSection given, string where) in Entries(
            file, "sinks", line.Sinks, "--sink"))
        {
            SinkKind kind = Registry.Find(Registry.Sinks, kindName, "sink", where);
            string name = given["name"]?.AsText() ?? kind.Name;
            if (sinks.Any(s => s.Name == name))
                throw given.Error(
                    $"there is a sink '{name}' already; give each a 'name' of its own, and keep it");
            ConfigSection options = Located(given.Without("name"), kind.LocationOption);
            sinks.Add(new NamedSink(name, kind, OptionBinder.Bind(kind.Options, options)));
        }
        return sinks;
    }

    // What stands on the command line is added to what stands in the file.
    private static IEnumerable<(string Kind, ConfigSection Options, string Where)> Entries(
        ConfigSection file, string list, IReadOnlyList<string> words, string flag)
    {
        foreach (ConfigValue value in file[list]?.AsValues() ?? [])
        {
            if (value.IsSection)
            {
                ConfigSection section = value.AsSection();
                string kind = section["kind"]?.AsText()
                    ?? throw section.Error("the option 'kind' is needed here");
                yield return (kind, section.Without("kind"), list);
            }
            else
            {
                string kind = Location.Parse(value.AsText(), list, out ConfigSection options);
                yield return (kind, options, list);
            }
        }
        foreach (string word in words)
        {
            string kind = Location.Parse(word, $"{flag} {word}", out ConfigSection options);
            yield return (kind, options, $"{flag} {word}");
        }
    }

    private static ConfigSection Located(ConfigSection options, string locationOption) =>
        options["location"] is { } location
            ? options.Without("location").WithDefault(locationOption, location.AsText())
            : options;

    // name=value, where dots lead into groups: risk.alert_score_min=40.
    private static ConfigSection Assignments(IReadOnlyList<string> words)
    {
        var root = new YamlDotNet.RepresentationModel.YamlMappingNode();
        foreach (string word in words)
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw new ConfigurationException(
                    $"--option {word}: write name=value, such as risk.alert_score_min=40");
            string[] path = word[..equals].Split('.');
            YamlDotNet.RepresentationModel.YamlMappingNode at = root;
            foreach (string group in path[..^1])
            {
                if (!at.Children.TryGetValue(group, out YamlDotNet.RepresentationModel.YamlNode? next))
                    at.Children[group] = next = new YamlDotNet.RepresentationModel.YamlMappingNode();
                at = (YamlDotNet.RepresentationModel.YamlMappingNode)next;
            }
            at.Children[path[^1]] = new YamlDotNet.RepresentationModel.YamlScalarNode(word[(equals + 1)..]);
        }
        return new ConfigValue(root, "--option").AsSection();
    }
}

/// <summary>What the command line says of a run.</summary>
internal sealed record CommandLineSettings
{
    internal string? Topology { get; init; }

    internal IReadOnlyList<string> Sources { get; init; } = [];

    internal IReadOnlyList<string> Sinks { get; init; } = [];

    internal IReadOnlyList<string> Options { get; init; } = [];

    internal string? Data { get; init; }

    internal string? Kafka { get; init; }

    internal string? Listen { get; init; }

    internal string? LogFormat { get; init; }

    internal bool Drain { get; init; }

    internal bool Strict { get; init; }

    internal IReadOnlyList<string> AcceptedLosses { get; init; } = [];

    internal IReadOnlyList<string> From { get; init; } = [];

    internal IReadOnlyList<string> To { get; init; } = [];
}
