using System.Text;
using System.Text.Json;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Tests.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>Runs whose sinks meet what they cannot write, or cannot reach their target.</summary>
public sealed class SinkFaultTests : IDisposable
{
    private const string Enriched = "transactions.enriched";
    private const int Transactions = 1557;

    private readonly TemporaryFolder _folder = new();

    private string Data => _folder.File("data");

    private string Database => _folder.File("out.db");

    [Fact]
    public void A_record_that_a_sink_cannot_read_becomes_a_dead_letter_and_the_rest_goes_on()
    {
        AppendJunk();
        var ended = StreamsProcess.Run(Sinks("--drain", "--strict", "--json"));
        Assert.True(ended.Code == 4, ended.Errors);
        JsonElement counts = JsonDocument.Parse(ended.Output).RootElement;
        Assert.Equal(2, counts.GetProperty("topics").GetProperty($"{Enriched}.dead-letter").GetInt64());
        Assert.Contains(
            "sqlite refused the record at offset 1557 of transactions.enriched 0 (dead letter)", ended.Errors,
            StringComparison.Ordinal);
        Assert.Equal(Transactions, RunOutputs.Number(Database, "SELECT count(*) FROM transactions"));
        Assert.Equal(Transactions, LinesIn(_folder.File("json")));
        JsonElement[] letters = DeadLetters();
        Assert.Equal(["jsonl", "sqlite"], letters.Select(l => l.GetProperty("operator").GetString()).Order());
        foreach (JsonElement letter in letters)
        {
            Assert.Equal("write", letter.GetProperty("stage").GetString());
            Assert.Equal(Enriched, letter.GetProperty("source").GetString());
            Assert.Equal(Transactions, letter.GetProperty("offset").GetInt64());
            Assert.Equal("SerializationException", letter.GetProperty("reason").GetString());
            Assert.NotEmpty(letter.GetProperty("detail").GetString()!);
            Assert.Contains(
                Convert.ToBase64String("this is no transaction"u8), letter.GetProperty("value").GetString(),
                StringComparison.Ordinal);
        }
        // Another start, and a file that is made anew from the beginning, keep no letter twice.
        Assert.Equal(0, StreamsProcess.Run(Sinks("--drain", "--strict")).Code);
        File.Delete(Database);
        Assert.Equal(0, StreamsProcess.Run(Sinks("--drain", "--strict")).Code);
        Assert.Equal(2, DeadLetters().Length);
        Assert.Equal(Transactions, RunOutputs.Number(Database, "SELECT count(*) FROM transactions"));
    }

    [Fact]
    public void A_row_that_the_file_refuses_becomes_a_dead_letter_and_the_rest_lands()
    {
        File.WriteAllBytes(_folder.File("block.raw"), BitcoinData.Bytes(BitcoinData.Block413567));
        TransactionsInput.AssertDone(StreamsProcess.Run(
            Sinks("--drain", "--source", $"bitcoin-files:{_folder.File("block.raw")}")));
        string refused = RunOutputs.Text(
            Database, "SELECT tx_id FROM transactions ORDER BY tx_index LIMIT 1 OFFSET 700");
        long inputs = RunOutputs.Number(Database, "SELECT count(*) FROM transaction_inputs");
        long own = RunOutputs.Number(
            Database, $"SELECT count(*) FROM transaction_inputs WHERE tx_id = '{refused}'");
        // The second run finds the tables empty and a rule of the file's owner in them.
        RunOutputs.Execute(Database, $"""
            DELETE FROM transactions; DELETE FROM transaction_inputs; DELETE FROM transaction_outputs;
            DELETE FROM transaction_reasons; DELETE FROM transaction_exposures;
            DELETE FROM transaction_input_tags; DELETE FROM transaction_output_tags;
            DELETE FROM streams_offsets WHERE topic = 'transactions.enriched';
            CREATE TRIGGER refuse BEFORE INSERT ON transaction_outputs WHEN NEW.tx_id = '{refused}'
            BEGIN SELECT RAISE(ABORT, 'not this one'); END;
            """);
        var ended = StreamsProcess.Run(Sinks("--drain", "--strict"));
        Assert.True(ended.Code == 4, ended.Errors);
        Assert.Equal(Transactions - 1, RunOutputs.Number(Database, "SELECT count(*) FROM transactions"));
        Assert.Equal(inputs - own, RunOutputs.Number(Database, "SELECT count(*) FROM transaction_inputs"));
        JsonElement letter = Assert.Single(DeadLetters());
        Assert.Equal("SqliteRefusalException", letter.GetProperty("reason").GetString());
        Assert.Equal("not this one", letter.GetProperty("detail").GetString());
        Assert.Equal("write", letter.GetProperty("stage").GetString());
        // It is behind: another run has nothing left to do.
        Assert.Equal(0, StreamsProcess.Run(Sinks("--drain", "--strict")).Code);
        Assert.Single(DeadLetters());
    }

