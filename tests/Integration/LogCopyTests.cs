using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>An application that moves from a data directory to Kafka with its state: what comes of its input
/// is what had come of it without the move, in every target (CSIC-011 to 016, 022, 042).</summary>
public sealed class LogCopyTests(PostgresServers servers) : IDisposable
{
    private const int Blocks = 260;
    private const string Rounds = "mining-simulated:1?machines=5&rounds_max=10";

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void An_application_that_moved_goes_on_as_if_it_had_not()
    {
        // Its own: topics of an application have the names that every application gives them.
        using KafkaCluster kafka = KafkaCluster.Start(extra: "");
        PostgresServer server = servers.Postgres;
        string stayed = server.NewDatabase(), moved = server.NewDatabase();
        TransactionsInput.AssertDone(Run("stayed", stayed, Blocks));
        TransactionsInput.AssertDone(Run("moved", moved, Blocks / 2));
        string[] copy =
        [
            "log", "copy", "--from-data", _folder.File("moved"), "--kafka", kafka.Brokers,
            .. Arguments("moved", moved, Blocks),
        ];
        var planned = StreamsProcess.Run(copy);
        TransactionsInput.AssertDone(planned);
        Assert.Contains("transactions-savepoints-changelog", planned.Output, StringComparison.Ordinal);
        Assert.EndsWith("Nothing was copied; --apply does it.\n", planned.Output, StringComparison.Ordinal);
        TransactionsInput.AssertDone(StreamsProcess.Run([.. copy, "--apply"]));
        // Once is enough, and twice does no harm.
        var again = StreamsProcess.Run([.. copy, "--apply"]);
        TransactionsInput.AssertDone(again);
        Assert.StartsWith("The records are there already", again.Output, StringComparison.Ordinal);
        var refused = Run("moved", moved, Blocks);
        Assert.Equal(2, refused.Code);
        Assert.Contains(
            "holds the results of", refused.Errors, StringComparison.Ordinal);

        TransactionsInput.AssertDone(Run("kafka", moved, Blocks, "--kafka", kafka.Brokers));
        Assert.Equal(Sql.Digests(server, stayed), Sql.Digests(server, moved));
        TransactionsInput.AssertSame(_folder.File("stayed.out"), _folder.File("moved.out"), "after the move");
    }

    [Fact]
    public void What_cannot_be_copied_is_refused_and_says_why()
    {
        using KafkaCluster kafka = KafkaCluster.Start(extra: "");
        string[] arguments =
        [
            "--topology", "mining", "--kafka", kafka.Brokers, "--source",
            "mining-simulated:1?machines=5&rounds_max=20", "--from-data",
        ];
        var missing = StreamsProcess.Run(["log", "copy", .. arguments, _folder.File("none")]);
        Assert.Equal(2, missing.Code);
        Assert.Contains("is no data directory", missing.Errors, StringComparison.Ordinal);
        TransactionsInput.AssertDone(StreamsProcess.Run(
            "run", "--topology", "mining", "--source", "mining-simulated:1?machines=5&rounds_max=10",
            "--data", _folder.File("data"), "--drain"));
        (int code, string tool) = kafka.Tool(
            "topics", "--create", "--topic", "mining_metrics", "--partitions", "1");
        Assert.True(code == 0, tool);
        var changed = StreamsProcess.Run(
            ["log", "copy", .. arguments, _folder.File("data"), "--option", "hour_grace=9m"]);
        Assert.Contains("made by another topology", changed.Errors, StringComparison.Ordinal);
        string[] renamed = ["log", "copy", .. arguments.Select(a => a.Replace(
            "rounds_max=20", "rounds_max=20&name=other", StringComparison.Ordinal)), _folder.File("data")];
        var left = StreamsProcess.Run(renamed);
        Assert.Equal(2, left.Code);
        Assert.Contains("the positions of 'mining-simulated'", left.Errors, StringComparison.Ordinal);
        TransactionsInput.AssertDone(
            StreamsProcess.Run([.. renamed, "--accept-loss", "mining-simulated"]));
        TransactionsInput.AssertDone(
            StreamsProcess.Run(["log", "copy", .. arguments, _folder.File("data"), "--apply"]));
        TransactionsInput.AssertDone(StreamsProcess.Run(
            "run", "--topology", "mining", "--source", "mining-simulated:1?machines=5&rounds_max=20",
            "--kafka", kafka.Brokers, "--data", _folder.File("local"), "--drain"));
        Assert.Equal(100, kafka.Consume("mining_metrics").Length);
    }

    [Fact]
    public void Of_applications_whose_names_begin_alike_the_one_that_is_named_is_copied()
    {
        using KafkaCluster kafka = KafkaCluster.Start(extra: "");
        foreach (string application in (string[])["mining", "mining-2"])
        {
            TransactionsInput.AssertDone(StreamsProcess.Run(
                "run", "-c", Named(application), "--source", Rounds, "--data",
                _folder.File("data"), "--drain", "--accept-loss", "mining"));
        }
        foreach ((string application, string other) in ((string, string)[])[
            ("mining", "mining-2-"), ("mining-2", "mining-metrics-hours-")])
        {
            var planned = StreamsProcess.Run(
                "log", "copy", "-c", Named(application), "--source", Rounds, "--kafka",
                kafka.Brokers, "--from-data", _folder.File("data"));
            TransactionsInput.AssertDone(planned);
            Assert.Contains($"{application}-", planned.Output, StringComparison.Ordinal);
            Assert.DoesNotContain(other, planned.Output, StringComparison.Ordinal);
        }
    }

    public void Dispose() => _folder.Dispose();

    private string Named(string application)
    {
        string file = _folder.File($"{application}.yaml");
        File.WriteAllText(file, $"application: {application}\ntopology: mining\n");
        return file;
    }

    private (int Code, string Output, string Errors) Run(
        string data, string database, int blocks, params string[] more) => StreamsProcess.Run(
    [
        "run", .. Arguments(data == "kafka" ? "moved" : data, database, blocks), "--data",
        _folder.File(data), "--drain", .. more,
    ]);

    private string[] Arguments(string name, string database, int blocks)
    {
        Directory.CreateDirectory(_folder.File($"{name}.out"));
        return
        [
            "--topology", "transactions", "--source",
            $"bitcoin-simulated:7?blocks_max={blocks}&transactions_per_block=100" +
            "&transactions_per_second=0",
            "--sink", $"postgres:{servers.Postgres.Location(database)}",
            "--sink", $"sqlite:{_folder.File($"{name}.out/out.db")}",
            "--sink", $"jsonl:{_folder.File($"{name}.out/json")}?file_bytes_max=1000000",
        ];
    }
}
