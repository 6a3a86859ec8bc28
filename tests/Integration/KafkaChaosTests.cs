using System.Diagnostics;
using System.Globalization;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>
/// Three workers on three brokers with a database behind them; workers are killed, stopped for longer than
/// their session, brokers and the database are killed, at random. Then Kafka's own consumer and SQL say what
/// is there, and it is compared with what was sent: no code of the project takes part in that.
/// STREAMS_TEST_KILLS says how many kills, STREAMS_TEST_SEED which, STREAMS_TEST_JOURNAL names a file for
/// what happened (CSIC-119 to 123).
/// </summary>
[Collection("Kafka chaos")]
public sealed class KafkaChaosTests
{
    private const int Workers = 3;
    private const int Partitions = 6;
    private const string Fenced = "static members fenced by what they were before";
    private const string EndedAlone = "workers that gave up by themselves";

    private static readonly int Kills = int.Parse(
        Environment.GetEnvironmentVariable("STREAMS_TEST_KILLS") ?? "12", CultureInfo.InvariantCulture);

    private readonly string _application = $"chaos{Guid.NewGuid():N}"[..12];
    private readonly Process?[] _workers = new Process?[Workers];
    private readonly bool[] _isToEnd = new bool[Workers];
    private readonly ChaosJournal _journal = new();

    [Fact]
    public async Task Killed_stopped_and_cut_off_at_random_the_workers_leave_each_record_once_and_in_order()
    {
        int seed = Environment.GetEnvironmentVariable("STREAMS_TEST_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture) : Environment.TickCount;
        var random = new Random(seed);
        using PostgresServer server = PostgresServer.Start();
        using KafkaCluster cluster = KafkaCluster.Start(nodes: 3);
        using var folder = new TemporaryFolder();
        string database = server.NewDatabase();
        var run = new ChaosRun(cluster, server, database, folder);
        foreach (string topic in (string[])[KafkaWorker.Input, KafkaWorker.Sums, KafkaWorker.Counts])
            Assert.Equal(0, cluster.Tool(
                "topics", "--create", "--topic", topic, "--partitions", $"{Partitions}",
                "--replication-factor", "3").Code);
        using var over = new CancellationTokenSource();
        using var feed = new ChaosFeed(cluster, random.Next(), _journal);
        try
        {
            for (int i = 0; i < Workers; i++)
                StartWorker(run, i);
            await ChaosCheck.NumberRowsAsync(server, database);
            Task sending = feed.SendAsync(over.Token);
            await DisturbAsync(run, random);
            await over.CancelAsync();
            await sending;
            StartMissing(run);
            await WaitForLagAsync(run);
            await ChaosCheck.WaitForRowsAsync(server, database, feed.Total);
            StopWorkers();
            ChaosCheck.Topics(cluster, feed.Sent, $"seed {seed}");
            ChaosCheck.Tables(server, database, feed.Sent, $"seed {seed}");
        }
        catch (Exception)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(_journal.Tail(400));
            throw;
        }
        finally
        {
            await over.CancelAsync();
            foreach (Process? worker in _workers)
                worker?.Kill();
        }
        string summary = $"{feed.Total} records, seed {seed}: {_journal.Summary}";
        _journal.Write(summary);
        TestContext.Current.TestOutputHelper?.WriteLine(summary);
        Assert.False(_journal.Has(EndedAlone), "A worker gave up by itself:\n" + _journal.Tail(400));
    }

