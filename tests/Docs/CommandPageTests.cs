using Streams.Tests.Integration;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Docs;

/// <summary>The pages whose commands a reader types, followed command by command.</summary>
public sealed class CommandPageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("evolution.md", 6)]
    [InlineData("backfill.md", 5)]
    public void Every_command_of_the_page_does_what_the_page_says(string name, int commandsMin)
    {
        string page = File.ReadAllText(Path.Combine(SharedData.RepositoryRoot, "docs", name));
        string[] commands = [.. page.Split("```console\n")[1..].Select(b => b[..b.IndexOf("```", 0,
            StringComparison.Ordinal)]).SelectMany(b => b.Split("$ streams ")[1..])];
        Assert.True(commands.Length >= commandsMin, $"The page has {commands.Length} commands.");
        foreach (string command in commands)
            Follow(command.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    public void Dispose() => _folder.Dispose();

    // The first line is the command; '...' stands for any lines; [exit N] is the exit code, else 0.
    private void Follow(string[] lines)
    {
        string[] arguments = [.. lines[0].Split(' ')
            .Select(a => a.StartsWith("data/", StringComparison.Ordinal) ? _folder.File(a[5..])
                : a.Replace(":data/", $":{_folder.Path}/", StringComparison.Ordinal))];
        (int code, string output, string errors) = StreamsProcess.Run(arguments);
        string exit = lines.LastOrDefault(l => l.StartsWith("[exit ", StringComparison.Ordinal))
            ?? "[exit 0]";
        Assert.True(exit == $"[exit {code}]", $"{lines[0]} ended with {code}, not {exit}: {output}{errors}");
        var shown = new Queue<string>(output.Split('\n'));
        bool skips = false;
        foreach (string line in lines[1..].Where(l => l != exit))
        {
            while (skips && shown.Count > 0 && shown.Peek() != line && line != "...")
                shown.Dequeue();
            skips = line == "...";
            if (!skips)
                Assert.Equal(line, shown.TryDequeue(out string? next) ? next : "");
        }
    }
}
