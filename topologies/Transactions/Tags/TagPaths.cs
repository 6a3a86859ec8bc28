using System.IO.Enumeration;
using Streams.Connect;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>Finds the files that paths, folders and patterns stand for.</summary>
internal static class TagPaths
{
    private const string AnyDepth = "**";

    private static readonly char[] Separators = [Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar];
    private static readonly char[] Wildcards = ['*', '?'];

    /// <summary>The full paths of the files, each once, in ascending order.</summary>
    /// <param name="paths">Files, folders, or patterns with <c>*</c>, <c>?</c> and <c>**</c>.</param>
    /// <param name="extensions">What files of a folder are taken, such as <c>.yaml</c>.</param>
    /// <exception cref="ConfigurationException">A path stands for no file.</exception>
    internal static SortedSet<string> Expand(
        IReadOnlyList<string> paths, params ReadOnlySpan<string> extensions)
    {
        var all = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string path in paths)
        {
            var found = new List<string>();
            try
            {
                Find(path, extensions, found);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new ConfigurationException(
                    $"Tags: {path} cannot be searched ({e.Message}). Correct its rights.", e);
            }
            if (found.Count == 0)
                throw new ConfigurationException($"Tags: {path} stands for no file. Correct or remove it.");
            foreach (string file in found)
                all.Add(Path.GetFullPath(file));
        }
        return all;
    }

    private static void Find(string path, ReadOnlySpan<string> extensions, List<string> found)
    {
        if (path.AsSpan().ContainsAny(Wildcards))
            MatchPattern(path, found);
        else if (Directory.Exists(path))
            AddFolder(path, extensions, found);
        else if (File.Exists(path))
            found.Add(path);
    }

    private static void AddFolder(string folder, ReadOnlySpan<string> extensions, List<string> found)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            foreach (string extension in extensions)
            {
                if (file.EndsWith(extension, StringComparison.OrdinalIgnoreCase))
                    found.Add(file);
            }
        }
    }

    private static void MatchPattern(string pattern, List<string> found)
    {
        int wildcard = pattern.AsSpan().IndexOfAny(Wildcards);
        int root = pattern.AsSpan(0, wildcard).LastIndexOfAny(Separators) + 1;
        string folder = root == 0 ? "." : pattern[..root];
        string[] segments = pattern[root..].Split(Separators, StringSplitOptions.RemoveEmptyEntries);
        if (Directory.Exists(folder))
            Match(folder, segments, found);
    }

    private static void Match(string folder, ReadOnlySpan<string> segments, List<string> found)
    {
        string segment = segments[0];
        if (segments.Length == 1 && segment != AnyDepth)
        {
            foreach (string file in Directory.EnumerateFiles(folder))
            {
                if (Fits(segment, file))
                    found.Add(file);
            }
            return;
        }
        // `a/**` means all files below a.
        ReadOnlySpan<string> rest = segments.Length > 1 ? segments[1..] : ["*"];
        if (segment == AnyDepth)
            Match(folder, rest, found);
        foreach (string child in Directory.EnumerateDirectories(folder))
        {
            if (segment == AnyDepth && (File.GetAttributes(child) & FileAttributes.ReparsePoint) == 0)
                Match(child, segments, found);
            else if (segment != AnyDepth && Fits(segment, child))
                Match(child, rest, found);
        }
    }

    private static bool Fits(string segment, string path) =>
        FileSystemName.MatchesSimpleExpression(segment, Path.GetFileName(path.AsSpan()), ignoreCase: false);
}
