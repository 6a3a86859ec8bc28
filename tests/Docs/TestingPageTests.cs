using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Docs;

/// <summary>Who follows docs/testing-a-topology.md from top to bottom has written the file that is compiled
/// and run here, and nothing else.</summary>
public sealed class TestingPageTests
{
    [Fact]
    public void The_blocks_of_the_page_are_the_example_from_its_first_line_to_its_last()
    {
        string[] page = File.ReadAllLines(
            Path.Combine(SharedData.RepositoryRoot, "docs/testing-a-topology.md"));
        var blocks = new List<string>();
        bool isInside = false;
        foreach (string line in page)
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
                isInside = line == "```csharp";
            else if (isInside)
                blocks.Add(line);
        }
        string[] example = File.ReadAllLines(
            Path.Combine(SharedData.RepositoryRoot, "tests/Docs/TestingExample.cs"));
        Assert.Equal(Normal(example), Normal(blocks));
    }

    // Without what belongs to this project and not to the reader's: its namespace and its summaries.
    private static List<string> Normal(IEnumerable<string> lines) =>
        [.. lines.Select(l => l.Trim()).Where(l => l.Length > 0
            && !l.StartsWith("namespace ", StringComparison.Ordinal)
            && !l.StartsWith("/// ", StringComparison.Ordinal))];
}
