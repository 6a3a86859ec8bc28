using System.Text.Json;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>
/// <c>streams backfill</c> on the transactions topology: processed again, with SIGKILL in the middle, the
/// alerts stay as they were and the tables too. The checker reads files and rows, with no code of the
/// project's.
/// </summary>
public sealed class BackfillTests : IDisposable
{
    private const string Source = "bitcoin-simulated:7?blocks_max=160&injections_per_million=3000";

    private readonly TemporaryFolder _folder = new();

    private string Alerts => File.ReadAllText(_folder.File("json/alerts-000000.jsonl"));

    [Theory]
    [InlineData("start", true)]
    [InlineData("bitcoin-simulated:height=130", false)]
    public async Task Killed_at_random_instants_a_backfill_delivers_no_alert_twice_and_leaves_the_same_tables(
        string from, bool fromTopic)
    {
        TransactionsInput.AssertDone(StreamsProcess.Run(Command("run", "--drain")));
        string alerts = Alerts;
        Assert.True(Lines("alerts") > 5, "The run found too little to see what becomes of it.");
        int enriched = Lines("transactions.enriched");
        SortedDictionary<string, List<string>> rows = RunOutputs.Rows(_folder.File("out.db"));
        TransactionsInput.AssertDone(StreamsProcess.Run(Command("backfill", "--from", from, "--apply")));

        var random = new Random(Environment.TickCount);
        int killed = 0;
        while (killed < 8)
        {
            using StreamsProcess process = StreamsProcess.Start(Command("run", "--drain"));
            await process.WaitForAsync("runs 2 tasks");
            if (!process.KillAfter(TimeSpan.FromMilliseconds(random.Next(250))))
                break;
            killed++;
        }
        var last = StreamsProcess.Run(Command("run", "--drain"));
        TransactionsInput.AssertDone(last);
        Assert.True(killed > 0, "Every run was over before it could be killed.");
        Assert.True(alerts == Alerts, $"Alerts were delivered again after {killed} kills.");
        SortedDictionary<string, List<string>> now = RunOutputs.Rows(_folder.File("out.db"));
        foreach ((string table, List<string> content) in rows)
            Assert.True(content.SequenceEqual(now[table]),
                $"The table {table} differs after {killed} kills.");
        int again = Lines("transactions.enriched") - enriched;
        Assert.InRange(again, 1, enriched);
        Assert.Equal(fromTopic, again == enriched);
    }

    [Fact]
    public void A_changed_rule_delivers_what_it_finds_and_a_service_that_starts_again_begins_nothing()
    {
        TransactionsInput.AssertDone(StreamsProcess.Run(Command("run", "--drain")));
        HashSet<string> before = [.. Ids()];
        string[] lower = ["--option", "risk.alert_score_min=20", "--from", "start", "--drain"];
        TransactionsInput.AssertDone(StreamsProcess.Run(Command("run", lower)));
        string[] ids = [.. Ids()];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.True(before.IsProperSubsetOf(ids), "The lower threshold found nothing more.");
        var again = StreamsProcess.Run(Command("run", lower));
        TransactionsInput.AssertDone(again);
        Assert.Contains("was begun already", again.Errors, StringComparison.Ordinal);
        Assert.Equal(ids.Length, Ids().Count());
    }

    [Fact]
    public void A_plan_changes_nothing_and_says_what_would_be_done()
    {
        TransactionsInput.AssertDone(StreamsProcess.Run(Command("run", "--drain")));
        var plan = StreamsProcess.Run(Command("backfill", "--from", "start", "--json"));
        Assert.True(plan.Code == 0, plan.Errors);
        JsonElement root = JsonDocument.Parse(plan.Output).RootElement;
        Assert.True(root.GetProperty("can_begin").GetBoolean());
        Assert.Equal("alerts", root.GetProperty("delivered_once")[0].GetString());
        Assert.Equal(Lines("transactions.enriched"), root.GetProperty("records").GetInt64());
        var status = StreamsProcess.Run(Command("backfill"));
        Assert.Contains("nothing was processed again yet", status.Output, StringComparison.Ordinal);
        Assert.Equal(2, StreamsProcess.Run(Command("backfill", "--from", "nowhere:start")).Code);
        Assert.Equal(2, StreamsProcess.Run(Command("backfill", "--from", "yesterday")).Code);
    }

    [Fact]
    public async Task While_the_application_runs_a_plan_is_made_and_nothing_begins()
    {
        using StreamsProcess process = StreamsProcess.Start(Command("run"));
        await process.WaitForAsync("runs 2 tasks");
        var begin = StreamsProcess.Run(Command("backfill", "--from", "start", "--apply"));
        Assert.Equal(3, begin.Code);
        Assert.Contains($"in use by process {process.Id}", begin.Errors, StringComparison.Ordinal);
        process.Terminate();
        Assert.Equal(0, process.WaitForEnd().Code);
    }

    public void Dispose() => _folder.Dispose();

    private string[] Command(string name, params string[] more) =>
        [name, "--topology", "transactions", "--source", Source, "--data", _folder.File("data"),
            "--sink", $"sqlite:{_folder.File("out.db")}", "--sink", $"jsonl:{_folder.File("json")}", .. more];

    private int Lines(string topic) =>
        File.ReadLines(_folder.File($"json/{topic}-000000.jsonl")).Count();

    private IEnumerable<string> Ids() => File.ReadLines(_folder.File("json/alerts-000000.jsonl"))
        .Select(l => JsonDocument.Parse(l).RootElement)
        .Select(a => $"{a.GetProperty("alert_id")}/{a.GetProperty("op")}/{a.GetProperty("block_hash")}");
}
