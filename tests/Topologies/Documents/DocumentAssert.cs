using Xunit;

namespace Streams.Tests.Topologies.Documents;

/// <summary>Asserts that a committed document is what its generator writes.</summary>
internal static class DocumentAssert
{
    /// <summary>Fails with the first line that differs, and the command that writes the file anew.</summary>
    public static void IsFresh(string path, string text, string command)
    {
        if (!File.Exists(path))
            Assert.Fail($"{path} is missing. Run: {command}");
        string[] committed = File.ReadAllText(path).Split('\n');
        string[] wanted = text.Split('\n');
        for (int i = 0; i < Math.Max(committed.Length, wanted.Length); i++)
        {
            string was = i < committed.Length ? committed[i] : "(the end)";
            string now = i < wanted.Length ? wanted[i] : "(the end)";
            if (was != now)
                Assert.Fail(
                    $"{path}:{i + 1} is stale. Run: {command}\n  committed: {was}\n  now:       {now}");
        }
    }
}
