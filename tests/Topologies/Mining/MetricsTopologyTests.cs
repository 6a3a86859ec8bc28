using System.Globalization;
using Streams.Connectors.Mining;
using Streams.Records;
using Streams.Testing;
using Streams.Tests.Integration;
using Streams.Tests.Support;
using Streams.Topologies.Mining;
using Xunit;

namespace Streams.Tests.Topologies.Mining;

/// <summary>Samples of machines, their hours, and the tables of both (CSIC-023, 070, 111).</summary>
public sealed class MetricsTopologyTests(PostgresServers servers) : IDisposable
{
    private const long HourMs = 3_600_000;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void An_hour_is_written_once_when_it_is_over()
    {
        using var driver = new TopologyTestDriver(MetricsTopology.Build(new MetricsOptions()));
        var input = driver.CreateInputTopic(
            MetricsTopology.Metrics, Serdes.Text, RecordSerde.Protobuf<MachineMetric>());
        var output = driver.CreateOutputTopic(
            MetricsTopology.Hourly, Serdes.Text, RecordSerde.Protobuf<MetricsHour>());
        var machine = new Text("a");
        void Sample(long ms, double? rate, double? temperature) => input.Pipe(
            machine,
            new MachineMetric
            {
                Machine = machine,
                Time = ms * 1_000_000,
                HashRate = rate,
                Temperature = temperature,
            },
            ms);
        Sample(0, 90, null);
        Sample(10_000, null, -5);
        Sample(20_000, 100, -7);
        Assert.Empty(output.ReadAll());
        Sample(2 * HourMs, 1, 1);
        MetricsHour hour = Assert.Single(output.ReadAll()).Value;
        Assert.Equal((3, 95.0, -5.0), (hour.Samples, hour.HashRate, hour.TemperatureMax));
        Assert.Null(hour.PowerConsumption);
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("timescale")]
    public void Samples_of_many_machines_at_one_instant_are_rows_of_the_metrics_table(string kind)
    {
        PostgresServer server = kind == "postgres" ? servers.Postgres : servers.Timescale;
        string database = server.NewDatabase();
        var ended = StreamsProcess.Run(
            "run", "--topology", "mining", "--data", _folder.File("data"), "--drain",
            "--source", "mining-simulated:7?machines=20&rounds_max=1000",
            "--sink", $"{kind}:{server.Location(database)}");
        TransactionsInput.AssertDone(ended);
        Assert.Equal(
            ["time|bigint", "machine_id|uuid", "at|timestamp with time zone", "hash_rate|double precision",
                "power_consumption|double precision", "temperature|double precision", "pool_url|text"],
            server.Query(database, "SELECT column_name, data_type FROM information_schema.columns " +
                "WHERE table_name = 'metrics' ORDER BY ordinal_position"));
        Assert.Equal(
            [
                "FOREIGN KEY (machine_id) REFERENCES machines(machine_id)",
                "PRIMARY KEY (\"time\", machine_id)",
            ],
            server.Query(database, "SELECT pg_get_constraintdef(oid) AS d FROM pg_constraint " +
                "WHERE conrelid = 'metrics'::regclass AND contype IN ('p', 'f') ORDER BY 1"));
        Assert.Equal(["20000|1000|20"], server.Query(database,
            "SELECT count(*), count(DISTINCT time), count(DISTINCT machine_id) FROM metrics"));
        Assert.Equal(20, server.Number(database, "SELECT count(*) FROM machine_latest"));
        // 10,000 s are two whole hours, which are over by more than the grace, and a part of a third.
        Assert.Equal(["40"], server.Query(database, "SELECT count(*) FROM metrics_hourly"));
        Assert.Equal(["0"], server.Query(database, """
            SELECT count(*) FROM metrics_hourly h JOIN (
              SELECT machine_id, date_trunc('hour', at, 'UTC') AS hour, count(*) AS n, avg(hash_rate) AS rate,
                max(temperature) AS hottest
              FROM metrics GROUP BY 1, 2) m USING (machine_id, hour)
            WHERE h.samples <> m.n OR abs(h.hash_rate - m.rate) > 1e-9 OR h.temperature_max <> m.hottest
            """));
        // CSIC-073: a row that is taken away on either side is found.
        Assert.Empty(server.Query(database, "SELECT * FROM metrics_differences"));
        server.Execute(database, """
            DELETE FROM metrics WHERE (time, machine_id) = (SELECT time, machine_id FROM metrics ORDER BY 1, 2 LIMIT 1);
            DELETE FROM metrics_hourly WHERE (hour, machine_id) =
              (SELECT hour, machine_id FROM metrics_hourly ORDER BY 1 DESC, 2 LIMIT 1)
            """);
        Assert.Equal(
            ["360|359", "NULL|360"],
            server.Query(database, "SELECT counted, stored FROM metrics_differences ORDER BY hour"));
    }

    [Fact]
    public void The_same_seed_gives_the_same_samples_wherever_it_was_interrupted()
    {
        string once = Jsonl("once", 300);
        string data = _folder.File("twice");
        _ = Run(data, 100);
        _ = Run(data, 300);
        Assert.Equal(once, File.ReadAllText(Path.Combine(data, "json", "mining_metrics-000000.jsonl")));

        string Jsonl(string name, int rounds) => File.ReadAllText(
            Path.Combine(Run(_folder.File(name), rounds), "mining_metrics-000000.jsonl"));
    }

    public void Dispose() => _folder.Dispose();

    private static string Run(string folder, int rounds)
    {
        Directory.CreateDirectory(folder);
        string json = Path.Combine(folder, "json");
        TransactionsInput.AssertDone(StreamsProcess.Run(
            "run", "--topology", "mining", "--data", Path.Combine(folder, "data"), "--drain",
            "--source", string.Create(
                CultureInfo.InvariantCulture, $"mining-simulated:7?machines=5&rounds_max={rounds}"),
            "--sink", $"jsonl:{json}"));
        return json;
    }
}
