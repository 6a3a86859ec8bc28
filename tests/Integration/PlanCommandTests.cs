using System.Text.Json;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary><c>streams plan</c>, and what <c>run</c> does with a changed topology.</summary>
public sealed class PlanCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Data => _folder.File("data");

    [Fact]
    public void A_directory_that_is_yet_to_be_made_is_planned_for_and_not_made()
    {
        var ended = StreamsProcess.Run(Command("plan"));
        Assert.Equal(0, ended.Code);
        Assert.Contains("nothing is recorded yet", ended.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Data));
    }

    [Fact]
    public void A_threshold_may_change_and_a_window_may_not_until_its_loss_is_accepted()
    {
        Assert.Equal(0, StreamsProcess.Run(Command("run", "--drain")).Code);
        var threshold = StreamsProcess.Run(Command("plan", "--option", "risk.alert_score_min=70"));
        Assert.Equal(0, threshold.Code);
        Assert.Contains("the topology is as recorded", threshold.Output, StringComparison.Ordinal);

        string[] window = ["--option", "hour_grace=5h"];
        var plan = StreamsProcess.Run(Command("plan", window));
        Assert.Equal(5, plan.Code);
        Assert.Contains("LOSS: store 'risk-hours' cannot be read any more", plan.Output, StringComparison.Ordinal);
        Assert.Contains(
            "because the time it keeps changed from 03:00:00 to 06:00:00", plan.Output,
            StringComparison.Ordinal);
        Assert.Contains("--accept-loss risk-hours", plan.Output, StringComparison.Ordinal);
        var run = StreamsProcess.Run(Command("run", ["--drain", .. window]));
        Assert.Equal(2, run.Code);
        Assert.Contains("'transactions' does not start", run.Errors, StringComparison.Ordinal);

        string[] accepted = [.. window, "--accept-loss", "risk-hours"];
        var json = StreamsProcess.Run(Command("plan", [.. accepted, "--json"]));
        Assert.Equal(0, json.Code);
        JsonElement root = JsonDocument.Parse(json.Output).RootElement;
        Assert.True(root.GetProperty("can_start").GetBoolean());
        JsonElement change = Assert.Single(root.GetProperty("changes").EnumerateArray());
        Assert.Equal("loses_state", change.GetProperty("effect").GetString());
        Assert.True(change.GetProperty("accepted").GetBoolean());
        Assert.Equal(0, StreamsProcess.Run(Command("run", ["--drain", .. accepted])).Code);
        Assert.Equal(0, StreamsProcess.Run(Command("plan", window)).Code);
        // The store is empty now, so that going back loses nothing.
        var back = StreamsProcess.Run(Command("plan"));
        Assert.Equal(0, back.Code);
        Assert.Contains("nothing is in it", back.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_is_made_while_the_application_runs()
    {
        using StreamsProcess process = StreamsProcess.Start(Command("run"));
        await process.WaitForAsync("runs 2 tasks");
        var plan = StreamsProcess.Run(Command("plan"));
        Assert.True(plan.Code == 0, plan.Errors);
        Assert.Contains("the topology is as recorded", plan.Output, StringComparison.Ordinal);
        process.Terminate();
        Assert.Equal(0, process.WaitForEnd().Code);
    }

    [Fact]
    public void The_transactions_topology_names_all_of_its_state()
    {
        var ended = StreamsProcess.Run(Command("validate"));
        Assert.Equal(0, ended.Code);
        Assert.DoesNotContain("warning", ended.Output, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private string[] Command(string name, params string[] more) =>
        [name, "--topology", "transactions", "--source", "bitcoin-simulated:7?blocks_max=20", "--data", Data,
            .. more];
}
