using Xunit;

namespace Streams.Tests.Support;

/// <summary>The public test data that stands beside the checkout, not in it.</summary>
public static class SharedData
{
    /// <summary>The repository's root: the folder of Streams.sln.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>The folder of the data, from STREAMS_TESTDATA or ../shared/testdata; null where there is
    /// none.</summary>
    public static string? Root { get; } = FindData();

    /// <summary>The full path of a file or folder of the data; skips the running test, by name, where it is
    /// absent.</summary>
    public static string Path(string relative)
    {
        string? path = Root is null ? null : System.IO.Path.Combine(Root, relative);
        if (path is null || (!File.Exists(path) && !Directory.Exists(path)))
            Assert.Skip($"needs shared test data: {relative}");
        return path;
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(
            AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Streams.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException("Streams.sln was not found above the tests.");
    }

    private static string? FindData()
    {
        string path = Environment.GetEnvironmentVariable("STREAMS_TESTDATA") is { Length: > 0 } named
            ? named
            : System.IO.Path.Combine(RepositoryRoot, "..", "shared", "testdata");
        return Directory.Exists(path) ? System.IO.Path.GetFullPath(path) : null;
    }
}
