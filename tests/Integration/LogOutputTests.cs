using System.Text.Json;
using Streams.Tests.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>What a process tells its operators, and what it keeps to itself.</summary>
public sealed class LogOutputTests : IDisposable
{
    private const string Secret = "hunter2-\"quoted\"-pässword";

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Messages_are_lines_for_people()
    {
        var ended = StreamsProcess.Run(Run());
        Assert.Equal(0, ended.Code);
        Assert.Matches(
            @"(?m)^\d\d:\d\d:\d\d info: streams\[3\] transactions runs 2 tasks on 1 threads$", ended.Errors);
        Assert.DoesNotContain("runs 2 tasks", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void On_request_each_message_is_a_line_of_JSON()
    {
        var ended = StreamsProcess.Run(Run("--log-format", "json"));
        Assert.Equal(0, ended.Code);
        JsonElement[] lines = [.. ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => JsonDocument.Parse(l).RootElement)];
        JsonElement started = Assert.Single(lines, l => l.GetProperty("EventId").GetInt32() == 3);
        Assert.Equal("Information", started.GetProperty("LogLevel").GetString());
        Assert.Equal("transactions runs 2 tasks on 1 threads", started.GetProperty("Message").GetString());
        Assert.Equal("2", $"{started.GetProperty("State").GetProperty("Tasks")}");
        Assert.True(DateTimeOffset.TryParse(started.GetProperty("Timestamp").GetString(), out _));
    }

    [Fact]
    public void Another_format_is_a_usage_error_that_names_those_there_are()
    {
        var ended = StreamsProcess.Run(Run("--log-format", "jsn"));
        Assert.Equal(2, ended.Code);
        Assert.Contains(
            "'jsn' is none of text, json; did you mean 'json'?", ended.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public void What_came_from_the_environment_is_shown_by_its_name_only(string format)
    {
        File.WriteAllBytes(_folder.File("block.raw"), BitcoinData.Bytes(BitcoinData.Block413567));
        // A target that cannot be reached: its location stands in the messages of failures.
        File.WriteAllText(_folder.File("file"), "");
        string config = _folder.File("streams.yaml");
        File.WriteAllText(config, $$"""
            topology: transactions
            data: {{_folder.File("data")}}
            log_format: {{format}}
            restarts:
              restarts_max: 1
              delay: 1ms
            sources:
              - bitcoin-files:{{_folder.File("block.raw")}}
            sinks:
              - kind: jsonl
                folder: {{_folder.File("file")}}/${STREAMS_TEST_SECRET}
            """);
        var ended = RunWithSecret("run", "-c", config, "--drain");
        Assert.Equal(3, ended.Code);
        Assert.Contains("${STREAMS_TEST_SECRET}", ended.Errors, StringComparison.Ordinal);
        AssertHidden(ended);
    }

    [Theory]
    [InlineData("data: x\noptions:\n  risk:\n    fan_out_min: ${STREAMS_TEST_SECRET}", "is no whole number")]
    [InlineData("data: x\nsinks:\n  - ${STREAMS_TEST_SECRET}:x", "is no sink")]
    [InlineData("data: x\nlog_format: ${STREAMS_TEST_SECRET}", "is none of text, json")]
    [InlineData("data: /proc/${STREAMS_TEST_SECRET}", "cannot be written")]
    public void A_mistake_in_the_configuration_does_not_show_it_either(string yaml, string expected)
    {
        string config = _folder.File("streams.yaml");
        File.WriteAllText(config, "topology: transactions\n" + yaml);
        var ended = RunWithSecret("run", "-c", config, "--drain");
        Assert.Equal(2, ended.Code);
        Assert.Contains(expected, ended.Errors, StringComparison.Ordinal);
        Assert.Contains("${STREAMS_TEST_SECRET}", ended.Errors, StringComparison.Ordinal);
        AssertHidden(ended);
        AssertHidden(RunWithSecret("describe", "-c", config));
        AssertHidden(RunWithSecret("validate", "-c", config));
    }

    public void Dispose() => _folder.Dispose();

    private string[] Run(params string[] more)
    {
        File.WriteAllBytes(_folder.File("block.raw"), BitcoinData.Bytes(BitcoinData.Block413567));
        return
        [
            "run", "--topology", "transactions", "--source", $"bitcoin-files:{_folder.File("block.raw")}",
            "--data", _folder.File("data"), "--drain", .. more,
        ];
    }

    private static (int Code, string Output, string Errors) RunWithSecret(params string[] arguments)
    {
        using StreamsProcess process = StreamsProcess.Start(
            arguments, new Dictionary<string, string> { ["STREAMS_TEST_SECRET"] = Secret });
        return process.WaitForEnd();
    }

    private static void AssertHidden((int Code, string Output, string Errors) ended)
    {
        Assert.DoesNotContain("hunter2", ended.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", ended.Output, StringComparison.Ordinal);
    }
}
