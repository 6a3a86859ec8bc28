using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Telemetry;
using Streams.Tests.Engine.Log;
using Streams.Tests.Engine.State.Disk;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Connect;

public sealed class StateQueriesTests : IDisposable
{
    private const int Keys = 40;

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_running_application_and_what_it_leaves_answer_alike(bool onDisk)
    {
        Assert.SkipUnless(!onDisk || DiskTableTests.HasLibrary(), "librocksdb7.8 is not installed.");
        ApplicationDefinition definition = Define(onDisk);
        string[] questions =
        [
            "counts?key=k07", "counts?prefix=k1", "counts?first=k05&last=k09&limit=3",
            "counts?descending=true&limit=5", "panes?key=k03", "panes?from_ms=120000&to_ms=180000&limit=9",
            "sittings?key=k00", "versions?key=k02", "versions?key=k02&to_ms=60000",
        ];
        var running = new List<string>();
        using (EmbeddedLog log = OpenLog())
        {
            using StreamsApplication application = Start(log, definition, records: 4_000);
            await using TelemetryServer server = await TelemetryServer.StartAsync(
                "127.0.0.1:0", () => new Readiness(true, ""), application.Queries);
            using var client = new HttpClient { BaseAddress = new Uri(server.Address) };
            foreach (string question in questions)
                running.Add(await client.GetStringAsync(
                    $"/state/{question}", TestContext.Current.CancellationToken));
            Assert.Equal(
                "counts\npanes\nsittings\nversions\n",
                await client.GetStringAsync("/state", TestContext.Current.CancellationToken));
            HttpResponseMessage unknown = await client.GetAsync(
                "/state/cuonts", TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadRequest, unknown.StatusCode);
            application.Stop();
        }
        Assert.Equal("{\"key\":\"k07\",\"timestamp_ms\":396700,\"value\":100}\n", running[0]);
        Assert.Equal(10, running[1].Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(["k05", "k06", "k07"], KeysOf(running[2]));
        Assert.Equal(["k39", "k38", "k37", "k36", "k35"], KeysOf(running[3]));
        using EmbeddedLogView view = EmbeddedLogView.Open(Path.Combine(_folder.Path, "log"));
        var stopped = new StoppedState(definition, view);
        for (int i = 0; i < questions.Length; i++)
        {
            string[] parts = questions[i].Split('?');
            StateQuestion question = StateQuestion.Read(parts[1].Split('&')
                .Select(p => KeyValuePair.Create(p.Split('=')[0], p.Split('=')[1])));
            Assert.Equal(
                running[i], await question.AnswerAsync(
                    stopped, parts[0], TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public void Typed_stores_answer_over_all_tasks_while_records_are_processed()
    {
        using EmbeddedLog log = OpenLog();
        ApplicationDefinition definition = Define(onDisk: false);
        using StreamsApplication application = Start(log, definition, records: 400);
        IReadOnlyKeyValueStore<string, long> counts =
            application.Queries.KeyValueStore<string, long>("counts");
        using var feeding = CancellationTokenSource.CreateLinkedTokenSource(
            TestContext.Current.CancellationToken);
        var feeder = Task.Run(() => Feed(log, 400, 40_000, feeding.Token), feeding.Token);
        long last = 0;
        for (int i = 0; i < 100 || !feeder.IsCompleted; i++)
        {
            Assert.True(counts.TryGet("k11", out long count));
            Assert.True(count >= last, $"{count} after {last}");
            last = count;
            Assert.Equal(Keys, counts.All().Count());
        }
        Drain(application);
        Assert.Equal(Enumerable.Range(0, Keys).Select(k => $"k{k:D2}=1000"),
            counts.All().Select(e => $"{e.Key}={e.Value}"));
        Assert.Equal(Keys, counts.Count);
        Assert.Equal(["k13", "k12"], counts.Range("k12", "k13", descending: true).Select(e => e.Key));
        IReadOnlyWindowStore<string, long> panes = application.Queries.WindowStore<string, long>("panes");
        Assert.Equal(40_000, panes.FetchAll(0, long.MaxValue).Sum(p => p.Value));
        Assert.NotEmpty(panes.Fetch("k01", 0, long.MaxValue));
        Assert.True(panes.TryGet("k01", 0, out long pane) && pane > 0);
        Assert.NotEmpty(application.Queries.SessionStore<string, long>("sittings")
            .Fetch("k02", 0, long.MaxValue));
        string? value = null;
        Assert.True(application.Queries.VersionedStore<string, string>("versions")
            .TryGetAsOf("k05", 3_990_500, ref value!, out long fromMs));
        Assert.Equal("39885", value);
        Assert.Equal(3_988_500, fromMs);
        application.Stop();
        StateQueryException refused = Assert.Throws<StateQueryException>(() => counts.Count);
        Assert.Contains("does not answer now", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_that_does_not_exist_is_answered_with_those_that_do()
    {
        using EmbeddedLog log = OpenLog();
        using StreamsApplication application = Start(log, Define(onDisk: false), records: 10);
        var e = Assert.Throws<StateQueryException>(
            () => application.Queries.KeyValueStore<string, long>("cuonts"));
        Assert.Contains("counts, panes, sittings, versions", e.Message, StringComparison.Ordinal);
        var wrong = Assert.Throws<TopologyException>(
            () => application.Queries.KeyValueStore<string, string>("counts").Count);
        Assert.Contains("KeyValueStore", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task State_is_not_shown_beyond_this_machine()
    {
        using EmbeddedLog log = OpenLog();
        using StreamsApplication application = Start(log, Define(onDisk: false), records: 10);
        await using TelemetryServer server = await TelemetryServer.StartAsync(
            "0.0.0.0:0", () => new Readiness(true, ""), application.Queries);
        using var client = new HttpClient();
        int port = new Uri(server.Address.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)).Port;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(IPAddress.Loopback));
        IPAddress[] others = [.. NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => a.Address)
            .Where(a => a.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(a))];
        Assert.SkipWhen(others.Length == 0, "The machine has no address but loopback.");
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(others[0]));

        async Task<HttpStatusCode> StatusAsync(IPAddress address) => (await client.GetAsync(
            $"http://{address}:{port}/state/counts", TestContext.Current.CancellationToken)).StatusCode;
    }

    [Fact]
    public void What_cannot_lie_on_disk_is_refused_with_what_can()
    {
        using EmbeddedLog log = OpenLog();
        foreach (string name in (string[])["panes", "nothing"])
        {
            ApplicationDefinition definition = Define(onDisk: false) with
            {
                Runtime = new RuntimeOptions { Disk = new() { Stores = [name] } },
            };
            var e = Assert.Throws<ConfigurationException>(
                () => new StreamsApplication(definition, log, NullLogger.Instance));
            Assert.Contains($"'{name}'", e.Message, StringComparison.Ordinal);
            Assert.EndsWith("Stores that can be: counts.", e.Message, StringComparison.Ordinal);
        }
    }

    public void Dispose() => _folder.Dispose();

    private EmbeddedLog OpenLog() => EmbeddedLog.Open(
        new EmbeddedLogOptions { Directory = Path.Combine(_folder.Path, "log") });

    private ApplicationDefinition Define(bool onDisk)
    {
        var builder = new StreamsBuilder();
        KStream<string, string> events = builder.Stream(
            "events", new Consumed<string, string>(Serdes.String, Serdes.String));
        KGroupedStream<string, string> grouped = events.GroupByKey();
        grouped.Count(new Materialized<string, long> { StoreName = "counts", OnDisk = onDisk });
        grouped.WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromMinutes(1))).Count(
            new Materialized<string, long> { StoreName = "panes", Retention = TimeSpan.FromDays(1) });
        grouped.WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(TimeSpan.FromMinutes(1))).Count(
            new Materialized<string, long> { StoreName = "sittings", Retention = TimeSpan.FromDays(1) });
        events.ToTable(new Materialized<string, string>
        {
            StoreName = "versions",
            ValueSerde = Serdes.String,
            HistoryRetention = TimeSpan.FromDays(1),
        });
        return new ApplicationDefinition
        {
            Id = "app",
            Topology = builder.Build(),
            DataFolder = _folder.Path,
            Runtime = new RuntimeOptions { Threads = 2, CommitInterval = TimeSpan.FromMilliseconds(5) },
        };
    }

    private static StreamsApplication Start(EmbeddedLog log, ApplicationDefinition definition, int records)
    {
        log.EnsureTopic(new TopicSpec { Name = "events", Partitions = 3, Retention = null });
        var application = new StreamsApplication(definition, log, NullLogger.Instance);
        application.Start();
        Feed(log, 0, records, CancellationToken.None);
        Drain(application);
        return application;
    }

    private static void Feed(EmbeddedLog log, int from, int to, CancellationToken cancellation)
    {
        Topic events = log.FindTopic("events")!;
        using ILogWriter writer = log.OpenWriter("feed");
        for (int i = from; i < to && !cancellation.IsCancellationRequested; i++)
        {
            string key = $"k{i % Keys:D2}";
            int partition = Murmur2.Partition(System.Text.Encoding.UTF8.GetBytes(key), events.Partitions);
            writer.Append(events[partition], key, $"{i}", i * 100L);
            if (i % 100 == 99)
                writer.Commit();
        }
        writer.Commit();
    }

    private static void Drain(StreamsApplication application)
    {
        var patience = Stopwatch.StartNew();
        while (!(application.IsDrained() && application.NotReadyReasons().Count == 0)
            && application.Failure is null && patience.Elapsed < TimeSpan.FromMinutes(1))
            Thread.Sleep(5);
        Assert.Null(application.Failure);
    }

    private static IEnumerable<string> KeysOf(string lines) =>
        lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('"')[3]);
}
