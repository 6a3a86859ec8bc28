using System.Text.RegularExpressions;
using System.Xml.Linq;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Tidy;

/// <summary>The style that a reader may rely on, enforced.</summary>
public sealed partial class TidyTests
{
    private const int FileLinesMax = 400;
    private const int MethodLinesMax = 70;
    private const int ColumnsMax = 110;

    private static readonly Dictionary<string, string[]> Layers = new()
    {
        ["engine/Streams.Engine.csproj"] = [],
        ["connectors/Streams.Connectors.csproj"] = ["engine"],
        ["sinks/Streams.Sinks.csproj"] = ["engine"],
        ["topologies/Streams.Topologies.csproj"] = ["connectors", "engine", "sinks"],
        ["tests/Streams.Tests.csproj"] = ["topologies"],
        ["benchmarks/Streams.Benchmarks.csproj"] = ["topologies"],
    };

    [Fact]
    public void Each_layer_refers_only_to_the_layers_below_it()
    {
        foreach ((string project, string[] below) in Layers)
        {
            XDocument xml = XDocument.Load(Path.Combine(SharedData.RepositoryRoot, project));
            var references = xml.Descendants("ProjectReference")
                .Select(r => r.Attribute("Include")!.Value.Split('/')[1]).Order();
            Assert.Equal(below, references);
        }
    }

    [Fact]
    public void The_engine_knows_no_protocol_no_database_and_no_domain()
    {
        Regex outside = Outside();
        var found = SourceFiles.All("engine")
            .SelectMany(f => f.Lines.Where(
                l => !l.TrimStart().StartsWith("//", StringComparison.Ordinal) && outside.IsMatch(l))
                .Select(l => $"{f.Path}: {l.Trim()}"));
        Assert.Empty(found);
    }

    [Fact]
    public void The_top_level_is_what_the_design_fixed()
    {
        string[] allowed =
        [
            ".ci", ".git", ".gitattributes", ".gitignore", ".editorconfig", "benchmarks", "connectors",
            "docs", "engine",
            "sinks", "tests", "topologies", "Directory.Build.props", "Directory.Packages.props",
            "docker-compose.yml",
            "global.json", "README.md", "Streams.sln", "test", "LICENSE", "Dockerfile", ".dockerignore",
        ];
        var found = Directory.GetFileSystemEntries(SharedData.RepositoryRoot).Select(Path.GetFileName);
        Assert.Empty(
            found.Except(allowed).Except(["TestResults", "data", "artifacts", "BenchmarkDotNet.Artifacts"]));
    }

    [Fact]
    public void No_file_is_longer_than_a_reader_takes_in()
    {
        var found = SourceFiles.All().Where(f => f.Lines.Length > FileLinesMax).Select(
            f => $"{f.Path}: {f.Lines.Length}");
        Assert.Empty(found);
    }

    [Fact]
    public void No_line_is_longer_than_the_column_limit()
    {
        var found = SourceFiles.All()
            .SelectMany(f => f.Lines.Select((line, i) => (f.Path, Number: i + 1, line.Length)))
            .Where(l => l.Length > ColumnsMax).Select(l => $"{l.Path}:{l.Number}: {l.Length}");
        Assert.Empty(found);
    }

    [Fact]
    public void No_method_is_longer_than_a_screen()
    {
        var found = SourceFiles.All().SelectMany(f => Methods(f.Lines)
            .Where(m => m.Lines > MethodLinesMax).Select(m => $"{f.Path}:{m.Start}: {m.Lines} lines"));
        Assert.Empty(found);
    }

    [Fact]
    public void No_type_is_named_by_a_word_that_says_nothing()
    {
        var found = SourceFiles.All().SelectMany(f => f.Lines.Where(l => EmptyName().IsMatch(l))
            .Select(l => $"{f.Path}: {l.Trim()}"));
        Assert.Empty(found);
    }

    [Fact]
    public void Every_exception_is_caught_in_two_places_only()
    {
        string[] allowed = ["engine/Connect/Supervisor.cs", "engine/Processing/RecordGuard.cs",
            "topologies/Commands/CommandRunner.cs"];
        var found = SourceFiles.All("engine", "connectors", "sinks", "topologies")
            .Where(f => !allowed.Contains(f.Path))
            .SelectMany(f => f.Lines.Select((line, i) => (line, i))
                .Where(l => CatchAll().IsMatch(l.line) && !ThrowsAgain(f.Lines, l.i))
                .Select(l => $"{f.Path}:{l.i + 1}"));
        Assert.Empty(found);
    }

    [Fact]
    public void No_region_hides_code()
    {
        Assert.Empty(
            SourceFiles.All().Where(f => f.Lines.Any(l => l.Contains("#region ", StringComparison.Ordinal)
            && !f.Path.EndsWith("TidyTests.cs", StringComparison.Ordinal))).Select(f => f.Path));
    }

    [Fact]
    public void Names_of_quantities_end_in_their_unit()
    {
        var found = SourceFiles.All("engine", "connectors", "sinks", "topologies")
            .SelectMany(f => f.Lines.Where(l => Unitless().IsMatch(l)).Select(l => $"{f.Path}: {l.Trim()}"));
        Assert.Empty(found);
    }

    // A block that only cleans up and passes the exception on catches nothing.
    private static bool ThrowsAgain(string[] lines, int start)
    {
        string close = lines[start][..^lines[start].TrimStart().Length] + "}";
        int end = Array.FindIndex(lines, start, l => l == close);
        return lines[start..end].Any(l => l.Trim() == "throw;");
    }

    // From a line that opens a member's body to the line that closes it, by indentation, which the build
    // enforces.
    private static IEnumerable<(int Start, int Lines)> Methods(string[] lines)
    {
        for (int i = 1; i < lines.Length; i++)
        {
            if (lines[i] is not ("    {" or "        {")
                || !lines[i - 1].Contains(')', StringComparison.Ordinal))
                continue;
            string close = lines[i].Replace('{', '}');
            int end = Array.FindIndex(lines, i, l => l.StartsWith(close, StringComparison.Ordinal));
            if (end > 0 && !TypeStart().IsMatch(lines[i - 1]))
                yield return (i, end - i - 1);
        }
    }

    [GeneratedRegex(@"\b(Bitcoin|Ethereum|Satoshi\w+|Sqlite|Npgsql|Postgres|OpenSearch|Mqtt|Modbus)\b")]
    private static partial Regex Outside();

    [GeneratedRegex(
        @"\b(class|struct|record|interface|enum)\s+\w*(Handler|Manager|Helper|Helpers|Utils|Util|Common)\b")]
    private static partial Regex EmptyName();

    [GeneratedRegex(@"catch\s*(\(Exception( \w+)?\))?\s*$")]
    private static partial Regex CatchAll();

    [GeneratedRegex(@"\b(class|struct|record|interface|enum|namespace)\b")]
    private static partial Regex TypeStart();

    // A public option whose name ends in Timeout, Interval, Size or Limit and is a number does not say of
    // what.
    [GeneratedRegex(@"public (int|long|double) \w*(Timeout|Interval|Delay|Size|Limit|Period) \{")]
    private static partial Regex Unitless();
}
