using Streams.Log;
using Streams.Log.Embedded;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Log;

public sealed class DurabilityTests
{
    [Fact]
    public void A_durable_reader_sees_nothing_before_its_sync()
    {
        var files = new SimulatedFileSystem(1);
        using EmbeddedLog log = SmallLog.Open(files);
        TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = "t" })[0];
        using ILogWriter writer = log.OpenWriter("w");
        long first = writer.Commit(partition, "a", "1");
        Assert.Empty(log.ReadAll(partition, 0, ReadLevel.Durable));
        Assert.Equal(0, log.EndOffset(partition, ReadLevel.Durable));
        Assert.Equal(["0:a=1"], log.ReadAll(partition));
        Assert.True(log.DurableCommit < first);
        log.Flush();
        Assert.Equal(first, log.DurableCommit);
        writer.Commit(partition, "b", "2");
        Assert.Equal(["0:a=1"], log.ReadAll(partition, 0, ReadLevel.Durable));
        Assert.Equal(1, log.EndOffset(partition, ReadLevel.Durable));
        Assert.Equal(2, log.EndOffset(partition, ReadLevel.Committed));
    }

    [Fact]
    public void One_sync_serves_all_commits_before_it()
    {
        var files = new SimulatedFileSystem(1);
        using EmbeddedLog log = SmallLog.Open(files);
        TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = "t" })[0];
        long before = files.Syncs;
        for (int i = 0; i < 100; i++)
        {
            using ILogWriter writer = log.OpenWriter($"w{i}");
            writer.Commit(partition, "a", $"{i}");
        }
        Assert.Equal(before, files.Syncs);
        log.Flush();
        Assert.Equal(before + 1, files.Syncs);
        log.Flush();
        Assert.Equal(before + 1, files.Syncs);
        Assert.Equal(100, log.ReadAll(partition, 0, ReadLevel.Durable).Count);
    }

    [Fact]
    public async Task Many_writers_that_wait_share_their_syncs()
    {
        const int Writers = 16;
        const int CommitsPerWriter = 200;
        var files = new SimulatedFileSystem(1);
        using EmbeddedLog log = OpenWithThreads(files, flushIntervalMs: 1000);
        Topic topic = log.EnsureTopic(new TopicSpec { Name = "t", Partitions = 4 });
        long before = files.Syncs;
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(w => Task.Factory.StartNew(() =>
        {
            using ILogWriter writer = log.OpenWriter($"w{w}");
            for (int i = 0; i < CommitsPerWriter; i++)
            {
                long commit = writer.Commit(topic[w % 4], $"w{w}", $"{i}");
                log.WaitDurable(commit, cancellation);
                Assert.True(log.DurableCommit >= commit);
            }
        }, cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        Assert.InRange(files.Syncs - before, CommitsPerWriter, Writers * CommitsPerWriter * 3 / 4);
        for (int partition = 0; partition < 4; partition++)
        {
            List<string> records = log.ReadAll(topic[partition], 0, ReadLevel.Durable);
            Assert.Equal(Writers * CommitsPerWriter / 4, records.Count);
            // Of each writer all, and in its order.
            foreach (IGrouping<string, string> writer in records.GroupBy(r => r.Split(':')[1].Split('=')[0]))
            {
                IEnumerable<int> numbers = writer.Select(r => int.Parse(r.Split('=')[1], null));
                Assert.Equal(Enumerable.Range(0, CommitsPerWriter), numbers);
            }
        }
    }

    [Fact]
    public void Commits_become_durable_by_themselves_within_the_interval()
    {
        var files = new SimulatedFileSystem(1);
        using EmbeddedLog log = OpenWithThreads(files, flushIntervalMs: 5);
        TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = "t" })[0];
        using ILogWriter writer = log.OpenWriter("w");
        long commit = writer.Commit(partition, "a", "1");
        Assert.True(SpinWait.SpinUntil(() => log.DurableCommit >= commit, TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void After_a_sync_that_failed_the_log_refuses_everything()
    {
        var files = new SimulatedFileSystem(1);
        EmbeddedLog log = SmallLog.Open(files);
        TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = "t" })[0];
        ILogWriter writer = log.OpenWriter("w");
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        long commit = writer.Commit(partition, "a", "1");
        files.SyncsFail = true;
        LogUnavailableException failure = Assert.Throws<LogUnavailableException>(log.Flush);
        Assert.Contains("must not go on", failure.Message, StringComparison.Ordinal);
        // The disk may well say that the next one succeeds: what the first one lost stays lost.
        files.SyncsFail = false;
        long syncs = files.Syncs;
        writer.Append(partition, "b", "2");
        Assert.Throws<LogUnavailableException>(() => writer.Commit());
        Assert.Throws<LogUnavailableException>(() => reader.Read(partition, 0, batch));
        Assert.Throws<LogUnavailableException>(log.Flush);
        Assert.Throws<LogUnavailableException>(() => log.WaitDurable(commit, CancellationToken.None));
        Assert.Throws<LogUnavailableException>(() => log.EnsureTopic(new TopicSpec { Name = "u" }));
        Assert.Throws<LogUnavailableException>(() => log.EndOffset(partition, ReadLevel.Committed));
        log.Dispose();
        Assert.Equal(syncs, files.Syncs);
        files.Crash();
        using EmbeddedLog again = SmallLog.Open(files);
        Assert.InRange(again.Recovery.LastCommit, 0, commit);
    }

    [Fact]
    public async Task Whoever_waits_is_told_of_the_failure()
    {
        var files = new SimulatedFileSystem(1);
        using EmbeddedLog log = OpenWithThreads(files, flushIntervalMs: 60_000);
        TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = "t" })[0];
        using ILogWriter writer = log.OpenWriter("w");
        log.WaitDurable(writer.Commit(partition, "a", "1"), TestContext.Current.CancellationToken);
        files.SyncsFail = true;
        long commit = writer.Commit(partition, "b", "2");
        await Assert.ThrowsAsync<LogUnavailableException>(() => Task.Run(
            () => log.WaitDurable(commit, CancellationToken.None), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_wait_for_durability_can_be_cancelled()
    {
        var files = new SimulatedFileSystem(1);
        using EmbeddedLog log = OpenWithThreads(files, flushIntervalMs: 60_000);
        using var cancelled = new CancellationTokenSource();
        Task wait = Task.Run(
            () => log.WaitDurable(long.MaxValue, cancelled.Token), TestContext.Current.CancellationToken);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }

    private static EmbeddedLog OpenWithThreads(SimulatedFileSystem files, int flushIntervalMs) =>
        EmbeddedLog.Open(SmallLog.Options(files, 1024 * 1024) with
        {
            Manual = false,
            FlushIntervalMs = flushIntervalMs,
        });
}
