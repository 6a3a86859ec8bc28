using Streams.Tests.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>The input of the runs that are disturbed, and the comparison of what comes of it.</summary>
internal static class TransactionsInput
{
    /// <summary>Real blocks, a chain from its beginning, a branch that is given up, and what is no
    /// block.</summary>
    internal static string Make(TemporaryFolder folder)
    {
        string input = folder.File("input");
        Directory.CreateDirectory(input);
        File.WriteAllBytes(Path.Combine(input, "1.raw"), BitcoinData.Bytes(BitcoinData.Block413567));
        File.WriteAllBytes(Path.Combine(input, "2.raw"), BitcoinData.Bytes(BitcoinData.Block702861));
        File.WriteAllBytes(Path.Combine(input, "3.dat"), BitcoinData.Bzip2("blocks/btcd_blocks1-256.bz2"));
        foreach (string part in new[] { "blk_0_to_4", "blk_3A", "blk_4A", "blk_5A" })
            File.WriteAllBytes(
                Path.Combine(input, $"4{part}.dat"), BitcoinData.Bzip2($"reorg/{part}.dat.bz2"));
        File.WriteAllBytes(Path.Combine(input, "5.raw"), new byte[300]);
        return input;
    }

    /// <summary>The arguments of a run that ends with its input.</summary>
    /// <param name="input">The input's folder.</param>
    /// <param name="folder">Where the outputs go.</param>
    /// <param name="data">The data directory.</param>
    /// <param name="config">A configuration file; null for none.</param>
    internal static string[] Arguments(string input, string folder, string data, string? config = null)
    {
        Directory.CreateDirectory(folder);
        return
        [
            "run", "--topology", "transactions", "--source", $"bitcoin-files:{input}/*", "--drain",
            "--sink", $"sqlite:{Path.Combine(folder, "out.db")}",
            "--sink", $"jsonl:{Path.Combine(folder, "json")}?file_bytes_max=1000000",
            "--data", data, .. config is null ? Array.Empty<string>() : ["-c", config],
        ];
    }

    /// <summary>Asserts that two runs left the same: files byte for byte, tables row for row.</summary>
    internal static void AssertSame(string expected, string actual, string when)
    {
        SortedDictionary<string, string> files = RunOutputs.Files(Path.Combine(actual, "json"));
        SortedDictionary<string, string> wanted = RunOutputs.Files(Path.Combine(expected, "json"));
        Assert.Equal(wanted.Keys, files.Keys);
        foreach ((string name, string content) in wanted)
            Assert.True(content == files[name], $"{name} differs {when}.");
        SortedDictionary<string, List<string>> rows = RunOutputs.Rows(Path.Combine(actual, "out.db"));
        foreach ((string table, List<string> content) in RunOutputs.Rows(Path.Combine(expected, "out.db")))
            Assert.True(content.SequenceEqual(rows[table]), $"The table {table} differs {when}.");
        Assert.NotEmpty(rows["transactions"]);
    }

    /// <summary>Asserts that a run ended as it should.</summary>
    internal static void AssertDone((int Code, string Output, string Errors) ended) =>
        Assert.True(ended.Code == 0, $"exit {ended.Code}\n{ended.Errors}");
}