    private async Task DisturbAsync(ChaosRun run, Random random)
    {
        for (int killed = 0; killed < Kills;)
        {
            await Task.Delay(random.Next(200, 1_800));
            StartMissing(run);
            int victim = random.Next(Workers);
            switch (random.Next(14))
            {
                case 0:
                    // One broker of three: the others go on.
                    int node = 1 + random.Next(3);
                    run.Cluster.Kill(node);
                    _journal.Note("brokers killed", $"broker {node}");
                    await Task.Delay(random.Next(1_000, 4_000));
                    run.Cluster.StartAgain();
                    killed++;
                    break;
                case 1:
                    // Longer than the session: its lanes go to others while it believes to have them.
                    Signal(victim, "STOP");
                    await Task.Delay(random.Next(2) == 0 ? 9_000 : 2_000);
                    Signal(victim, "CONT");
                    _journal.Note("workers stopped and continued", $"worker {victim}");
                    break;
                case 2:
                    _isToEnd[victim] = true;
                    Signal(victim, "TERM");
                    _journal.Note("workers asked to end", $"worker {victim}");
                    break;
                case 3 or 4:
                    run.Server.Kill();
                    _journal.Note("databases killed", "the database");
                    await Task.Delay(random.Next(100, 3_000));
                    run.Server.Restart();
                    killed++;
                    break;
                case 5:
                    run.Server.Stop();
                    _journal.Note("databases shut down and started", "the database");
                    run.Server.Restart();
                    break;
                case 6:
                    run.Server.Execute("postgres", """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE application_name = 'streams'
                        """);
                    _journal.Note("times that all database sessions were ended", "all sessions");
                    break;
                default:
                    _isToEnd[victim] = true;
                    _workers[victim]!.Kill();
                    _journal.Note("workers killed", $"worker {victim}");
                    killed++;
                    break;
            }
        }
    }

    private async Task WaitForLagAsync(ChaosRun run)
    {
        string output = "";
        for (int i = 0; i < 60; i++)
        {
            StartMissing(run);
            (int code, output) = run.Cluster.Tool("groups", "--describe", "--group", _application);
            string[][] rows = [.. output.Split('\n')
                .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(r => r.Length > 5 && r[0] == _application
                    && !r[1].EndsWith("-tasks", StringComparison.Ordinal))];
            bool isKnown = rows.Count(r => r[1] == KafkaWorker.Input) == Partitions;
            if (code == 0 && isKnown && rows.All(r => r[5] == "0"))
                return;
            await Task.Delay(1_000);
        }
        Assert.Fail($"The group does not catch up: {output}");
    }

    private void StartMissing(ChaosRun run)
    {
        for (int i = 0; i < Workers; i++)
        {
            if (!_workers[i]!.HasExited)
                continue;
            if (!_isToEnd[i])
                _journal.Note(
                    IsFenced(i) ? Fenced : EndedAlone, $"worker {i}, exit code {_workers[i]!.ExitCode}");
            StartWorker(run, i);
        }
    }

    // The coordinator that takes over from one that was killed can know a static member by what it was before
    // its last start. It then fences the one that is there, which ends, to be started again.
    private bool IsFenced(int number) => number == Workers - 1 && _journal.Says(
        $"{number}/{_workers[number]!.Id}: ", "has taken this one's kafka.instance");

    // The last one is a static member: after a kill it comes back as the one that it was.
    private void StartWorker(ChaosRun run, int number)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [
                typeof(KafkaWorker).Assembly.Location, "kafka-worker", run.Cluster.Brokers, _application,
                run.Folder.File($"worker{number}"), "2", run.Server.Address(run.Database),
                .. number == Workers - 1 ? (string[])[$"w{number}"] : [],
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process worker = Process.Start(start)!;
        worker.OutputDataReceived += (_, line) => _journal.Write($"{number}/{worker.Id}: {line.Data}");
        worker.ErrorDataReceived += (_, line) => _journal.Write($"{number}/{worker.Id}: {line.Data}");
        worker.BeginOutputReadLine();
        worker.BeginErrorReadLine();
        _workers[number] = worker;
        _isToEnd[number] = false;
    }

    private void StopWorkers()
    {
        for (int i = 0; i < Workers; i++)
            Signal(i, "TERM");
        foreach (Process? worker in _workers)
        {
            Assert.True(worker!.WaitForExit(TimeSpan.FromSeconds(60)), "A worker does not end.");
            Assert.Equal(0, worker.ExitCode);
        }
    }

    private void Signal(int worker, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{_workers[worker]!.Id}"]);
        kill.WaitForExit();
    }

    private sealed record ChaosRun(
        KafkaCluster Cluster, PostgresServer Server, string Database, TemporaryFolder Folder);
}
