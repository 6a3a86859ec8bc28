using System.Text.Json;
using Streams.Tests.Support;
using Streams.Tests.Topologies.Demo;
using Streams.Topologies.Demo;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>The first command of the README, as a stranger types it.</summary>
public sealed class DemoCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Data => _folder.File("demo");

    [Fact]
    public void Without_a_terminal_it_prints_plain_lines_and_a_summary_with_queries_that_run()
    {
        var ended = StreamsProcess.Run(Demo("--seconds", "3", "--rate", "3000", "--seed", "11"));
        Assert.True(ended.Code == 0, ended.Errors);
        Assert.Equal("", ended.Errors);
        Assert.DoesNotContain('\e', ended.Output);
        Assert.Contains("Seed 11;", ended.Output, StringComparison.Ordinal);
        Assert.Contains("Recall 100.0 %", ended.Output, StringComparison.Ordinal);
        string[] lines = ended.Output.Split('\n');
        Assert.Contains(lines, l => l.Contains("peel chain", StringComparison.Ordinal)
            && l.Contains("R5", StringComparison.Ordinal));
        Assert.All(lines, l => Assert.True(l.Length <= 140, l));
        List<string> queries = PrintedSql.In(ended.Output);
        Assert.Equal(3, queries.Count);
        Assert.All(queries, sql => Assert.NotEmpty(PrintedSql.Run(Path.Combine(Data, "demo.sqlite"), sql)));
    }

    [Fact]
    public void The_result_is_one_line_of_json_where_a_script_asks_for_it()
    {
        var ended = StreamsProcess.Run(Demo("--seconds", "2", "--rate", "2000", "--seed", "12", "--json"));
        Assert.True(ended.Code == 0, ended.Errors);
        JsonElement result = JsonDocument.Parse(Assert.Single(Lines(ended.Output))).RootElement;
        Assert.Equal(12, result.GetProperty("seed").GetInt64());
        Assert.Equal(1.0, result.GetProperty("recall").GetDouble());
        Assert.True(result.GetProperty("drained").GetBoolean());
        Assert.Equal(
            result.GetProperty("transactions").GetInt64(), result.GetProperty("enriched").GetInt64());
        Assert.Contains("tx/s", ended.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rate_that_nothing_keeps_up_with_ends_in_time_and_says_so()
    {
        var ended = StreamsProcess.Run(Demo("--seconds", "2", "--rate", "200000", "--seed", "13", "--json"));
        Assert.True(ended.Code == 0, ended.Errors);
        JsonElement result = JsonDocument.Parse(ended.Output).RootElement;
        Assert.True(result.GetProperty("drained").GetBoolean());
        bool whole = result.GetProperty("whole").GetBoolean();
        Assert.Equal(whole, result.GetProperty("blocks").GetInt64()
            == result.GetProperty("blocks_planned").GetInt64());
    }

    [Fact]
    public void Asked_to_end_it_ends_with_the_summary()
    {
        using StreamsProcess process = StreamsProcess.Start(Demo("--seconds", "600", "--json"));
        string marker = Path.Combine(Data, DemoFolder.MarkerName);
        for (int i = 0; i < 600 && !File.Exists(marker); i++)
            Thread.Sleep(50);
        process.Terminate();
        var ended = process.WaitForEnd();
        Assert.True(ended.Code == 0, ended.Errors);
        JsonElement result = JsonDocument.Parse(ended.Output).RootElement;
        Assert.True(result.GetProperty("stopped_early").GetBoolean());
        Assert.True(result.GetProperty("drained").GetBoolean());
    }

    [Fact]
    public void A_directory_of_something_else_is_a_usage_error_and_stays_as_it_is()
    {
        Directory.CreateDirectory(Data);
        File.WriteAllText(Path.Combine(Data, "thesis.txt"), "mine");
        var ended = StreamsProcess.Run(Demo("--seconds", "1"));
        Assert.Equal(2, ended.Code);
        Assert.Contains("no demo made it", ended.Errors, StringComparison.Ordinal);
        Assert.Equal(["thesis.txt"], Directory.GetFiles(Data).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("--seconds", "0", "--seconds must be 1 to")]
    [InlineData("--rate", "5", "--rate must be 100 to")]
    [InlineData("--sed", "5", "--seed")]
    public void A_mistake_in_an_option_is_a_usage_error(string option, string value, string expected)
    {
        var ended = StreamsProcess.Run(Demo(option, value));
        Assert.Equal(2, ended.Code);
        Assert.Contains(expected, ended.Errors + ended.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Data));
    }

    [Fact]
    public void The_simulated_chain_is_a_source_like_any_other()
    {
        string[] run = ["run", "--topology", "transactions", "--data", Data, "--drain", "--json", "--source"];
        var endless = StreamsProcess.Run([.. run, "bitcoin-simulated"]);
        Assert.Equal(2, endless.Code);
        Assert.Contains("neither 'blocks_max' nor 'duration'", endless.Errors, StringComparison.Ordinal);
        var ended = StreamsProcess.Run(
            [.. run, "bitcoin-simulated:5?blocks_max=180&transactions_per_second=0"]);
        Assert.True(ended.Code == 0, ended.Errors);
        JsonElement source = JsonDocument.Parse(ended.Output).RootElement
            .GetProperty("sources").GetProperty("bitcoin-simulated");
        Assert.Equal(180, source.GetProperty("blocks").GetInt64());
    }

    public void Dispose() => _folder.Dispose();

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private string[] Demo(params string[] more) => ["demo", "--data", Data, .. more];
}
