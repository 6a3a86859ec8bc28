using System.Text;
using Streams.Connect;
using Streams.Records;
using Streams.Tests.Support;
using Streams.Topologies.Transactions.Tags;
using Xunit;

namespace Streams.Tests.Topologies.Transactions.Tags;

/// <summary>A folder to write files of tags into and load them from.</summary>
internal sealed class TagFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string Path => _folder.Path;

    public string Write(string name, string content)
    {
        string path = _folder.File(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    public LoadedTags LoadPack(
        string content, bool skipBad = false, string name = "pack.yaml", string currency = "BTC") =>
        TagLoader.Load(new TagOptions
        {
            Packs = [Write(name, content)],
            SkipBadTags = skipBad,
            Currencies = [currency],
        });

    public LoadedTags LoadCsv(string content, bool skipBad = false) =>
        TagLoader.Load(new TagOptions { CsvFiles = [Write("labels.csv", content)], SkipBadTags = skipBad });

    public LoadedTags LoadList(
        string content, string name = "sanctioned_addresses_XBT.json", bool skipBad = false) =>
        TagLoader.Load(new TagOptions { SanctionLists = [Write(name, content)], SkipBadTags = skipBad });

    /// <summary>The one line that loading ends with, with the folder cut off.</summary>
    public string Refusal(Func<LoadedTags> load)
    {
        string message = Assert.Throws<ConfigurationException>(load).Message;
        Assert.DoesNotContain('\n', message);
        return message.Replace(Path + "/", "", StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();
}

/// <summary>Lookups as tests write them.</summary>
internal static class TagTableText
{
    public static TagEntry Of(this TagTable table, string address)
    {
        bool isFound = table.TryGet(Encoding.UTF8.GetBytes(address), out TagEntry? entry);
        Assert.True(isFound, $"{address} has no tag");
        return entry!;
    }

    public static bool Has(this TagTable table, string address) =>
        table.TryGet(Encoding.UTF8.GetBytes(address), out _);

    public static string[] Texts(this ReadOnlySpan<Text> texts)
    {
        var all = new string[texts.Length];
        for (int i = 0; i < texts.Length; i++)
            all[i] = texts[i].ToString();
        return all;
    }

    public static string? Or(this Text? text) => text?.ToString();
}
