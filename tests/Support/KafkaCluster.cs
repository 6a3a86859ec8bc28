using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Streams.Log.Kafka;
using Xunit;

namespace Streams.Tests.Support;

/// <summary>
/// Real brokers on loopback, from ../shared/kafka, or those that STREAMS_TEST_KAFKA names. Skips the running
/// test, by name, where neither is to be had.
/// </summary>
public sealed class KafkaCluster : IDisposable
{
    private const int MorePorts = 2;

    private readonly TemporaryFolder? _folder;
    private readonly string? _script;

    private KafkaCluster(string brokers) => Brokers = brokers;

    private KafkaCluster(string script, int nodes, string? extra)
    {
        _script = script;
        _folder = new TemporaryFolder();
        int port = FreePorts((nodes * 2) + MorePorts);
        Brokers = string.Join(',', Enumerable.Range(0, nodes).Select(
            n => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port + (2 * n)}")));
        Port = port;
        for (int i = MorePorts + 1; i > 0; i--)
            extra = extra?.Replace(
                string.Create(CultureInfo.InvariantCulture, $"PORT+{i}"),
                (port + i).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        Extra = extra?.Replace(
            "PORT", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        (int code, string output) = Run(
            "start", _folder.Path, port.ToString(CultureInfo.InvariantCulture),
            nodes.ToString(CultureInfo.InvariantCulture));
        Assert.True(code == 0, $"Kafka did not start: {output}");
    }

    /// <summary>host:port of each, with commas between.</summary>
    public string Brokers { get; }

    /// <summary>The first node's port, of listeners without security.</summary>
    public int Port { get; }

    private string? Extra { get; }

    /// <summary>Whether nodes can be killed: not where somebody else runs them.</summary>
    public bool IsOurs => _script is not null;

    /// <summary>Starts brokers of one's own, or finds those that are named.</summary>
    /// <param name="nodes">How many.</param>
    /// <param name="extra">Lines for every node's configuration; PORT, PORT+1, PORT+2 and PORT+3 stand for
    /// ports: the first node's two, and two more where there is one node.</param>
    public static KafkaCluster Start(int nodes = 1, string? extra = null)
    {
        if (!NativeLibrary.TryLoad("librdkafka.so.1", out _))
            Assert.Skip("needs librdkafka (Debian: librdkafka1)");
        Librdkafka.Require();
        if (nodes == 1 && extra is null
            && Environment.GetEnvironmentVariable("STREAMS_TEST_KAFKA") is { Length: > 0 } named)
            return new KafkaCluster(named);
        string script = Path.Combine(SharedData.RepositoryRoot, "..", "shared", "kafka", "kafka");
        if (!File.Exists(script))
            Assert.Skip("needs Kafka: ../shared/kafka, or brokers named by STREAMS_TEST_KAFKA");
        if (!HasJava())
            Assert.Skip("needs Java for Kafka (Debian: openjdk-17-jre-headless)");
        return new KafkaCluster(Path.GetFullPath(script), nodes, extra);
    }

    /// <summary>Sends SIGKILL to a node, 1 for the first.</summary>
    public void Kill(int node) => Run("kill", _folder!.Path, node.ToString(CultureInfo.InvariantCulture));

    /// <summary>Starts the nodes again that are not there.</summary>
    public void StartAgain() => Run("start", _folder!.Path, Port.ToString(CultureInfo.InvariantCulture));

    /// <summary>Runs one of Kafka's own tools against the brokers.</summary>
    public (int Code, string Output) Tool(string tool, params IEnumerable<string> arguments) =>
        Run([tool, "--bootstrap-server", Brokers, .. arguments]);

    /// <summary>Gives users everything on all transactional ids, by Kafka's own tool: the client's library
    /// cannot.</summary>
    public void AllowTransactions(IEnumerable<string> principals)
    {
        string home = Path.GetDirectoryName(_script)!;
        var start = new ProcessStartInfo(
            "java",
            [
                "-XX:TieredStopAtLevel=1", $"-Dlog4j2.configurationFile={home}/log4j2.properties", "-cp",
                $"{home}/libs/*", "org.apache.kafka.tools.AclCommand", "--bootstrap-server", Brokers, "--add",
                "--transactional-id", "*", "--operation", "All",
                .. principals.SelectMany(p => new[] { "--allow-principal", p }),
            ])
        {
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
    }

    /// <summary>Starts one of Kafka's own tools, to be written to.</summary>
    public Process StartTool(string tool, params IEnumerable<string> arguments) => Process.Start(
        new ProcessStartInfo("bash", [_script!, tool, "--bootstrap-server", Brokers, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

    /// <summary>All committed records of a topic as Kafka's own consumer prints them: partition, key and
    /// value, tabs between.</summary>
    public string[] Consume(string topic)
    {
        (int code, string output) = Run(
            "console-consumer", "--bootstrap-server", Brokers, "--topic", topic, "--from-beginning",
            "--timeout-ms", "10000", "--consumer-property", "isolation.level=read_committed",
            "--property", "print.partition=true", "--property", "print.key=true");
        Assert.True(code == 0, output);
        return [.. output.Split('\n').Where(l => l.StartsWith("Partition:", StringComparison.Ordinal))];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_folder is null)
            return;
        Run("kill", _folder.Path);
        _folder.Dispose();
    }

    private (int Code, string Output) Run(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("bash", [_script ?? "kafka", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Extra is not null)
        {
            string file = _folder!.File("extra.properties");
            File.WriteAllText(file, Extra);
            start.Environment["KAFKA_EXTRA"] = file;
        }
        using Process process = Process.Start(start)!;
        // A broker inherits the pipe of standard error's copies only through the shell that starts it.
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, process.ExitCode == 0 ? output : output + errors.Result);
    }

    private static bool HasJava()
    {
        try
        {
            using Process java = Process.Start(new ProcessStartInfo("java", ["-version"])
            {
                RedirectStandardError = true,
            })!;
            java.WaitForExit();
            return java.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static int FreePorts(int count)
    {
        for (int port = 21_000 + Random.Shared.Next(8_000); ; port += count)
        {
            if (Enumerable.Range(port, count).All(IsFree))
                return port;
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(System.Net.IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>One broker for all tests that only need one.</summary>
[CollectionDefinition("Kafka")]
public sealed class KafkaBroker : ICollectionFixture<KafkaBroker>, IDisposable
{
    private KafkaCluster? _cluster;

    /// <summary>The broker; the first test that asks starts it.</summary>
    public KafkaCluster Cluster => _cluster ??= KafkaCluster.Start();

    /// <inheritdoc/>
    public void Dispose() => _cluster?.Dispose();
}
