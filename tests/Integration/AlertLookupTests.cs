using System.Globalization;
using System.Text.Json;
using Streams.Tests.Connectors.Http;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>
/// Alerts are looked up in a system that is slow and unreliable, while the process is killed: each alert
/// comes out once, with its answer (CSIC-061, DAM-041). The checker shares no code with the project.
/// </summary>
public sealed class AlertLookupTests
{
    private static readonly int Kills = int.Parse(
        Environment.GetEnvironmentVariable("STREAMS_TEST_KILLS") ?? "8", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("partition")]
    [InlineData("key")]
    public async Task Killed_while_calls_are_under_way_a_run_loses_and_doubles_nothing(string order)
    {
        using var folder = new TemporaryFolder();
        string input = TransactionsInput.Make(folder);
        await using LookupServer server = await LookupServer.StartAsync(BadlyAnswer);
        string config = WriteConfig(folder, server, order);
        string expected = folder.File("expected");
        TransactionsInput.AssertDone(StreamsProcess.Run(Arguments(input, expected, config)));
        AssertAnswered(expected, "undisturbed");
        int seed = Environment.TickCount;
        var random = new Random(seed);
        int killed = 0, midCall = 0;
        for (int round = 0; killed < Kills; round++)
        {
            string actual = folder.File($"actual{round}");
            while (killed < Kills)
            {
                using StreamsProcess process = StreamsProcess.Start(Arguments(input, actual, config));
                await process.WaitForAsync("transactions runs");
                // Most while calls are under way, some before and after.
                if (random.Next(4) != 0)
                    SpinWait.SpinUntil(
                        () => server.Active > 0 || process.HasExited, TimeSpan.FromSeconds(30));
                int wait = random.Next(200);
                await Task.Delay(wait, TestContext.Current.CancellationToken);
                int active = server.Active;
                if (!process.KillAfter(TimeSpan.Zero))
                {
                    TransactionsInput.AssertDone(process.WaitForEnd());
                    break;
                }
                killed++;
                midCall += active > 0 ? 1 : 0;
            }
            TransactionsInput.AssertDone(StreamsProcess.Run(Arguments(input, actual, config)));
            string when = $"after {killed} kills, seed {seed}";
            AssertAnswered(actual, when);
            // In the order of the partition the answers are the same bytes each time; by key, what is not
            // looked up is.
            if (order == "partition")
                TransactionsInput.AssertSame(expected, actual, when);
            else
                Assert.Equal(Lines(expected, "alerts-"), Lines(actual, "alerts-"));
            Directory.Delete(actual, recursive: true);
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{killed} kills, {midCall} of them with calls under way, seed {seed}");
        Assert.True(midCall > 0, "No kill met a call under way.");
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_a_system_that_hangs_and_the_next_start_asks_again()
    {
        using var folder = new TemporaryFolder();
        string input = TransactionsInput.Make(folder);
        bool hangs = true;
        await using LookupServer server = await LookupServer.StartAsync(
            (key, _) => hangs ? Answer.Never : WellAnswer(key));
        string config = WriteConfig(folder, server, "key", attemptTimeout: "10m");
        string output = folder.File("output");
        using (StreamsProcess process = StreamsProcess.Start(
            [.. Arguments(input, output, config).Where(a => a != "--drain")]))
        {
            Assert.True(SpinWait.SpinUntil(() => server.Active > 0, TimeSpan.FromMinutes(2)));
            process.Terminate();
            TransactionsInput.AssertDone(process.WaitForEnd());
        }
        Assert.Empty(Lines(output, "alerts.enriched-"));
        hangs = false;
        TransactionsInput.AssertDone(StreamsProcess.Run(Arguments(input, output, config)));
        AssertAnswered(output, "after a stop");
    }

    private static string WriteConfig(
        TemporaryFolder folder, LookupServer server, string order, string attemptTimeout = "300ms")
    {
        string path = folder.File("streams.yaml");
        File.WriteAllText(path, $$"""
            options:
              risk:
                alert_score_min: 20
              alert_lookup:
                http:
                  url: {{server.Url}}
                  answer_bytes_max: 1000
                calls:
                  order: {{order}}
                  calls_max: 16
                  records_max: 40
                  attempt_timeout: {{attemptTimeout}}
                  total_timeout: 20m
                  retries_max: 20
                  retry_delay: 5ms
                  retry_delay_max: 20ms
                  breaker_failure_percent: 0
            runtime:
              commit_interval: 5ms
              calls_stop_wait: 100ms
              snapshots:
                changelog_bytes_min: 1000
                changelog_percent_min: 1
                slice_bytes: 100000
            """);
        return path;
    }

    private static string[] Arguments(string input, string folder, string config) =>
        TransactionsInput.Arguments(input, folder, Path.Combine(folder, "data"), config);

    // What a key is answered in the end depends on the key alone; on the way there much goes wrong.
    private static Answer BadlyAnswer(string key, int asked)
    {
        return Random.Shared.Next(12) switch
        {
            0 when asked < 5 => Answer.Of("", 503),
            1 when asked < 5 => Answer.Of("half") with { ClaimedBytes = 500, BreaksOff = true },
            2 when asked < 2 => Answer.Never,
            _ => WellAnswer(key) with { Wait = TimeSpan.FromMilliseconds(Kind(key) * 3) },
        };
    }

    private static Answer WellAnswer(string key) => Kind(key) switch
    {
        0 => Answer.Of("", 404),
        1 => Answer.Of(new string('x', 2000)),
        _ => Answer.Of(TextOf(key)),
    };

    private static int Kind(string key) => Convert.ToInt32(key[..1], 16);

    private static string TextOf(string key) => $"{{\"owner\":\"{key[..8]}\"}}";

    // Each alert has one answer: the one that the server gives for its transaction.
    private static void AssertAnswered(string folder, string when)
    {
        List<string> expected = [];
        foreach (string line in Lines(folder, "alerts-"))
        {
            using JsonDocument alert = JsonDocument.Parse(line);
            string key = Text(alert, "tx_id")!;
            string answer = Kind(key) is 0 or 1 ? "nothing" : TextOf(key);
            expected.Add($"{Text(alert, "alert_id")} {Text(alert, "op")} {answer} {Kind(key) == 1}");
        }
        List<string> actual = [];
        foreach (string line in Lines(folder, "alerts.enriched-"))
        {
            using JsonDocument alert = JsonDocument.Parse(line);
            actual.Add(
                $"{Text(alert, "alert_id")} {Text(alert, "op")} {Text(alert, "answer") ?? "nothing"} "
                + $"{Text(alert, "failure")?.Contains("more than 1,000 bytes", StringComparison.Ordinal)
                    ?? false}");
        }
        Assert.True(expected.Count > 50, $"{expected.Count} alerts are too few to tell.");
        Assert.True(
            expected.Order(StringComparer.Ordinal).SequenceEqual(actual.Order(StringComparer.Ordinal)),
            $"{expected.Count} alerts and {actual.Count} answers {when}; missing: "
            + string.Join(" | ", expected.Except(actual).Take(3)) + "; too many: "
            + string.Join(" | ", actual.Except(expected).Take(3)));
        foreach (IGrouping<string, string> alert in expected.GroupBy(e => e.Split(' ')[0]))
            Assert.Equal(alert, actual.Where(a => a.Split(' ')[0] == alert.Key));
    }

    private static string? Text(JsonDocument record, string field)
    {
        JsonElement value = record.RootElement.TryGetProperty("value", out JsonElement inner)
            ? inner
            : record.RootElement;
        return value.TryGetProperty(field, out JsonElement text) && text.ValueKind != JsonValueKind.Null
            ? text.ToString()
            : null;
    }

    private static List<string> Lines(string folder, string prefix) =>
        [.. Directory.GetFiles(Path.Combine(folder, "json"), $"{prefix}*")
            .Order(StringComparer.Ordinal).SelectMany(File.ReadLines)];
}
