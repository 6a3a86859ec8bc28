using System.Text.RegularExpressions;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>What the documents show works as they show it.</summary>
public sealed partial class ExampleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static string Readme => Text("README.md");

    [Fact]
    public void The_configuration_in_the_README_is_valid()
    {
        Directory.CreateDirectory(_folder.File("labels/packs"));
        Directory.CreateDirectory(_folder.File("labels/sanctions"));
        File.WriteAllText(_folder.File("labels/packs/a.yaml"), """
            title: Known
            currency: BTC
            category: exchange
            tags:
            - address: bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq
              label: Somebody
            """);
        File.WriteAllText(
            _folder.File("labels/sanctions/sanctioned_addresses_XBT.json"),
            "[\"1BoatSLRHtKNngkdXEeobR76b53LETtpyT\"]");
        string yaml = Fenced().Match(Readme).Groups[1].Value
            .Replace("labels/", _folder.File("labels") + "/", StringComparison.Ordinal);
        File.WriteAllText(_folder.File("streams.yaml"), yaml);
        var ended = StreamsProcess.Run("validate", "-c", _folder.File("streams.yaml"));
        Assert.True(ended.Code == 0, ended.Errors);
        Assert.Contains("sink sqlite", ended.Output, StringComparison.Ordinal);
        Assert.Contains("sink jsonl", ended.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/ARCHITECTURE.md")]
    [InlineData("connectors/README.md")]
    [InlineData("sinks/README.md")]
    [InlineData("topologies/README.md")]
    [InlineData("docs/kafka.md")]
    [InlineData("docs/postgres.md")]
    [InlineData("docs/metrics.md")]
    [InlineData("docs/operations/README.md")]
    [InlineData("docs/operations/runbook.md")]
    [InlineData("docs/operations/scale-out.md")]
    [InlineData("docs/operations/rolling-upgrade.md")]
    [InlineData("docs/operations/lost-disk.md")]
    [InlineData("docs/operations/move-to-kafka.md")]
    public void Every_link_leads_somewhere(string document)
    {
        string folder = Path.GetDirectoryName(Path.Combine(SharedData.RepositoryRoot, document))!;
        var links = Linked().Matches(Text(document)).Select(m => m.Groups[1].Value)
            .Where(l => !l.Contains("://", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(links);
        Assert.All(links, l => Assert.True(
            File.Exists(Path.Combine(folder, l)) || Directory.Exists(Path.Combine(folder, l)), l));
    }

    [Fact]
    public void The_README_names_every_command()
    {
        var help = StreamsProcess.Run("--help");
        string commands = help.Output[help.Output.IndexOf("Commands:", StringComparison.Ordinal)..];
        var names = Command().Matches(commands).Select(m => m.Groups[1].Value).ToList();
        Assert.Contains("demo", names);
        Assert.All(names, n => Assert.Contains($"`{n}", Readme, StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private static string Text(string document) =>
        File.ReadAllText(Path.Combine(SharedData.RepositoryRoot, document));

    [GeneratedRegex("```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fenced();

    [GeneratedRegex(@"\]\(([^)#]+)\)")]
    private static partial Regex Linked();

    [GeneratedRegex("^  ([a-z]+)", RegexOptions.Multiline)]
    private static partial Regex Command();
}
