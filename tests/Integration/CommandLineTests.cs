using System.Text.Json;
using Streams.Tests.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>What users type and get, mistakes included.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Data => _folder.File("data");

    [Fact]
    public void A_pattern_that_matches_nothing_is_a_usage_error_that_says_what_was_looked_for()
    {
        var ended = StreamsProcess.Run(Run("bitcoin-files:/nowhere/*.raw", "--drain"));
        Assert.Equal(2, ended.Code);
        Assert.Contains("no file matches /nowhere/*.raw", ended.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bitcoin-file:x", "did you mean 'bitcoin-files'?")]
    [InlineData("bitcoin-files:x?netwrok=signet", "did you mean 'network'?")]
    [InlineData("bitcoin-files:x?network=signal", "Networks: mainnet")]
    [InlineData("bitcoin-files:x?finality_blocks=many", "'many' is no whole number")]
    [InlineData("bitcoin-files", "the option 'files' is needed here")]
    public void A_mistake_in_a_source_is_a_usage_error_with_a_suggestion(string source, string expected)
    {
        var ended = StreamsProcess.Run(Run(source, "--drain"));
        Assert.Equal(2, ended.Code);
        Assert.Contains(expected, ended.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_data_directory_that_cannot_be_written_is_a_usage_error()
    {
        var ended = StreamsProcess.Run(
            "run", "--topology", "transactions", "--data", "/proc/streams", "--source", "bitcoin-files:x",
                "--drain");
        Assert.Equal(2, ended.Code);
        Assert.Contains("/proc/streams cannot be written", ended.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_process_on_a_data_directory_is_told_who_has_it()
    {
        WriteBlock();
        string[] run = Run($"bitcoin-files:{_folder.File("*.raw")}");
        using StreamsProcess first = StreamsProcess.Start(run);
        await first.WaitForAsync("runs 2 tasks");
        var second = StreamsProcess.Run(run);
        Assert.Equal(3, second.Code);
        Assert.Contains(
            $"is in use by process {first.Id} on {Environment.MachineName}, since 2", second.Errors,
            StringComparison.Ordinal);
        Assert.Contains(
            "Stop that process, or use another directory", second.Errors, StringComparison.Ordinal);
        var repair = StreamsProcess.Run("log", "repair", "--data", Data);
        Assert.Equal(3, repair.Code);
        Assert.Contains($"process {first.Id}", repair.Errors, StringComparison.Ordinal);
        first.Terminate();
        Assert.Equal(0, first.WaitForEnd().Code);
    }

    [Fact]
    public void Dead_letters_make_a_strict_run_exit_with_4_and_a_plain_one_with_0()
    {
        WriteBlock();
        File.WriteAllBytes(_folder.File("bad.raw"), new byte[100]);
        string[] run = Run($"bitcoin-files:{_folder.File("*.raw")}", "--drain");
        Assert.Equal(4, StreamsProcess.Run([.. run, "--strict"]).Code);
        Assert.Equal(0, StreamsProcess.Run([.. run, "--strict"]).Code);
    }

    [Fact]
    public void The_counts_of_a_drained_run_add_up()
    {
        WriteBlock();
        File.WriteAllBytes(_folder.File("again.raw"), File.ReadAllBytes(_folder.File("block.raw")));
        File.WriteAllBytes(_folder.File("bad.raw"), new byte[100]);
        var ended = StreamsProcess.Run(Run($"bitcoin-files:{_folder.File("*.raw")}", "--drain", "--json"));
        Assert.Equal(0, ended.Code);
        JsonElement counts = JsonDocument.Parse(ended.Output).RootElement;
        JsonElement source = counts.GetProperty("sources").GetProperty("bitcoin-files");
        JsonElement topics = counts.GetProperty("topics");
        Assert.Equal(999_887 * 2 + 100, source.GetProperty("bytes").GetInt64());
        Assert.Equal(1, source.GetProperty("blocks").GetInt64());
        Assert.Equal(1, source.GetProperty("duplicate_blocks").GetInt64());
        Assert.Equal(1, source.GetProperty("dead_letters").GetInt64());
        Assert.Equal(1557, source.GetProperty("transactions").GetInt64());
        Assert.Equal(1557, topics.GetProperty("transactions").GetInt64());
        Assert.Equal(1557, topics.GetProperty("transactions.enriched").GetInt64());
        Assert.Equal(1, topics.GetProperty("transactions.dead-letter").GetInt64());
    }

    [Fact]
    public void A_configuration_file_says_the_same_as_the_command_line()
    {
        WriteBlock();
        File.WriteAllText(_folder.File("streams.yaml"), $"""
            topology: transactions
            data: {Data}
            sources:
              - kind: bitcoin-files
                files: {_folder.File("*.raw")}
            sinks:
              - jsonl:{_folder.File("json")}
            options:
              risk:
                alert_score_min: 90
            """);
        var ended = StreamsProcess.Run("run", "-c", _folder.File("streams.yaml"), "--drain", "--json");
        Assert.True(ended.Code == 0, ended.Errors);
        JsonElement topics = JsonDocument.Parse(ended.Output).RootElement.GetProperty("topics");
        Assert.Equal(0, topics.GetProperty("alerts").GetInt64());
        Assert.Equal(1557, File.ReadLines(_folder.File("json/transactions.enriched-000000.jsonl")).Count());
    }

    [Theory]
    [InlineData("topolgy: transactions",
        "streams.yaml:1: there is no option 'topolgy' here; did you mean 'topology'?")]
    [InlineData("topology: transactions\ndata: ${NO_SUCH_VARIABLE}",
        "streams.yaml:2: the environment has no variable")]
    [InlineData("topology: transactions\ndata: x\noptions:\n  risk:\n    fan_out_mni: 3",
        "streams.yaml:5: there is no option 'fan_out_mni'")]
    [InlineData("topology: [", "this is not YAML")]
    public void A_mistake_in_a_configuration_file_is_shown_with_its_line(string yaml, string expected)
    {
        File.WriteAllText(_folder.File("streams.yaml"), yaml);
        var ended = StreamsProcess.Run("validate", "-c", _folder.File("streams.yaml"));
        Assert.Equal(2, ended.Code);
        Assert.Contains(expected, ended.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_is_terminated_commits_and_exits_with_0()
    {
        WriteBlock();
        using StreamsProcess process = StreamsProcess.Start(Run($"bitcoin-files:{_folder.File("*.raw")}"));
        Thread.Sleep(1500);
        process.Terminate();
        Assert.Equal(0, process.WaitForEnd().Code);
        Assert.Equal(0, StreamsProcess.Run("log", "verify", "--data", Data).Code);
    }

    [Theory]
    [InlineData("text", "Sub-topology: 0")]
    [InlineData("mermaid", "flowchart LR")]
    [InlineData("dot", "digraph topology")]
    public void A_topology_is_described_in_three_ways(string format, string expected)
    {
        var ended = StreamsProcess.Run(
            "describe", "--topology", "transactions", "--data", Data, "--format", format);
        Assert.Equal(0, ended.Code);
        Assert.Contains(expected, ended.Output, StringComparison.Ordinal);
        Assert.Contains("track-blocks", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_is_looked_into_while_its_process_runs()
    {
        WriteBlock();
        using StreamsProcess process = StreamsProcess.Start(
            Run($"bitcoin-files:{_folder.File("*.raw")}", "--listen", "127.0.0.1:0"));
        string address = await process.AddressAsync();
        await Http.WaitAsync($"{address}/metrics", (_, text) => text.Contains(
            "streams_records_consumed_total{topic=\"transactions\"} 1557", StringComparison.Ordinal));
        var topics = StreamsProcess.Run("topics", "--data", Data, "--json");
        Assert.True(topics.Code == 0, topics.Errors);
        Assert.Contains(
            "\"topic\":\"transactions.enriched\",\"partitions\":1,\"records\":1557", topics.Output,
            StringComparison.Ordinal);
        var tap = StreamsProcess.Run("tap", "transactions.enriched", "--data", Data, "--from", "-1");
        Assert.True(tap.Code == 0, tap.Errors);
        Assert.StartsWith("{\"offset\":1556,", tap.Output, StringComparison.Ordinal);
        Assert.Equal(0, StreamsProcess.Run("log", "verify", "--data", Data).Code);
        Assert.Equal(0, StreamsProcess.Run("describe", "--topology", "transactions", "--data", Data).Code);
        Assert.False(process.HasExited, "Looking ended the process.");
        process.Terminate();
        Assert.Equal(0, process.WaitForEnd().Code);
    }

    [Fact]
    public void Topics_are_listed_and_tapped_with_their_records_decoded()
    {
        WriteBlock();
        Assert.Equal(0, StreamsProcess.Run(Run($"bitcoin-files:{_folder.File("*.raw")}", "--drain")).Code);
        var topics = StreamsProcess.Run("topics", "--data", Data, "--json");
        Assert.Contains("\"topic\":\"transactions.enriched\"", topics.Output, StringComparison.Ordinal);
        var tap = StreamsProcess.Run("tap", "transactions", "--data", Data, "--from", "-2");
        JsonElement[] lines = [.. tap.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => JsonDocument.Parse(l).RootElement)];
        Assert.Equal([1555L, 1556L], lines.Select(l => l.GetProperty("offset").GetInt64()));
        Assert.Equal("bitcoin", lines[0].GetProperty("value").GetProperty("chain").GetString());
        Assert.Equal(2, StreamsProcess.Run("tap", "nothing", "--data", Data).Code);
    }

    public void Dispose() => _folder.Dispose();

    private void WriteBlock() =>
        File.WriteAllBytes(_folder.File("block.raw"), BitcoinData.Bytes(BitcoinData.Block413567));

    private string[] Run(string source, params string[] more) =>
        ["run", "--topology", "transactions", "--source", source, "--data", Data, .. more];
}
