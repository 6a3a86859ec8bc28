using Streams.Connect;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Tests.Support;
using Streams.Topologies.Demo;
using Xunit;

namespace Streams.Tests.Topologies.Demo;

/// <summary>A demonstration deletes what one before it made, and nothing else.</summary>
public sealed class DemoFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("demo");

    [Fact]
    public void A_directory_that_no_demonstration_made_is_refused_and_stays_as_it_is()
    {
        Directory.CreateDirectory(System.IO.Path.Combine(Path, "log"));
        File.WriteAllText(System.IO.Path.Combine(Path, "log", "0.segment"), "precious");
        var e = Assert.Throws<ConfigurationException>(() => DemoFolder.Prepare(Path));
        Assert.Contains("no demo made it", e.Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(System.IO.Path.Combine(Path, "log", "0.segment")));
    }

    [Fact]
    public void An_empty_directory_and_a_missing_one_will_do()
    {
        Directory.CreateDirectory(Path);
        DemoFolder.Prepare(Path);
        DemoFolder.Prepare(_folder.File("a/b/c"));
        Assert.True(File.Exists(System.IO.Path.Combine(_folder.File("a/b/c"), DemoFolder.MarkerName)));
    }

    [Fact]
    public void Only_what_a_demonstration_makes_is_deleted()
    {
        DemoFolder folder = DemoFolder.Prepare(Path);
        string[] own = ["log/0.segment", "state/demo/0/x", "labels/a.csv", "demo.sqlite", "demo.sqlite-wal"];
        string[] foreign = ["notes.txt", "mine.sqlite", "charts/log/1.png"];
        foreach (string file in own.Concat(foreign))
        {
            string full = System.IO.Path.Combine(Path, file);
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(full)!);
            File.WriteAllText(full, file);
        }
        DemoFolder.Prepare(folder.Path);
        Assert.All(own, file => Assert.False(File.Exists(System.IO.Path.Combine(Path, file)), file));
        Assert.All(foreign, file => Assert.True(File.Exists(System.IO.Path.Combine(Path, file)), file));
    }

    [Fact]
    public void What_another_process_works_in_is_not_deleted()
    {
        DemoFolder folder = DemoFolder.Prepare(Path);
        File.WriteAllText(folder.SqliteFile, "results");
        using (EmbeddedLog.Open(new EmbeddedLogOptions { Directory = System.IO.Path.Combine(Path, "log") }))
        {
            var e = Assert.Throws<LogUnavailableException>(() => DemoFolder.Prepare(Path));
            Assert.Contains($"process {Environment.ProcessId}", e.Message, StringComparison.Ordinal);
            Assert.Equal("results", File.ReadAllText(folder.SqliteFile));
        }
        DemoFolder.Prepare(Path);
        Assert.False(File.Exists(folder.SqliteFile));
    }

    [Fact]
    public void A_file_where_the_directory_should_be_is_refused()
    {
        File.WriteAllText(Path, "x");
        Assert.Throws<ConfigurationException>(() => DemoFolder.Prepare(Path));
    }

    public void Dispose() => _folder.Dispose();
}