    [Fact]
    public void Where_the_policy_is_to_stop_the_run_says_which_record_and_what_to_do()
    {
        AppendJunk();
        string config = Config("delivery:\n  rejected_records: fail");
        var ended = StreamsProcess.Run(Sinks("--drain", "-c", config));
        Assert.Equal(3, ended.Code);
        Assert.Contains(
            "cannot write the record at offset 1557 of transactions.enriched 0", ended.Errors,
            StringComparison.Ordinal);
        Assert.Contains(
            "set delivery.rejected_records to dead_letter", ended.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_policy_is_to_go_on_the_record_is_counted_and_left_out()
    {
        AppendJunk();
        string config = Config("delivery:\n  rejected_records: continue");
        var ended = StreamsProcess.Run(Sinks("--drain", "--strict", "-c", config));
        Assert.Equal(0, ended.Code);
        Assert.Contains("(left out)", ended.Errors, StringComparison.Ordinal);
        Assert.Equal(Transactions, RunOutputs.Number(Database, "SELECT count(*) FROM transactions"));
    }

    [Fact]
    public async Task A_locked_file_is_tried_again_until_it_is_free()
    {
        Process();
        using SqliteLock held = SqliteLock.Take(Database);
        using StreamsProcess process = StreamsProcess.Start(Sinks("--drain"));
        await process.WaitForAsync("sqlite failed and starts again in");
        held.Dispose();
        TransactionsInput.AssertDone(process.WaitForEnd());
        Assert.Equal(Transactions, RunOutputs.Number(Database, "SELECT count(*) FROM transactions"));
    }

    [Fact]
    public void A_file_that_stays_locked_ends_the_run_with_exit_code_3()
    {
        Process();
        using SqliteLock held = SqliteLock.Take(Database);
        string config = Config("restarts:\n  restarts_max: 2\n  delay: 20ms");
        var ended = StreamsProcess.Run(Sinks("--drain", "-c", config));
        Assert.Equal(3, ended.Code);
        Assert.Equal(2, Count(ended.Errors, "sqlite failed and starts again in"));
        Assert.Contains("sqlite failed for good: sqlite: ", ended.Errors, StringComparison.Ordinal);
        Assert.Contains("database is locked", ended.Errors, StringComparison.Ordinal);
        held.Dispose();
        TransactionsInput.AssertDone(StreamsProcess.Run(Sinks("--drain")));
        Assert.Equal(Transactions, RunOutputs.Number(Database, "SELECT count(*) FROM transactions"));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_tried_again_until_it_can()
    {
        Process();
        // The place where the folder's disk is going to be.
        string mount = _folder.File("mount");
        File.WriteAllText(mount, "");
        string[] run =
        [
            "run", "--topology", "transactions", "--data", Data, "--drain",
            "--sink", $"jsonl:{mount}/json",
        ];
        string config = Config("restarts:\n  restarts_max: 2\n  delay: 20ms");
        var ended = StreamsProcess.Run([.. run, "-c", config]);
        Assert.Equal(3, ended.Code);
        Assert.Contains($"the folder {mount}/json cannot be made", ended.Errors, StringComparison.Ordinal);
        using StreamsProcess process = StreamsProcess.Start(run);
        await process.WaitForAsync("jsonl failed and starts again in");
        File.Delete(mount);
        TransactionsInput.AssertDone(process.WaitForEnd());
        Assert.Equal(Transactions, LinesIn($"{mount}/json"));
    }

    [Fact]
    public void A_file_in_the_place_of_the_folder_is_a_usage_error()
    {
        File.WriteAllText(_folder.File("json"), "");
        Process();
        var ended = StreamsProcess.Run(Sinks("--drain"));
        Assert.Equal(2, ended.Code);
        Assert.Contains("there is a file of that name", ended.Errors, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private void Process()
    {
        File.WriteAllBytes(_folder.File("block.raw"), BitcoinData.Bytes(BitcoinData.Block413567));
        TransactionsInput.AssertDone(StreamsProcess.Run(
            "run", "--topology", "transactions", "--source", $"bitcoin-files:{_folder.File("block.raw")}",
            "--data", Data, "--drain"));
    }

    // What another program, or a later version of this one, might have left on the topic.
    private void AppendJunk()
    {
        Process();
        using EmbeddedLog log = EmbeddedLog.Open(
            new EmbeddedLogOptions { Directory = Path.Combine(Data, "log") });
        using ILogWriter writer = log.OpenWriter("other");
        writer.Append(log.FindTopic(Enriched)![0], new LogRecord
        {
            TimestampMs = 1,
            HasKey = true,
            Key = "key"u8,
            HasValue = true,
            Value = Encoding.UTF8.GetBytes("\xff this is no transaction"),
        });
        writer.Commit();
    }

    private string[] Sinks(params string[] more) =>
    [
        "run", "--topology", "transactions", "--data", Data,
        "--sink", $"sqlite:{Database}?busy_timeout=100ms", "--sink", $"jsonl:{_folder.File("json")}", .. more,
    ];

    private string Config(string yaml)
    {
        File.WriteAllText(_folder.File("streams.yaml"), yaml);
        return _folder.File("streams.yaml");
    }

    private JsonElement[] DeadLetters()
    {
        var tap = StreamsProcess.Run("tap", $"{Enriched}.dead-letter", "--data", Data);
        Assert.True(tap.Code == 0, tap.Errors);
        return [.. tap.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => JsonDocument.Parse(l).RootElement.GetProperty("value"))];
    }

    private static int LinesIn(string folder) =>
        RunOutputs.Files(folder)[$"{Enriched}-000000.jsonl"].Count(c => c == '\n');

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
