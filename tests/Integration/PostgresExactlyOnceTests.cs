using System.Globalization;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>
/// The transactions topology into PostgreSQL under SIGKILL leaves the rows of an undisturbed run
/// (CSIC-022, 028, 042). STREAMS_TEST_KILLS says how many kills; the checker is SQL alone.
/// </summary>
public sealed class PostgresExactlyOnceTests(PostgresServers servers)
{
    private const string Started = "transactions runs 2 tasks";

    private static readonly int Kills =
        int.Parse(
            Environment.GetEnvironmentVariable("STREAMS_TEST_KILLS") ?? "8", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Killed_at_random_instants_a_run_leaves_what_an_undisturbed_one_leaves()
    {
        PostgresServer server = servers.Postgres;
        using var folder = new TemporaryFolder();
        string blocks = TransactionsInput.Make(folder);
        string config = WriteConfig(folder);
        string undisturbed = server.NewDatabase();
        TransactionsInput.AssertDone(StreamsProcess.Run(Arguments(undisturbed, "expected")));
        SortedDictionary<string, string> expected = Sql.Digests(server, undisturbed);
        int seed = Environment.TickCount;
        var random = new Random(seed);
        int killed = 0, rounds = 0, written = 0;
        for (; killed < Kills; rounds++)
        {
            string database = server.NewDatabase();
            string data = $"actual{rounds}";
            while (killed < Kills)
            {
                using StreamsProcess process = StreamsProcess.Start(Arguments(database, data));
                // Some before or at the start, most while rows are on their way, however long a start takes.
                int when = random.Next(4);
                if (when == 1)
                    await process.WaitForAsync(Started);
                else if (when > 1)
                    await WaitForMoreRowsAsync(server, database, process);
                if (!process.KillAfter(TimeSpan.FromMilliseconds(random.Next(when > 1 ? 100 : 500))))
                {
                    TransactionsInput.AssertDone(process.WaitForEnd());
                    break;
                }
                killed++;
                written += IsPartlyWritten(server, database, expected) ? 1 : 0;
            }
            TransactionsInput.AssertDone(StreamsProcess.Run(Arguments(database, data)));
            Assert.Equal(expected, Sql.Digests(server, database));
            // Each row of the offsets says how far its topic was written: to its end.
            Assert.Equal(
                server.Query(undisturbed, "SELECT topic, next_offset FROM streams_offsets ORDER BY 1"),
                server.Query(database, "SELECT topic, next_offset FROM streams_offsets ORDER BY 1"));
            server.Execute("postgres", $"DROP DATABASE {database} WITH (FORCE)");
            Directory.Delete(folder.File(data), recursive: true);
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{killed} kills over {rounds} rounds, {written} of them with a part of the rows " +
            $"written, seed {seed}");
        Assert.True(written > 0 || Kills < 6, "No kill met a run that had written a part of its rows.");

        string[] Arguments(string database, string data) =>
        [
            "run", "--topology", "transactions", "--source", $"bitcoin-files:{blocks}/*", "--drain",
            "--sink", $"postgres:{server.Location(database)}",
            "--data", folder.File(data), "-c", config,
        ];
    }

    // Until the process has committed rows, or is at its end.
    private static async Task WaitForMoreRowsAsync(
        PostgresServer server, string database, StreamsProcess process)
    {
        long before = Rows(server, database);
        while (!process.HasExited && Rows(server, database) == before)
            await Task.Delay(10, TestContext.Current.CancellationToken);
    }

    private static long Rows(PostgresServer server, string database) =>
        server.Number(database, "SELECT count(*) FROM pg_class WHERE relname = 'transactions'") == 0 ? 0
            : server.Number(database, "SELECT count(*) FROM transactions");

    private static bool IsPartlyWritten(
        PostgresServer server, string database, SortedDictionary<string, string> expected)
    {
        long rows = Rows(server, database);
        return rows > 0
            && rows < long.Parse(expected["transactions"].Split('|')[0], CultureInfo.InvariantCulture);
    }

    // Commits as often as there can be, and rows sent before them.
    private static string WriteConfig(TemporaryFolder folder)
    {
        string path = folder.File("streams.yaml");
        File.WriteAllText(path, """
            runtime:
              commit_interval: 5ms
              commit_bytes_max: 200000
              snapshots:
                changelog_bytes_min: 1000
                changelog_percent_min: 1
                slice_bytes: 100000
            intake:
              commit_bytes_max: 100000
              commit_interval: 5ms
            delivery:
              commit_records_max: 100
            """);
        return path;
    }
}
