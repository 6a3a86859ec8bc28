using System.Text.Json;
using Streams.Tests.Support;
using Xunit;
using static Streams.Tests.Integration.StreamsProcess;

namespace Streams.Tests.Integration;

/// <summary><c>streams lag</c>, <c>reset</c>, <c>top</c>, <c>topics</c> and <c>tap</c>, as an operator runs
/// them.</summary>
public sealed class OperatorCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Data => _folder.File("data");

    [Fact]
    public async Task Lag_is_the_same_beside_a_process_and_after_it()
    {
        using (StreamsProcess process = StreamsProcess.Start(Run("--sink", $"jsonl:{_folder.File("json")}")))
        {
            await process.WaitForAsync("runs 2 tasks");
            Assert.Equal(0, StreamsProcess.Run("lag", "--data", Data).Code);
            process.Terminate();
            Assert.Equal(0, process.WaitForEnd().Code);
        }
        Assert.Equal(
            0, StreamsProcess.Run(Run("--sink", $"jsonl:{_folder.File("json")}", "--drain")).Code);
        JsonElement[] lags = Json("lag", "--data", Data, "--sink", "jsonl", "--json");
        JsonElement input = lags.Single(l => Text(l, "group") == "transactions" && Text(l,
            "topic") == "transactions");
        Assert.True(input.GetProperty("position").GetInt64() > 0);
        Assert.Equal(0, input.GetProperty("records").GetInt64());
        Assert.Equal(0, input.GetProperty("seconds").GetDouble());
        Assert.Contains(lags, l => Text(l, "group") == "transactions" && l.GetProperty(
            "holds_watermark").GetBoolean());
        Assert.Contains(lags, l => Text(l, "group") == "jsonl" && Text(l, "topic") == "alerts");
        // Set back, the same partition is behind by all of it.
        Assert.Equal(0, StreamsProcess.Run("reset", "--data", Data, "--apply").Code);
        Assert.Equal(2, StreamsProcess.Run("lag", "--data", Data, "--application", "transactions").Code);
        var none = StreamsProcess.Run("lag", "--data", Data);
        Assert.Contains("No application has run here yet", none.Output, StringComparison.Ordinal);
        Assert.Equal(2, StreamsProcess.Run("lag", "--data", Data, "--sink", "postgres").Code);
    }

    [Fact]
    public void A_stopped_application_that_has_not_processed_all_is_behind_in_records_and_seconds()
    {
        Assert.Equal(0, StreamsProcess.Run(Run("--drain")).Code);
        Assert.Equal(0, StreamsProcess.Run(
            "backfill", "--topology", "transactions", "--data", Data, "--from", "start", "--apply").Code);
        JsonElement input = Json("lag", "--data", Data, "--json").Single(l => Text(l,
            "topic") == "transactions");
        Assert.Equal(input.GetProperty("end").GetInt64(), input.GetProperty("records").GetInt64());
        Assert.True(input.GetProperty("seconds").GetDouble() > 600);
        Assert.Equal(0, input.GetProperty("position").GetInt64());
    }

    [Fact]
    public async Task A_reset_is_a_plan_until_it_is_applied_and_refused_while_the_application_runs()
    {
        Assert.Equal(0, StreamsProcess.Run(Run("--drain")).Code);
        string[] before = Outputs();
        JsonElement plan = Json("reset", "--data", Data, "--json").Single();
        Assert.False(plan.GetProperty("applied").GetBoolean());
        Assert.Equal(0, plan.GetProperty("positions")[0].GetProperty("to").GetInt64());
        Assert.Contains("addresses", plan.GetProperty("stores").EnumerateArray().Select(s => s.GetString()));
        Assert.Equal(before, Outputs());
        using (StreamsProcess process = StreamsProcess.Start(Run()))
        {
            await process.WaitForAsync("runs 2 tasks");
            Assert.Equal(0, StreamsProcess.Run("reset", "--data", Data).Code);
            var refused = StreamsProcess.Run("reset", "--data", Data, "--apply");
            Assert.Equal(3, refused.Code);
            Assert.Contains($"in use by process {process.Id}", refused.Errors, StringComparison.Ordinal);
            process.Terminate();
            Assert.Equal(0, process.WaitForEnd().Code);
        }
        Assert.Equal(0, StreamsProcess.Run("reset", "--data", Data, "--apply").Code);
        Assert.False(Directory.Exists(Path.Combine(Data, "state", "transactions")));
        Assert.Equal(0, StreamsProcess.Run(Run("--drain")).Code);
        // Everything was processed again from an empty state: the same records once more.
        Assert.Equal(before.Concat(before), Outputs());
        Assert.Equal(2, StreamsProcess.Run("reset", "--data", Data, "--application", "other").Code);
        Assert.Equal(2, StreamsProcess.Run("reset", "--data", Data, "--source", "nobody").Code);
        Assert.Equal(2, StreamsProcess.Run("reset").Code);
    }

    [Fact]
    public void A_reset_to_the_end_with_a_source_processes_what_the_source_brings_again()
    {
        Assert.Equal(0, StreamsProcess.Run(Run("--drain")).Code);
        int before = Outputs().Length;
        Assert.Equal(0, StreamsProcess.Run(
            "reset", "--data", Data, "--to-end", "--source", "bitcoin-simulated", "--apply").Code);
        Assert.Equal(0, StreamsProcess.Run(Run("--drain")).Code);
        Assert.Equal(2 * before, Outputs().Length);
    }

    [Fact]
    public async Task Top_prints_plain_lines_where_there_is_no_terminal()
    {
        using StreamsProcess process = StreamsProcess.Start(
            Run("--listen", "127.0.0.1:0", "--sink", $"jsonl:{_folder.File("json")}"));
        string address = await process.AddressAsync();
        await process.WaitForAsync("runs 2 tasks");
        var top = StreamsProcess.Run("top", address, "--interval", "0.3", "--count", "2");
        Assert.True(top.Code == 0, top.Errors);
        Assert.Matches(@"(?m)^source +bitcoin-simulated +[\d,]+ +[\d,]+", top.Output);
        Assert.Matches(@"(?m)^topic +transactions +.*behind", top.Output);
        Assert.Matches(@"(?m)^sink +jsonl", top.Output);
        Assert.Matches(@"(?m)^store +addresses .* MiB", top.Output);
        Assert.Matches(@"(?m)^process .*cpu .*dead letters", top.Output);
        Assert.DoesNotContain("\u001b", top.Output, StringComparison.Ordinal);
        process.Terminate();
        Assert.Equal(0, process.WaitForEnd().Code);
        var gone = StreamsProcess.Run("top", address, "--count", "1");
        Assert.Equal(3, gone.Code);
        Assert.Contains("Is the process there, and was it given --listen?", gone.Errors,
            StringComparison.Ordinal);
        Assert.Equal(2, StreamsProcess.Run("top", "--interval", "0").Code);
    }

    [Fact]
    public void Topics_are_created_described_and_checked()
    {
        Assert.Equal(0, StreamsProcess.Run(Run("--drain")).Code);
        var created = StreamsProcess.Run(
            "topics", "create", "notes", "--partitions", "3", "--retention", "12h", "--schema", "alert",
            "--data", Data);
        Assert.True(created.Code == 0, created.Errors);
        Assert.Contains("was created", created.Output, StringComparison.Ordinal);
        JsonElement notes = Json("topics", "describe", "notes", "--json", "--data", Data).Single();
        Assert.Equal(43_200_000, notes.GetProperty("retention_ms").GetInt64());
        Assert.Equal("alert", Text(notes, "schema"));
        Assert.Equal(3, notes.GetProperty("partitions").GetArrayLength());
        var alerts = StreamsProcess.Run("topics", "describe", "alerts", "--data", Data);
        Assert.Contains("schema: alert version 1", alerts.Output, StringComparison.Ordinal);
        Assert.Contains("Transaction id and rule.", alerts.Output, StringComparison.Ordinal);
        Assert.Equal(2, StreamsProcess.Run(
            "topics", "create", "notes", "--partitions", "4", "--data", Data).Code);
        Assert.Equal(2, StreamsProcess.Run(
            "topics", "create", "more", "--schema", "alerts", "--data", Data).Code);
        Assert.Equal(2, StreamsProcess.Run("topics", "describe", "none", "--data", Data).Code);
        Assert.Contains(Json("topics", "--json", "--data", Data), t => Text(t, "topic") == "notes");
    }

    [Fact]
    public void A_tap_begins_at_an_offset_or_a_time_and_takes_a_key()
    {
        Assert.Equal(0, StreamsProcess.Run(Run("--drain")).Code);
        JsonElement[] all = Tap("transactions");
        long middle = all[all.Length / 2].GetProperty("timestamp_ms").GetInt64();
        string time = DateTimeOffset.FromUnixTimeMilliseconds(middle)
            .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null);
        JsonElement[] later = Tap("transactions", "--from", time);
        Assert.Equal(all.Count(r => r.GetProperty("timestamp_ms").GetInt64() >= middle), later.Length);
        JsonElement[] earlier = Tap("transactions", "--to", time);
        Assert.Equal(all.Length, earlier.Length + later.Length);
        Assert.Equal(3, Tap("transactions", "--from", "-3").Length);
        Assert.Equal(5, Tap("transactions", "--from", "10", "--to", "15").Length);
        string key = Text(all[7], "key");
        Assert.All(Tap("transactions", "--key", key), r => Assert.Equal(key, Text(r, "key")));
        Assert.Equal(2, StreamsProcess.Run("tap", "transactions", "--from", "noon", "--data", Data).Code);
        Assert.Equal(2, StreamsProcess.Run("tap", "transactions", "--partition", "1", "--data", Data).Code);
    }

    public void Dispose() => _folder.Dispose();

    private string[] Run(params string[] more) =>
        ["run", "--topology", "transactions", "--source", "bitcoin-simulated:7?blocks_max=120", "--data",
            Data,
            .. more];

    private string[] Outputs() =>
        [.. Tap("transactions.enriched").Select(r => Text(r, "key"))];

    private JsonElement[] Tap(string topic, params string[] more) => Json(["tap", topic, "--data", Data,
        .. more]);

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
