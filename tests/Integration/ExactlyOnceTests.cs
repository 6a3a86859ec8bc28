using System.Globalization;
using Streams.Tests.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>
/// The same input in one run, in interrupted runs and under SIGKILL gives the same files byte for byte and the same
/// rows. STREAMS_TEST_KILLS says how many kills; the checker shares no code with the project.
/// </summary>
public sealed class ExactlyOnceTests
{
    private static readonly int Kills =
        int.Parse(Environment.GetEnvironmentVariable("STREAMS_TEST_KILLS") ?? "12", CultureInfo.InvariantCulture);

    [Fact]
    public void Killed_at_random_instants_a_run_leaves_what_an_undisturbed_one_leaves()
    {
        using var folder = new TemporaryFolder();
        string input = MakeInput(folder);
        string expected = folder.File("expected");
        AssertDone(StreamsProcess.Run(Arguments(input, expected)));
        int seed = Environment.TickCount;
        var random = new Random(seed);
        int killed = 0;
        for (int round = 0; killed < Kills; round++)
        {
            string actual = folder.File($"actual{round}");
            while (killed < Kills)
            {
                using StreamsProcess process = StreamsProcess.Start(Arguments(input, actual));
                if (!process.KillAfter(TimeSpan.FromMilliseconds(random.Next(60, 900))))
                {
                    AssertDone(process.WaitForEnd());
                    break;
                }
                killed++;
            }
            AssertDone(StreamsProcess.Run(Arguments(input, actual)));
            AssertSame(expected, actual, $"after {killed} kills, seed {seed}");
            Directory.Delete(actual, recursive: true);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{killed} kills, seed {seed}");
    }

    [Fact]
    public void Interrupted_ten_times_a_run_leaves_what_an_undisturbed_one_leaves()
    {
        using var folder = new TemporaryFolder();
        string input = MakeInput(folder);
        string expected = folder.File("expected");
        string actual = folder.File("actual");
        AssertDone(StreamsProcess.Run(Arguments(input, expected)));
        for (int i = 0; i < 10; i++)
        {
            using StreamsProcess process = StreamsProcess.Start(Arguments(input, actual));
            Thread.Sleep(180 + (20 * i));
            process.Terminate();
            AssertDone(process.WaitForEnd());
        }
        AssertDone(StreamsProcess.Run(Arguments(input, actual)));
        AssertSame(expected, actual, "after ten interruptions");
    }

    // Real blocks, a chain from its beginning, and a branch that is given up.
    private static string MakeInput(TemporaryFolder folder)
    {
        string input = folder.File("input");
        Directory.CreateDirectory(input);
        File.WriteAllBytes(Path.Combine(input, "1.raw"), BitcoinData.Bytes(BitcoinData.Block413567));
        File.WriteAllBytes(Path.Combine(input, "2.raw"), BitcoinData.Bytes(BitcoinData.Block702861));
        File.WriteAllBytes(Path.Combine(input, "3.dat"), BitcoinData.Bzip2("blocks/btcd_blocks1-256.bz2"));
        foreach (string part in new[] { "blk_0_to_4", "blk_3A", "blk_4A", "blk_5A" })
            File.WriteAllBytes(Path.Combine(input, $"4{part}.dat"), BitcoinData.Bzip2($"reorg/{part}.dat.bz2"));
        File.WriteAllBytes(Path.Combine(input, "5.raw"), new byte[300]);
        return input;
    }

    private static string[] Arguments(string input, string folder)
    {
        Directory.CreateDirectory(folder);
        return
        [
            "run", "--topology", "transactions", "--source", $"bitcoin-files:{input}/*", "--drain",
            "--sink", $"sqlite:{Path.Combine(folder, "out.db")}",
            "--sink", $"jsonl:{Path.Combine(folder, "json")}?file_bytes_max=1000000",
            "--data", Path.Combine(folder, "data"),
        ];
    }

    private static void AssertDone((int Code, string Output, string Errors) ended) =>
        Assert.True(ended.Code == 0, $"exit {ended.Code}\n{ended.Errors}");

    private static void AssertSame(string expected, string actual, string when)
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
}
