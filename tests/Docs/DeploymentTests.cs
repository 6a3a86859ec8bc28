using System.Globalization;
using System.Text.RegularExpressions;
using Streams.Log.Kafka;
using Streams.Sinks.Postgres;
using Streams.Tests.Support;
using Streams.Topologies.Configuration;
using Streams.Topologies.Hosting;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Streams.Tests.Docs;

/// <summary>The manifests and the composition against what the program really takes and serves.</summary>
public sealed partial class DeploymentTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void The_pods_run_a_configuration_that_the_program_takes()
    {
        RunSettings settings = Configured();
        Assert.Equal("risk-2", settings.Options.Kafka.Instance);
        Assert.Equal(KafkaSecurity.SaslSsl, settings.Options.Kafka.Security);
        // What processes share is divided into so many: more pods would stand idle.
        int partitions = settings.Topology.Build(settings.TopologyOptions).Inputs.Max(t => t.Partitions);
        int replicas = int.Parse(Text(Set()["spec"]["replicas"]), CultureInfo.InvariantCulture);
        Assert.InRange(replicas, 2, partitions);
        YamlNode container = Container();
        Assert.Equal(["run", "-c", "/etc/streams/streams.yaml"], List(container["args"]).Select(Text));
        Assert.Equal(
            [
                ("ca", "/etc/streams-ca"), ("config", "/etc/streams"), ("data", settings.DataFolder),
                ("tmp", "/tmp"),
            ],
            List(container["volumeMounts"]).Select(m => (Text(m["name"]), Text(m["mountPath"]))).Order());
        Assert.Equal("streams", Text(Kind("ConfigMap")["metadata"]["name"]));
        foreach (string file in new[]
        {
            settings.Options.Kafka.SslCaFile!, settings.Sinks.Select(s => s.Options).OfType<PostgresOptions>()
                .Single().SslRootCertificate!,
        })
            Assert.StartsWith("/etc/streams-ca/", file, StringComparison.Ordinal);
    }

    [Fact]
    public void Secrets_come_from_the_environment_and_the_environment_from_secrets()
    {
        string yaml = Text(Kind("ConfigMap")["data"]["streams.yaml"]);
        IEnumerable<string> wanted = Variable().Matches(yaml).Select(m => m.Groups[1].Value)
            .Concat(PasswordVariable().Matches(yaml).Select(m => m.Groups[1].Value));
        Dictionary<string, YamlNode> given = List(Container()["env"])
            .ToDictionary(e => Text(e["name"]), e => e);
        Assert.Equal(
            wanted.Append("DOTNET_EnableDiagnostics").Order(StringComparer.Ordinal),
            given.Keys.Order(StringComparer.Ordinal));
        foreach (string secret in new[] { "KAFKA_PASSWORD", "STREAMS_DB_PASSWORD" })
            Assert.Equal("streams", Text(given[secret]["valueFrom"]["secretKeyRef"]["name"]));
        Assert.Equal("metadata.name", Text(given["POD_NAME"]["valueFrom"]["fieldRef"]["fieldPath"]));
    }

    [Fact]
    public void Probes_ask_where_the_program_answers_and_it_has_time_to_end()
    {
        RunSettings settings = Configured();
        string port = settings.Options.Listen!.Split(':')[1];
        YamlNode container = Container();
        YamlNode named = List(container["ports"]).Single();
        Assert.Equal(("metrics", port), (Text(named["name"]), Text(named["containerPort"])));
        Assert.Equal(port, Text(Set()["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"]));
        Assert.Equal(port, Text(List(Kind("Service")["spec"]["ports"]).Single()["port"]));
        string server = File.ReadAllText(PathOf("engine/Telemetry/TelemetryServer.cs"));
        foreach ((string probe, string path) in new[]
        {
            ("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz"),
        })
        {
            YamlNode asked = container[probe]["httpGet"];
            Assert.Equal((path, "metrics"), (Text(asked["path"]), Text(asked["port"])));
            Assert.Contains($"MapGet(\"{path}\"", server, StringComparison.Ordinal);
        }
        double grace = double.Parse(
            Text(PodSpec()["terminationGracePeriodSeconds"]), CultureInfo.InvariantCulture);
        KafkaLogOptions kafka = settings.Options.Kafka;
        Assert.True(grace > (kafka.RevocationTimeout + kafka.RequestTimeout).TotalSeconds);
        Assert.True(kafka.SessionTimeout > new KafkaLogOptions().SessionTimeout);
    }

    [Fact]
    public void Pods_are_nobody_in_particular_and_change_nothing_but_their_data()
    {
        YamlNode pod = PodSpec()["securityContext"], own = Container()["securityContext"];
        Assert.Equal("true", Text(pod["runAsNonRoot"]));
        Assert.Contains($"USER {Text(pod["runAsUser"])}", File.ReadAllText(PathOf("Dockerfile")),
            StringComparison.Ordinal);
        Assert.Equal("true", Text(own["readOnlyRootFilesystem"]));
        Assert.Equal("false", Text(own["allowPrivilegeEscalation"]));
        Assert.Equal(["ALL"], List(own["capabilities"]["drop"]).Select(Text));
        Assert.Equal("data", Text(List(Set()["spec"]["volumeClaimTemplates"]).Single()["metadata"]["name"]));
    }

    [Fact]
    public void What_selects_the_pods_selects_these()
    {
        string labels = Set()["spec"]["template"]["metadata"]["labels"].ToString();
        Assert.Equal(labels, Set()["spec"]["selector"]["matchLabels"].ToString());
        Assert.Equal(labels, Kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"].ToString());
        Assert.Equal(labels, Kind("Service")["spec"]["selector"].ToString());
        Assert.Equal(Text(Kind("Service")["metadata"]["name"]), Text(Set()["spec"]["serviceName"]));
        Assert.Equal("None", Text(Kind("Service")["spec"]["clusterIP"]));
    }

    [Theory]
    [InlineData("transactions", "streams.yaml")]
    [InlineData("mining", "mining.yaml")]
    public void The_composition_runs_a_configuration_that_the_program_takes(string service, string file)
    {
        RunSettings settings = Settings(File.ReadAllText(PathOf($"docs/operations/{file}")));
        string port = settings.Options.Listen!.Split(':')[1];
        YamlNode services = Compose()["services"], own = services[service], all = Compose()["x-streams"];
        Assert.EndsWith($":{port}", Text(List(own["ports"]).Single()), StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{port}/healthz", all["healthcheck"].ToString(), StringComparison.Ordinal);
        Assert.Contains(
            $"./docs/operations/{file}:/etc/streams/streams.yaml:ro", List(own["volumes"]).Select(Text));
        Assert.Contains(List(own["volumes"]).Select(Text), v => v.EndsWith(
            settings.DataFolder, StringComparison.Ordinal));
        // The names of the servers are those of the services, and their ports those that they listen on.
        Assert.Equal("kafka:9092", settings.Options.Kafka.Brokers);
        YamlNode kafka = services["kafka"]["environment"];
        Assert.Contains(
            "INSIDE://kafka:9092", Text(kafka["KAFKA_ADVERTISED_LISTENERS"]), StringComparison.Ordinal);
        PostgresOptions sink = settings.Sinks.Select(s => s.Options).OfType<PostgresOptions>().Single();
        YamlNode database = services["timescaledb"]["environment"];
        Assert.Equal(
            $"//{Text(database["POSTGRES_USER"])}@timescaledb:5432/{Text(database["POSTGRES_DB"])}",
            sink.Server);
        Assert.NotNull(all["environment"][sink.PasswordVariable]);
        Assert.Equal(
            Text(database["POSTGRES_PASSWORD"]), Text(all["environment"][sink.PasswordVariable]));
        foreach (YamlNode needed in Nodes(all["depends_on"]).Keys)
            Assert.NotNull(services[needed]["healthcheck"]);
    }

    [Fact]
    public void Every_file_that_the_composition_mounts_is_there_and_where_it_is_looked_for()
    {
        string compose = File.ReadAllText(PathOf("docker-compose.yml"));
        var mounts = Mounted().Matches(compose).ToDictionary(
            m => m.Groups[2].Value + m.Groups[1].Value, m => m.Groups[1].Value);
        Assert.True(mounts.Count > 5);
        Assert.All(mounts.Values, m => Assert.True(File.Exists(PathOf(m)), m));
        YamlNode prometheus = Load(PathOf("docs/operations/prometheus.yml")).Single();
        Assert.All(List(prometheus["rule_files"]), f => Assert.Contains(
            $":{Text(f)}:ro", compose, StringComparison.Ordinal));
        YamlNode scraped = List(prometheus["scrape_configs"]).Single();
        YamlNode names = List(scraped["dns_sd_configs"]).Single();
        Assert.All(List(names["names"]), n => Assert.NotNull(Compose()["services"][n]));
        Assert.Equal("9464", Text(names["port"]));
        Assert.Equal("streams", Text(scraped["job_name"]));
    }

    [Fact]
    public void The_image_starts_what_was_published_and_has_the_client_of_Kafka()
    {
        string image = File.ReadAllText(PathOf("Dockerfile"));
        Assert.Contains("librdkafka1", image, StringComparison.Ordinal);
        Assert.Contains("ENTRYPOINT [\"dotnet\", \"/app/streams.dll\"]", image, StringComparison.Ordinal);
        Assert.Contains("EXPOSE 9464", image, StringComparison.Ordinal);
        Assert.Contains(
            "<AssemblyName>streams</AssemblyName>",
            File.ReadAllText(PathOf("topologies/Streams.Topologies.csproj")), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private RunSettings Configured()
    {
        Environment.SetEnvironmentVariable("POD_NAME", "risk-2");
        Environment.SetEnvironmentVariable("KAFKA_PASSWORD", "not-a-secret");
        return Settings(Text(Kind("ConfigMap")["data"]["streams.yaml"]));
    }

    private RunSettings Settings(string yaml)
    {
        File.WriteAllText(_folder.File("streams.yaml"), yaml);
        return RunSettingsReader.Read(
            ConfigSection.ReadFile(_folder.File("streams.yaml")), new CommandLineSettings());
    }

    private static YamlNode Set() => Kind("StatefulSet");

    private static YamlNode PodSpec() => Set()["spec"]["template"]["spec"];

    private static YamlNode Container() => List(PodSpec()["containers"]).Single();

    private static YamlNode Kind(string kind) =>
        Load(PathOf("docs/operations/kubernetes.yaml")).Single(d => Text(d["kind"]) == kind);

    private static YamlNode Compose() => Load(PathOf("docker-compose.yml")).Single();

    private static List<YamlNode> Load(string path)
    {
        var yaml = new YamlStream();
        using StreamReader reader = File.OpenText(path);
        yaml.Load(reader);
        return [.. yaml.Documents.Select(d => d.RootNode)];
    }

    private static IEnumerable<YamlNode> List(YamlNode node) => (YamlSequenceNode)node;

    private static IDictionary<YamlNode, YamlNode> Nodes(YamlNode node) => ((YamlMappingNode)node).Children;

    private static string Text(YamlNode node) => ((YamlScalarNode)node).Value!;

    private static string PathOf(string name) => Path.Combine(SharedData.RepositoryRoot, name);

    [GeneratedRegex(@"\$\{([A-Z_]+)\}")]
    private static partial Regex Variable();

    [GeneratedRegex("password_variable: ([A-Z_]+)")]
    private static partial Regex PasswordVariable();

    [GeneratedRegex(@"- \./([^:\s]+):(/[^:\s]+)")]
    private static partial Regex Mounted();
}
