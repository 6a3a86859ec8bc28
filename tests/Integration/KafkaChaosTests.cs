using System.Diagnostics;
using System.Globalization;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>
/// Three workers on three brokers; workers are killed, stopped for longer than their session, and brokers are
/// killed, at random. Then Kafka's own consumer says what is there, and it is compared with what was sent: no
/// code of the project takes part in that. STREAMS_TEST_KILLS says how many kills (CSIC-119 to 123).
/// </summary>
[Collection("Kafka chaos")]
public sealed class KafkaChaosTests
{
    private const int Workers = 3;
    private const int Keys = 50;
    private const int Partitions = 6;
    private const int NumbersPerSecond = 400;

    private static readonly int Kills = int.Parse(
        Environment.GetEnvironmentVariable("STREAMS_TEST_KILLS") ?? "12", CultureInfo.InvariantCulture);

    private readonly string _application = $"chaos{Guid.NewGuid():N}"[..12];
    private readonly Process?[] _workers = new Process?[Workers];
    private readonly List<string> _journal = [];
    private readonly Dictionary<string, int> _done = [];
    private int _sent;

    [Fact]
    public async Task Killed_stopped_and_cut_off_at_random_the_workers_leave_each_record_once_and_in_order()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        using KafkaCluster cluster = KafkaCluster.Start(nodes: 3);
        using var folder = new TemporaryFolder();
        foreach (string topic in (string[])[KafkaWorker.Input, KafkaWorker.Sums, KafkaWorker.Counts])
            Assert.Equal(0, cluster.Tool(
                "topics", "--create", "--topic", topic, "--partitions", $"{Partitions}",
                "--replication-factor", "3").Code);
        using var over = new CancellationTokenSource();
        Task<long[][]> sending = Task.Run(
            () => Send(cluster, random.Next(), over.Token), TestContext.Current.CancellationToken);
        try
        {
            for (int i = 0; i < Workers; i++)
                StartWorker(cluster, folder, i);
            await Task.Delay(3_000, TestContext.Current.CancellationToken);
            await DisturbAsync(cluster, folder, random);
            await over.CancelAsync();
            long[][] sent = await sending;
            StartMissing(cluster, folder);
            await WaitForLagAsync(cluster);
            StopWorkers();
            _sent = sent.Sum(s => s.Length);
            Check(cluster, sent, $"seed {seed}");
        }
        catch (Exception)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', _journal.TakeLast(400)));
            throw;
        }
        finally
        {
            await over.CancelAsync();
            foreach (Process? worker in _workers)
                worker?.Kill();
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{_sent} records, seed {seed}: " + string.Join(
                ", ", _done.OrderBy(d => d.Key).Select(d => $"{d.Value} {d.Key}")));
    }

    private async Task DisturbAsync(KafkaCluster cluster, TemporaryFolder folder, Random random)
    {
        for (int killed = 0; killed < Kills;)
        {
            await Task.Delay(random.Next(300, 2_500));
            StartMissing(cluster, folder);
            int victim = random.Next(Workers);
            switch (random.Next(10))
            {
                case 0:
                    // One broker of three: the others go on.
                    int node = 1 + random.Next(3);
                    cluster.Kill(node);
                    Note("brokers killed", $"broker {node}");
                    await Task.Delay(random.Next(1_000, 4_000));
                    cluster.StartAgain();
                    killed++;
                    break;
                case 1:
                    // Longer than the session: its lanes go to others while it believes to have them.
                    Signal(victim, "STOP");
                    await Task.Delay(random.Next(2) == 0 ? 9_000 : 2_000);
                    Signal(victim, "CONT");
                    Note("workers stopped and continued", $"worker {victim}");
                    break;
                case 2:
                    Signal(victim, "TERM");
                    Note("workers asked to end", $"worker {victim}");
                    break;
                default:
                    _workers[victim]!.Kill();
                    Note("workers killed", $"worker {victim}");
                    killed++;
                    break;
            }
        }
    }

    // Numbers of a key grow; the console's producer is Kafka's own, and idempotent.
    private static long[][] Send(KafkaCluster cluster, int seed, CancellationToken over)
    {
        var random = new Random(seed);
        List<long>[] sent = [.. Enumerable.Range(0, Keys).Select(_ => new List<long>())];
        using Process producer = cluster.StartTool(
            "console-producer", "--topic", KafkaWorker.Input, "--property", "parse.key=true",
            "--producer-property", "enable.idempotence=true", "--producer-property",
            "delivery.timeout.ms=240000", "--producer-property", "max.block.ms=240000");
        for (long number = 0; !over.IsCancellationRequested; number++)
        {
            int key = random.Next(Keys);
            producer.StandardInput.Write($"k{key}\t{number}\n");
            sent[key].Add(number);
            if (number % 20 == 0)
            {
                producer.StandardInput.Flush();
                Thread.Sleep(20_000 / NumbersPerSecond);
            }
        }
        producer.StandardInput.Close();
        Assert.True(producer.WaitForExit(TimeSpan.FromMinutes(5)), "Kafka's producer does not end.");
        return [.. sent.Select(s => s.ToArray())];
    }

    private static void Check(KafkaCluster cluster, long[][] sent, string which)
    {
        var sums = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (string line in cluster.Consume(KafkaWorker.Sums))
            Add(sums, line);
        for (int key = 0; key < Keys; key++)
        {
            long sum = 0;
            string[] expected = [.. sent[key].Select((number, i) => $"{i + 1}:{sum += number}:{number}")];
            AssertSame(expected, sums.GetValueOrDefault($"k{key}") ?? [], $"k{key}, {which}");
        }
        var counts = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (string line in cluster.Consume(KafkaWorker.Counts))
            Add(counts, line);
        for (int group = 0; group < KafkaWorker.Groups; group++)
        {
            int total = Enumerable.Range(0, Keys).Where(k => k % KafkaWorker.Groups == group)
                .Sum(k => sent[k].Length);
            string[] expected = [.. Enumerable.Range(1, total).Select(n => $"{n}")];
            AssertSame(expected, counts.GetValueOrDefault($"g{group}") ?? [], $"g{group}, {which}");
        }
    }

    private static void AssertSame(string[] expected, List<string> actual, string where)
    {
        if (expected.SequenceEqual(actual))
            return;
        int at = Enumerable.Range(0, Math.Max(expected.Length, actual.Count)).First(
            i => expected.ElementAtOrDefault(i) != actual.ElementAtOrDefault(i));
        Assert.Fail(
            $"{where}: {expected.Length} expected, {actual.Count} found; at {at}: "
            + $"'{expected.ElementAtOrDefault(at)}' expected, "
            + $"found '{string.Join(' ', actual.Skip(Math.Max(0, at - 2)).Take(6))}'");
    }

    // Partition:3<tab>k7<tab>12:345:67
    private static void Add(Dictionary<string, List<string>> records, string line)
    {
        string[] parts = line.Split('\t');
        if (!records.TryGetValue(parts[1], out List<string>? values))
            records.Add(parts[1], values = []);
        values.Add(parts[2]);
    }

    private async Task WaitForLagAsync(KafkaCluster cluster)
    {
        string output = "";
        for (int i = 0; i < 40; i++)
        {
            (int code, output) = cluster.Tool("groups", "--describe", "--group", _application);
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

    private void StartMissing(KafkaCluster cluster, TemporaryFolder folder)
    {
        for (int i = 0; i < Workers; i++)
        {
            if (_workers[i]!.HasExited)
                StartWorker(cluster, folder, i);
        }
    }

    private void StartWorker(KafkaCluster cluster, TemporaryFolder folder, int number)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [
                typeof(KafkaWorker).Assembly.Location, "kafka-worker", cluster.Brokers, _application,
                folder.File($"worker{number}"), "2",
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process worker = Process.Start(start)!;
        worker.OutputDataReceived += (_, line) => Write($"{number}/{worker.Id}: {line.Data}");
        worker.ErrorDataReceived += (_, line) => Write($"{number}/{worker.Id}: {line.Data}");
        worker.BeginOutputReadLine();
        worker.BeginErrorReadLine();
        _workers[number] = worker;
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

    private void Note(string what, string whom)
    {
        _done[what] = _done.GetValueOrDefault(what) + 1;
        Write($"==== {what}: {whom}");
    }

    private void Write(string line)
    {
        lock (_journal)
            _journal.Add($"{DateTime.UtcNow:HH:mm:ss.fff} {line}");
    }
}
