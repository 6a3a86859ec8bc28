using System.Text.Json;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Tests.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>Dead letters from the command line, of a run's data directory.</summary>
public sealed class DlqCommandTests : IDisposable
{
    private static readonly byte[] Undecodable = [0xff, 0x00, 0x7b, 0xff];

    private readonly TemporaryFolder _folder = new();

    private string Data => _folder.File("data");

    [Fact]
    public void A_record_that_could_not_be_decoded_is_listed_shown_and_replayed_once()
    {
        Run();
        Append(Undecodable);
        Run();
        var listed = StreamsProcess.Run("dlq", "list", "--data", Data, "--topic", "transactions", "--json");
        Assert.Equal(0, listed.Code);
        string[] lines = listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        JsonElement letter = lines.Select(l => JsonDocument.Parse(l).RootElement)
            .Single(l => l.GetProperty("stage").GetString() == "decode");
        Assert.Equal("ff007bff", letter.GetProperty("value").GetString());
        Assert.Equal(1557, letter.GetProperty("source_offset").GetInt64());
        Assert.False(letter.GetProperty("replayed").GetBoolean());
        string offset = letter.GetProperty("offset").ToString();

        var shown = StreamsProcess.Run("dlq", "show", "transactions", offset, "--data", Data);
        Assert.Equal(0, shown.Code);
        Assert.Contains("stage      decode", shown.Output, StringComparison.Ordinal);
        Assert.Contains("key        \"test\"", shown.Output, StringComparison.Ordinal);
        Assert.Contains("header     trace = \"42\"", shown.Output, StringComparison.Ordinal);
        Assert.Contains("00000000  ff 00 7b ff", shown.Output, StringComparison.Ordinal);

        var dry = StreamsProcess.Run("dlq", "replay", "--data", Data, "--stage", "decode", "--dry-run");
        Assert.Equal((0, "1 would be replayed, 0 were before, 0 cannot be\n"), (dry.Code, dry.Output));
        var replayed = StreamsProcess.Run("dlq", "replay", "--data", Data, "--stage", "decode");
        Assert.Equal((0, "1 replayed, 0 were before, 0 cannot be\n"), (replayed.Code, replayed.Output));
        var again = StreamsProcess.Run("dlq", "replay", "--data", Data, "--stage", "decode", "--json");
        JsonElement counts = JsonDocument.Parse(again.Output).RootElement;
        Assert.Equal((0, 1), (
            counts.GetProperty("replayed").GetInt64(), counts.GetProperty("replayed_before").GetInt64()));

        List<string> records = Records();
        Assert.Equal(2, records.Count);
        Assert.Equal(records[0], records[1]);
        // The run meets it like any other record: it is what it was, so there is one letter more.
        Run();
        var listing = StreamsProcess.Run("dlq", "list", "--data", Data, "--stage", "decode");
        Assert.Contains("(replayed)", listing.Output, StringComparison.Ordinal);
        Assert.Contains("2  in all, 1 of them replayed", listing.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_source_could_not_read_cannot_be_replayed_and_says_why()
    {
        Run();
        var replayed = StreamsProcess.Run("dlq", "replay", "--data", Data, "--all");
        Assert.Equal((0, "0 replayed, 0 were before, 1 cannot be\n"), (replayed.Code, replayed.Output));
        Assert.Contains("a source could not make a record of it", replayed.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replay_beside_a_process_is_refused_with_its_name()
    {
        Run();
        using StreamsProcess process = StreamsProcess.Start(Arguments(drain: false));
        await process.WaitForAsync("runs 2 tasks");
        var replayed = StreamsProcess.Run("dlq", "replay", "--data", Data, "--all");
        Assert.Equal(3, replayed.Code);
        Assert.Contains($"in use by process {process.Id}", replayed.Errors, StringComparison.Ordinal);
        // To look takes no lock.
        Assert.Equal(0, StreamsProcess.Run("dlq", "list", "--data", Data).Code);
        process.Terminate();
        Assert.Equal(0, process.WaitForEnd().Code);
    }

    [Fact]
    public void Mistakes_are_usage_errors_that_say_what_there_is()
    {
        Run();
        AssertUsage("which dead letters?", "replay", "--data", Data);
        AssertUsage("There are no dead letters of 'nothing'", "list", "--data", Data, "--topic", "nothing");
        AssertUsage("there is no stage 'decoding'", "list", "--data", Data, "--stage", "decoding");
        AssertUsage("need --topic", "list", "--data", Data, "--offset", "3");
        AssertUsage("no dead letter at offset 99", "show", "transactions", "99", "--data", Data);
        AssertUsage("is no data directory", "replay", "--all", "--data", _folder.File("nowhere"));
        Assert.False(Directory.Exists(_folder.File("nowhere")));
    }

    public void Dispose() => _folder.Dispose();

    private static void AssertUsage(string expected, params string[] arguments)
    {
        var ended = StreamsProcess.Run(["dlq", .. arguments]);
        Assert.Equal(2, ended.Code);
        Assert.Contains(expected, ended.Errors, StringComparison.Ordinal);
    }

    private void Run()
    {
        File.WriteAllBytes(_folder.File("block.raw"), BitcoinData.Bytes(BitcoinData.Block413567));
        File.WriteAllBytes(_folder.File("bad.raw"), new byte[100]);
        var ended = StreamsProcess.Run(Arguments(drain: true));
        Assert.True(ended.Code == 0, ended.Errors);
    }

    private string[] Arguments(bool drain) =>
    [
        "run", "--topology", "transactions", "--source", $"bitcoin-files:{_folder.File("*.raw")}", "--data",
        Data, .. drain ? new[] { "--drain" } : [],
    ];

    private void Append(byte[] value)
    {
        using EmbeddedLog log = EmbeddedLog.Open(
            new EmbeddedLogOptions { Directory = Path.Combine(Data, "log") });
        using ILogWriter writer = log.OpenWriter("test");
        writer.Append(log.FindTopic("transactions")![0], new LogRecord
        {
            TimestampMs = 1_466_000_000_000,
            HasKey = true,
            Key = "test"u8,
            HasValue = true,
            Value = value,
            Headers = Streams.Records.Headers.Empty.With("trace", "42").Encoded,
        });
        log.WaitDurable(writer.Commit(), CancellationToken.None);
    }

    private List<string> Records()
    {
        using EmbeddedLogView log = EmbeddedLogView.Open(Path.Combine(Data, "log"));
        using ILogReader reader = log.OpenReader();
        using LogBatch batch = reader.CreateBatch();
        var lines = new List<string>();
        TopicPartition partition = log.FindTopic("transactions")![0];
        for (long offset = 1557; reader.Read(partition, offset, batch); offset = batch.NextOffset)
        {
            while (batch.TryRead(out LogRecord r))
                lines.Add($"{Convert.ToHexString(r.Key)} {Convert.ToHexString(r.Value)} "
                    + $"{Convert.ToHexString(r.Headers)} {r.TimestampMs}");
        }
        return lines;
    }
}
