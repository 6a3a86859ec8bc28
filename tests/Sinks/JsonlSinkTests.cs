using System.Text.Json;
using Streams.Connect;
using Streams.Sinks.Jsonl;
using Xunit;

namespace Streams.Tests.Sinks;

public sealed class JsonlSinkTests : IDisposable
{
    private readonly SinkRun _run = new();

    private string Folder => _run.Folder.File("json");

    [Fact]
    public void Each_record_is_a_line_of_JSON()
    {
        _run.Add("a", 50);
        _run.Add("b", 60);
        Write();
        JsonElement[] lines = [.. File.ReadLines(Path.Combine(Folder, "alerts-000000.jsonl"))
            .Select(l => JsonDocument.Parse(l).RootElement)];
        Assert.Equal(["a", "b"], lines.Select(l => l.GetProperty("alert_id").GetString()));
        Assert.Equal([50, 60], lines.Select(l => l.GetProperty("score").GetInt32()));
    }

    [Fact]
    public void A_line_shows_every_field_that_always_has_a_value_and_none_that_is_absent()
    {
        _run.Add("a", 0);
        Write();
        JsonElement line = JsonDocument.Parse(
            File.ReadLines(Path.Combine(Folder, "alerts-000000.jsonl")).Single()).RootElement;
        Assert.Equal("append", line.GetProperty("op").GetString());
        Assert.Equal(0, line.GetProperty("score").GetInt32());
        Assert.Equal(0, line.GetProperty("output_sum_base").GetInt64());
        Assert.False(line.TryGetProperty("block_height", out _));
    }

    [Fact]
    public void What_was_written_after_the_commit_is_cut_off_and_written_again()
    {
        _run.Add("a", 50);
        Write();
        string expected = Content();
        _run.Add("b", 60);
        using (JsonlSink sink = Make())
            _run.Run(sink, commit: false);
        File.AppendAllText(Path.Combine(Folder, "alerts-000000.jsonl"), "half a li");
        using (JsonlSink sink = Make())
            _run.Run(sink);
        Assert.StartsWith(expected, Content(), StringComparison.Ordinal);
        Assert.Equal(2, Content().Count(c => c == '\n'));
    }

    [Fact]
    public void A_file_ends_where_its_length_says_and_not_where_a_commit_was()
    {
        for (int i = 0; i < 30; i++)
            _run.Add($"alert-{i}", 50);
        Write(fileBytesMax: 500);
        Dictionary<string, string> once = Files();
        Directory.Delete(Folder, recursive: true);
        using var other = new SinkRun();
        for (int i = 0; i < 30; i++)
        {
            other.Add($"alert-{i}", 50);
            using var sink = new JsonlSink(
                new JsonlOptions { Folder = Folder, FileBytesMax = 500 }, SinkRun.Formats);
            other.Run(sink);
        }
        Assert.True(once.Count > 3);
        Assert.Equal(once, Files());
    }

    [Fact]
    public void A_file_that_lost_committed_lines_is_refused()
    {
        _run.Add("a", 50);
        Write();
        File.WriteAllText(Path.Combine(Folder, "alerts-000000.jsonl"), "");
        using JsonlSink sink = Make();
        var e = Assert.Throws<ConfigurationException>(() => _run.Run(sink));
        Assert.Contains("were committed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_in_the_place_of_the_folder_is_named()
    {
        File.WriteAllText(_run.Folder.File("json"), "a file");
        using JsonlSink sink = Make();
        var e = Assert.Throws<ConfigurationException>(() => _run.Run(sink));
        Assert.Contains(Folder, e.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _run.Dispose();

    private JsonlSink Make(long fileBytesMax = 1 << 20) =>
        new(new JsonlOptions { Folder = Folder, FileBytesMax = fileBytesMax }, SinkRun.Formats);

    private void Write(long fileBytesMax = 1 << 20)
    {
        using JsonlSink sink = Make(fileBytesMax);
        _run.Run(sink);
    }

    private string Content() => File.ReadAllText(Path.Combine(Folder, "alerts-000000.jsonl"));

    private Dictionary<string, string> Files() =>
        Directory.GetFiles(Folder).Order(StringComparer.Ordinal).ToDictionary(
            f => Path.GetFileName(f), File.ReadAllText);
}
