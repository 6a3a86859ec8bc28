using Microsoft.Data.Sqlite;
using Streams.Tests.Support;
using Streams.Topologies.Demo;
using Xunit;

namespace Streams.Tests.Topologies.Demo;

/// <summary>The demonstration as a whole: what is fed is scored, written and found, again and
/// again.</summary>
public sealed class DemoRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_same_seed_finds_the_same_and_all_that_was_put_in()
    {
        DemoOutcome first = await Run("first", 3);
        DemoOutcome second = await Run("second", 3);
        Assert.True(first.IsWhole && second.IsWhole);
        Assert.Empty(first.Result.Missed);
        Assert.True(first.Result.Injected > 100, $"only {first.Result.Injected} were put in");
        Assert.Equal(first.Result.Typologies, second.Result.Typologies);
        Assert.Equal(Rows(first), Rows(second));
        Assert.NotEqual(Rows(first), Rows(await Run("third", 4)));
    }

    [Fact]
    public async Task What_was_fed_is_what_is_scored_and_what_stands_in_the_file()
    {
        DemoOutcome outcome = await Run("demo", 5);
        Assert.True(outcome.IsDrained);
        Assert.Equal(outcome.Last.Transactions.Total, outcome.Last.Enriched.Total);
        Assert.Equal(outcome.Last.Transactions.Total, outcome.Result.Transactions);
        Assert.Equal(outcome.Last.Transactions.Total, Count(outcome, "transactions"));
        Assert.Equal(outcome.Last.Alerts.Total, Count(outcome, "alerts"));
        Assert.Equal(outcome.Last.RefusedBlocks, Count(outcome, "dead_letters"));
        Assert.True(outcome.Last.ToEnriched.P50 > TimeSpan.Zero);
        Assert.True(outcome.Last.ToSink.P99 >= outcome.Last.ToSink.P50);
    }

    [Fact]
    public async Task Stopped_early_it_works_off_what_was_fed()
    {
        using var stop = new CancellationTokenSource();
        DemoOutcome outcome = await Run("demo", 6, stop, snapshot =>
        {
            if (snapshot.Transactions.Total > 500)
                stop.Cancel();
        });
        Assert.True(outcome.IsStoppedEarly);
        Assert.False(outcome.IsWhole);
        Assert.True(outcome.IsDrained);
        Assert.True(outcome.Last.Blocks.Total < outcome.Plan.Simulation.BlocksMax);
        Assert.Equal(outcome.Last.Transactions.Total, Count(outcome, "transactions"));
        Assert.Empty(outcome.Result.Missed);
    }

    [Fact]
    public async Task A_second_run_begins_anew_and_leaves_the_files_of_others_alone()
    {
        await Run("demo", 7);
        string mine = Path.Combine(_folder.File("demo"), "notes.txt");
        await File.WriteAllTextAsync(mine, "mine", Cancellation);
        DemoOutcome second = await Run("demo", 8);
        Assert.Equal(second.Last.Transactions.Total, Count(second, "transactions"));
        Assert.Equal("mine", await File.ReadAllTextAsync(mine, Cancellation));
    }

    [Fact]
    public async Task Every_query_that_is_printed_has_rows()
    {
        DemoOutcome outcome = await Run("demo", 9);
        var text = new StringWriter();
        DemoReport.Write(outcome, text);
        Assert.Equal(3, DemoQueries.All.Count);
        foreach (string sql in PrintedSql.In(text.ToString()))
            Assert.NotEmpty(PrintedSql.Run(outcome.Folder.SqliteFile, sql));
        Assert.Equal(3, PrintedSql.In(text.ToString()).Count);
    }

    public void Dispose() => _folder.Dispose();

    // Without a limit of time: the number of blocks is the plan's on every machine.
    private async Task<DemoOutcome> Run(
        string folder, long seed, CancellationTokenSource? stop = null, Action<DemoSnapshot>? show = null)
    {
        var log = new DemoLog();
        var options = new DemoRunOptions
        {
            Plan = DemoPlan.Of(2, 4_000, seed) with { TimeMax = TimeSpan.MaxValue },
            Folder = DemoFolder.Prepare(_folder.File(folder)),
            Stop = stop?.Token ?? CancellationToken.None,
            Abandon = Cancellation,
        };
        DemoOutcome outcome = await DemoRun.RunAsync(options, log, () => log.Warning, show ?? (_ => { }));
        Assert.Null(log.Warning);
        return outcome;
    }

    private static long Count(DemoOutcome outcome, string table) =>
        (long)PrintedSql.Run(outcome.Folder.SqliteFile, $"SELECT count(*) FROM {table}").Single().Single();

    private static IEnumerable<string> Rows(DemoOutcome outcome) => PrintedSql
        .Run(outcome.Folder.SqliteFile, "SELECT alert_id, score, evidence FROM alerts ORDER BY alert_id")
        .Select(row => string.Join(' ', row));
}

/// <summary>The SQL that a demonstration prints, as somebody would copy it from there.</summary>
internal static class PrintedSql
{
    internal static List<string> In(string text)
    {
        var found = new List<string>();
        for (int at = text.IndexOf("  SELECT ", StringComparison.Ordinal); at >= 0;
            at = text.IndexOf("  SELECT ", at + 1, StringComparison.Ordinal))
            found.Add(text[at..(text.IndexOf(';', at) + 1)]);
        return found;
    }

    internal static List<object[]> Run(string file, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The statements are the project's own.
        command.CommandText = sql;
#pragma warning restore CA2100
        using SqliteDataReader reader = command.ExecuteReader();
        var rows = new List<object[]>();
        while (reader.Read())
        {
            object[] row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }
        return rows;
    }
}
