using Streams.Tests.Support;

namespace Streams.Tests.Tidy;

/// <summary>The project's own source files.</summary>
internal static class SourceFiles
{
    internal static readonly string[] Folders =
        ["engine", "connectors", "sinks", "topologies", "tests", "benchmarks"];

    /// <summary>All C# files of some folders, by path from the root.</summary>
    internal static IEnumerable<(string Path, string[] Lines)> All(params string[] folders)
    {
        foreach (string folder in folders.Length == 0 ? Folders : folders)
        {
            string root = Path.Combine(SharedData.RepositoryRoot, folder);
            foreach (string path in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
            {
                string relative = Path.GetRelativePath(SharedData.RepositoryRoot, path).Replace('\\', '/');
                if (!relative.Contains("/obj/", StringComparison.Ordinal)
                    && !relative.Contains("/bin/", StringComparison.Ordinal))
                    yield return (relative, File.ReadAllLines(path));
            }
        }
    }

    /// <summary>All files that are committed or could be, as text.</summary>
    internal static IEnumerable<(string Path, string Text)> Texts()
    {
        string[] endings = [
            ".cs", ".csproj", ".md", ".props", ".json", ".yml", ".yaml", ".sh", ".sln", ".proto"];
        foreach (string path in Directory.EnumerateFiles(
            SharedData.RepositoryRoot, "*", SearchOption.AllDirectories))
        {
            string relative = Path.GetRelativePath(SharedData.RepositoryRoot, path).Replace('\\', '/');
            bool skipped = relative.StartsWith(".git/", StringComparison.Ordinal)
                || relative.Contains("/obj/", StringComparison.Ordinal)
                || relative.Contains("/bin/", StringComparison.Ordinal);
            if (!skipped && endings.Contains(Path.GetExtension(path)))
                yield return (relative, File.ReadAllText(path));
        }
    }
}
