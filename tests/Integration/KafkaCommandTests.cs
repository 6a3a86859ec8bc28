using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Log;
using Streams.Log.Kafka;
using Streams.Tests.Support;
using Xunit;
using static Streams.Tests.Integration.StreamsProcess;

namespace Streams.Tests.Integration;

/// <summary><c>streams lag</c>, <c>topics</c>, <c>tap</c>, <c>plan</c>, <c>dlq</c> and <c>reset</c> on a real
/// broker, as an operator runs them (CSIC-011 to 017).</summary>
[Collection("Kafka")]
public sealed class KafkaCommandTests(KafkaBroker broker) : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _application = $"c{Guid.NewGuid():N}"[..10];

    private string Brokers => broker.Cluster.Brokers;

    [Fact]
    public async Task An_operator_looks_resets_and_processes_again()
    {
        string file = Configure();
        long written = Json("run", "-c", file, "--drain", "--json").Single().GetProperty("topics")
            .GetProperty("transactions.enriched").GetInt64();
        Assert.True(written > 50);

        // Nothing waits, and one of the partitions holds the watermark.
        JsonElement[] lags = Json("lag", "-c", file, "--json");
        Assert.All(lags, l => Assert.Equal(0, l.GetProperty("records").GetInt64()));
        Assert.Contains(lags, l => l.GetProperty("holds_watermark").GetBoolean());
        Assert.Contains(Json("lag", "--kafka", Brokers, "--json"), l => Text(l, "group") == _application);

        JsonElement topic = Json("topics", "-c", file, "--json").Single(t => Text(t, "topic") == "alerts");
        Assert.Equal("alert", Text(topic, "schema"));
        Assert.True(Json("topics", "-c", file, "--json").Single(
            t => Text(t, "topic") == $"{_application}-seen-changelog").GetProperty("compacted").GetBoolean());

        JsonElement[] all = Json("tap", "transactions.enriched", "-c", file);
        Assert.True(all.Length >= written);
        JsonElement middle = all[all.Length / 2];
        Assert.Equal(all.Length - (all.Length / 2), Json(
            "tap", "transactions.enriched", "-c", file, "--from",
            $"{middle.GetProperty("offset").GetInt64()}").Length);
        // The topic has the records of other applications too, each from the beginning of the chain.
        long timeMs = all.Select(r => r.GetProperty("timestamp_ms").GetInt64()).Order()
            .ElementAt(all.Length / 2);
        string time = DateTimeOffset.FromUnixTimeMilliseconds(timeMs)
            .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null);
        Assert.InRange(
            Json("tap", "transactions.enriched", "-c", file, "--from", time).Length, 1, all.Length - 1);
        Assert.All(
            Json("tap", "transactions.enriched", "-c", file, "--key", Text(middle, "key")),
            r => Assert.Equal(Text(middle, "key"), Text(r, "key")));

        JsonElement plan = Json("reset", "-c", file, "--json").Single();
        Assert.False(plan.GetProperty("applied").GetBoolean());
        Assert.Contains("addresses", plan.GetProperty("stores").EnumerateArray().Select(s => s.GetString()));
        using (StreamsProcess process = StreamsProcess.Start("run", "-c", file))
        {
            await process.WaitForAsync("came to this process");
            (int code, _, string errors) = StreamsProcess.Run("reset", "-c", Elsewhere(file), "--apply");
            Assert.Equal(3, code);
            Assert.Contains(
                $"'{_application}' runs: its group has 1 members", errors, StringComparison.Ordinal);
            var here = StreamsProcess.Run("reset", "-c", file, "--apply");
            Assert.Equal(3, here.Code);
            Assert.Contains(
                "Another process works in the data directory", here.Errors, StringComparison.Ordinal);
            process.Terminate();
            Assert.Equal(0, process.WaitForEnd().Code);
        }
        Assert.True(Json("reset", "-c", file, "--apply", "--json").Single().GetProperty("applied")
            .GetBoolean());
        Assert.Equal(2, StreamsProcess.Run("lag", "-c", file).Code);

        // The state is gone, so what was a duplicate is none; the source goes on where it was.
        JsonElement again = Json("run", "-c", file, "--drain", "--json").Single();
        Assert.Equal(written, again.GetProperty("topics").GetProperty("transactions.enriched").GetInt64());
        Assert.Equal(0, again.GetProperty("topics").GetProperty("transactions").GetInt64());
    }

    [Fact]
    public async Task What_is_processed_again_does_not_deliver_an_alert_twice()
    {
        string file = Configure(blocks: 160);
        JsonElement first = Json("run", "-c", file, "--drain", "--json").Single().GetProperty("topics");
        long alerts = first.GetProperty("alerts").GetInt64();
        long written = first.GetProperty("transactions.enriched").GetInt64();
        Assert.True(alerts > 0 && written > 50);
        Assert.True(Json("backfill", "-c", file, "--from", "start", "--json").Single()
            .GetProperty("can_begin").GetBoolean());
        using (StreamsProcess process = StreamsProcess.Start("run", "-c", file))
        {
            await process.WaitForAsync("came to this process");
            var refused = StreamsProcess.Run(
                "backfill", "-c", Elsewhere(file), "--from", "start", "--apply");
            Assert.Equal(3, refused.Code);
            Assert.Contains($"'{_application}' runs", refused.Errors, StringComparison.Ordinal);
            process.Terminate();
            Assert.Equal(0, process.WaitForEnd().Code);
        }
        var begun = StreamsProcess.Run("backfill", "-c", file, "--from", "start", "--apply");
        Assert.True(begun.Code == 0, begun.Errors);
        JsonElement again = Json("run", "-c", file, "--drain", "--json").Single().GetProperty("topics");
        Assert.Equal(0, again.GetProperty("alerts").GetInt64());
        Assert.Equal(written, again.GetProperty("transactions.enriched").GetInt64());
        var status = StreamsProcess.Run("backfill", "-c", file);
        Assert.Contains("is through", status.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lag_has_records_and_seconds()
    {
        string file = Configure();
        Assert.Equal(0, StreamsProcess.Run("run", "-c", file, "--drain").Code);
        // Set back by Kafka's own tool.
        Assert.Equal(0, broker.Cluster.Tool(
            "groups", "--group", _application, "--topic", "transactions", "--reset-offsets", "--to-earliest",
            "--execute").Code);
        JsonElement input = Json("lag", "-c", file, "--json").Single(l => Text(l, "topic") == "transactions");
        Assert.True(input.GetProperty("records").GetInt64() > 50);
        Assert.True(input.GetProperty("seconds").GetDouble() > 600);
    }

    [Fact]
    public void Topics_are_created_described_and_checked()
    {
        string name = $"{_application}.notes";
        var created = StreamsProcess.Run(
            "topics", "create", name, "--partitions", "3", "--retention", "12h", "--kafka", Brokers);
        Assert.True(created.Code == 0, created.Errors);
        Assert.Contains("was created", created.Output, StringComparison.Ordinal);
        JsonElement notes = Json("topics", "describe", name, "--json", "--kafka", Brokers).Single();
        Assert.Equal(43_200_000, notes.GetProperty("retention_ms").GetInt64());
        Assert.Equal(3, notes.GetProperty("partitions").GetArrayLength());
        var differs = StreamsProcess.Run(
            "topics", "create", name, "--partitions", "4", "--kafka", Brokers);
        Assert.Equal(2, differs.Code);
        Assert.Contains("has 3 partitions and should have 4", differs.Errors, StringComparison.Ordinal);
        Assert.Equal(2, StreamsProcess.Run(
            "topics", "create", $"{name}.more", "--schema", "alert", "--kafka", Brokers).Code);
    }

    [Fact]
    public void Dead_letters_are_listed_shown_and_replayed_once()
    {
        string file = Configure();
        Assert.Equal(0, StreamsProcess.Run("run", "-c", file, "--drain").Code);
        AppendUndecodable();
        Assert.Equal(0, StreamsProcess.Run("run", "-c", file, "--drain").Code);
        JsonElement letter = Json("dlq", "list", "-c", file, "--stage", "decode", "--json").Single();
        Assert.Equal("ff007bff", Text(letter, "value"));
        string partition = $"{letter.GetProperty("partition")}", offset = $"{letter.GetProperty("offset")}";
        var shown = StreamsProcess.Run(
            "dlq", "show", "transactions", offset, "--partition", partition, "-c", file);
        Assert.Contains("00000000  ff 00 7b ff", shown.Output, StringComparison.Ordinal);
        // The application takes the record as it takes any other, so another letter may come meanwhile.
        string[] replay =
        [
            "dlq", "replay", "-c", file, "--topic", "transactions", "--partition", partition, "--offset",
                offset,
            "--json",
        ];
        Assert.Equal((1, 0), Counts(Json([.. replay, "--dry-run"]).Single()));
        using (StreamsProcess process = StreamsProcess.Start("run", "-c", file))
        {
            Assert.Equal((1, 0), Counts(Json(replay).Single()));
            Assert.Equal((0, 1), Counts(Json(replay).Single()));
            process.Terminate();
            Assert.Equal(0, process.WaitForEnd().Code);
        }
        Assert.Equal(0, StreamsProcess.Run("run", "-c", file, "--drain").Code);
        Assert.Equal(
            [true, false], Json("dlq", "list", "-c", file, "--stage", "decode", "--json")
                .Select(l => l.GetProperty("replayed").GetBoolean()));

        static (int, int) Counts(JsonElement counts) => (
            counts.GetProperty("replayed").GetInt32(), counts.GetProperty("replayed_before").GetInt32());
    }

    [Fact]
    public void A_plan_compares_with_what_runs_on_Kafka()
    {
        string file = Configure();
        Assert.True(Plan(0).GetProperty("is_first").GetBoolean());
        Assert.Equal(0, StreamsProcess.Run("run", "-c", file, "--drain").Code);
        Assert.False(Plan(0).GetProperty("is_first").GetBoolean());
        Assert.Empty(Plan(0).GetProperty("changes").EnumerateArray());
        File.WriteAllText(file, File.ReadAllText(file).Replace("topology: transactions", "topology: mining"
            + "\nsources: [\"mining-simulated:1\"]", StringComparison.Ordinal)
            .Replace("sources: [\"bitcoin", "#", StringComparison.Ordinal));
        Assert.Contains(
            Plan(5).GetProperty("changes").EnumerateArray(), c => Text(c, "effect") == "loses_state");

        JsonElement Plan(int code)
        {
            var ended = StreamsProcess.Run("plan", "-c", file, "--json");
            Assert.True(ended.Code == code, ended.Errors);
            return JsonDocument.Parse(ended.Output).RootElement;
        }
    }

    [Fact]
    public void Nothing_is_made_by_looking()
    {
        var none = StreamsProcess.Run("lag", "--kafka", Brokers, "--application", _application);
        Assert.Equal(2, none.Code);
        Assert.Contains(
            $"There is no application '{_application}' here", none.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(
            Json("topics", "--kafka", Brokers, "--json"),
            t => Text(t, "topic").StartsWith(_application, StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private string Configure(int blocks = 80)
    {
        // History: Kafka deletes by the records' own times.
        foreach (string topic in new[] { "transactions", "transactions.enriched" })
            StreamsProcess.Run("topics", "create", topic, "--retention", "forever", "--kafka", Brokers);
        string file = _folder.File("streams.yaml");
        File.WriteAllText(file, $"""
            application: {_application}
            topology: transactions
            data: {_folder.File("data")}
            sources: ["bitcoin-simulated:7?blocks_max={blocks}"]
            kafka:
              brokers: {Brokers}

            """);
        return file;
    }

    // The configuration as another machine has it.
    private string Elsewhere(string file)
    {
        string elsewhere = _folder.File("elsewhere.yaml");
        File.WriteAllText(elsewhere, File.ReadAllText(file).Replace(
            _folder.File("data"), _folder.File("other-data"), StringComparison.Ordinal));
        return elsewhere;
    }

    private void AppendUndecodable()
    {
        using KafkaLog log = KafkaLog.Open(
            $"{_application}-test", new KafkaLogOptions { Brokers = Brokers }, NullLogger.Instance);
        using ILogWriter writer = log.OpenWriter("test");
        writer.Append(log.FindTopic("transactions")![0], new LogRecord
        {
            TimestampMs = 1_466_000_000_000,
            HasKey = true,
            Key = "test"u8,
            HasValue = true,
            Value = [0xff, 0x00, 0x7b, 0xff],
        });
        log.WaitDurable(writer.Commit(), CancellationToken.None);
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
