using Streams.Connect;
using Streams.Connectors.Chain;
using Streams.Sinks.Sqlite;
using Streams.Tests.Integration;
using Xunit;

namespace Streams.Tests.Sinks;

public sealed class SqliteSinkTests : IDisposable
{
    private readonly SinkRun _run = new();

    private string FilePath => _run.Folder.File("out.db");

    [Fact]
    public void Records_become_rows_once_however_often_the_sink_is_opened()
    {
        _run.Add("a", 50);
        Write();
        _run.Add("b", 60);
        Write();
        Write();
        Assert.Equal(2, RunOutputs.Number(FilePath, "SELECT count(*) FROM alerts"));
        Assert.Equal(2, RunOutputs.Number(FilePath, "SELECT next_offset FROM streams_offsets"));
    }

    [Fact]
    public void What_was_not_committed_is_written_again_and_not_doubled()
    {
        _run.Add("a", 50);
        using (var sink = Make())
            _run.Run(sink, commit: false);
        Assert.Equal(0, RunOutputs.Number(FilePath, "SELECT count(*) FROM alerts"));
        Write();
        Assert.Equal(1, RunOutputs.Number(FilePath, "SELECT count(*) FROM alerts"));
    }

    [Fact]
    public void A_further_record_of_a_key_replaces_its_row()
    {
        _run.Add("a", 50);
        _run.Add("a", 85);
        Write();
        Assert.Equal(85, RunOutputs.Number(FilePath, "SELECT score FROM alerts"));
    }

    [Fact]
    public void A_retracted_record_deletes_its_row_and_may_come_again()
    {
        _run.Add("a", 50);
        _run.Add("a", 50, Operation.Retract);
        Write();
        Assert.Equal(0, RunOutputs.Number(FilePath, "SELECT count(*) FROM alerts"));
        _run.Add("a", 60);
        Write();
        Assert.Equal(60, RunOutputs.Number(FilePath, "SELECT score FROM alerts"));
    }

    [Fact]
    public void A_file_that_holds_the_results_of_another_log_is_refused()
    {
        _run.Add("a", 50);
        Write();
        using var other = new SinkRun();
        other.Add("b", 50);
        using SqliteSink sink = Make();
        var e = Assert.Throws<ConfigurationException>(() => other.Run(sink));
        Assert.Contains("another data directory", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_that_was_made_with_other_columns_is_refused_with_the_difference()
    {
        _run.Add("a", 50);
        Write();
        using var sink = new SqliteSink(
            new SqliteOptions { File = FilePath }, SinkRun.Formats,
            [SinkRun.Tables[0] with { Omit = ["score"] }], []);
        var e = Assert.Throws<ConfigurationException>(() => _run.Run(sink));
        Assert.Contains("score INTEGER NOT NULL", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_not_there_is_named()
    {
        using var sink = new SqliteSink(
            new SqliteOptions { File = _run.Folder.File("none/out.db") }, SinkRun.Formats, SinkRun.Tables,
            []);
        var e = Assert.Throws<ConfigurationException>(() => _run.Run(sink));
        Assert.Contains("none/out.db", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_database_is_an_error_of_one_line()
    {
        File.WriteAllText(FilePath, new string('x', 5000));
        using SqliteSink sink = Make();
        var e = Assert.Throws<ConfigurationException>(() => _run.Run(sink));
        Assert.Contains("not a database", e.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _run.Dispose();

    private SqliteSink Make() =>
        new(new SqliteOptions { File = FilePath }, SinkRun.Formats, SinkRun.Tables, []);

    private void Write()
    {
        using SqliteSink sink = Make();
        _run.Run(sink);
    }
}
