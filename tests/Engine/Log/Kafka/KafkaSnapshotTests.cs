using Streams.Connect;
using Streams.Connect.Evolution;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Kafka;
using Streams.Processing;
using Streams.State;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Log.Kafka;

/// <summary>Which snapshots in a data directory count.</summary>
[Collection("Kafka")]
public sealed class KafkaSnapshotTests(KafkaBroker broker) : KafkaApplicationFixture(broker)
{
    [Fact]
    public void A_reset_waits_for_nobody_to_run_and_snapshots_of_before_do_not_count()
    {
        KafkaLog log = Open();
        Write(log, Input,
            [.. Enumerable.Repeat("a", 300), .. Enumerable.Range(0, 5_000).Select(i => $"y{i}")]);
        using (StreamsApplication application = Start(log, Counts(), FailurePolicy.Fail, "one"))
        {
            WaitForDrain(application);
            var refused = Assert.Throws<LogUnavailableException>(() => Reset(Open(), toEnd: true));
            Assert.Contains($"'{Application}' runs: its group has 1 members", refused.Message,
                StringComparison.Ordinal);
            application.Stop();
        }
        Assert.Contains(
            Directory.GetFiles(Folder.Path, "*", SearchOption.AllDirectories),
            f => f.EndsWith(SnapshotRun.Extension, StringComparison.Ordinal));
        Reset(Open(), toEnd: true);
        // Another process goes on for a while, so that the new changelog is longer than the old snapshot.
        KafkaLog second = Open();
        Write(second, Input,
            [.. Enumerable.Repeat("b", 600), .. Enumerable.Range(0, 8_000).Select(i => $"x{i}")]);
        Assert.Null(Run(second, Counts(), FailurePolicy.Fail, "two"));
        KafkaLog third = Open();
        Write(third, Input, ["a", "b"]);
        Assert.Null(Run(third, Counts(), FailurePolicy.Fail, "one"));
        Assert.Equal(["1", "601"], Read(third, Output).TakeLast(2));
    }

    // Positions of one log mean nothing in the other, and the embedded log keeps no changelog behind its
    // snapshots.
    [Fact]
    public void Those_of_another_log_neither_count_nor_go()
    {
        string[] many = [.. Enumerable.Range(0, 5_000).Select(i => $"y{i}")];
        using (EmbeddedLog log = EmbeddedLog.Open(new EmbeddedLogOptions { Directory = Folder.File("log") }))
        {
            Write(log, Input, ["a", "a", .. many]);
            Assert.Null(Run(log, Counts(), FailurePolicy.Fail));
        }
        Assert.NotEmpty(Snapshots());
        string[] before = Snapshots();
        Write(Open(), Input, ["a", .. many]);
        Assert.Null(Run(Open(), Counts(), FailurePolicy.Fail));
        KafkaLog kafka = Open();
        Write(kafka, Input, ["a"]);
        Assert.Null(Run(kafka, Counts(), FailurePolicy.Fail));
        Assert.Equal("2", Read(kafka, Output)[^1]);
        Assert.Empty(before.Except(Snapshots()));
        using (EmbeddedLog log = EmbeddedLog.Open(new EmbeddedLogOptions { Directory = Folder.File("log") }))
        {
            Write(log, Input, ["a"]);
            Assert.Null(Run(log, Counts(), FailurePolicy.Fail));
            Assert.Equal("3", Read(log, Output)[^1]);
        }
    }

    private void Reset(KafkaLog log, bool toEnd) =>
        ApplicationReset.Plan(Application, new OpenLogContents(log), toEnd, []).Apply(log, null);

    private string[] Snapshots() => Directory.GetFiles(
        Folder.Path, $"*{SnapshotRun.Extension}", SearchOption.AllDirectories);
}
