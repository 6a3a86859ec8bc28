using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Embedded.Repair;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Log;

public sealed class ConcurrencyTests
{
    private const int Writers = 2;
    private const int CommitsPerWriter = 3000;

    [Fact]
    public async Task Writers_readers_syncs_and_maintenance_do_not_disturb_one_another()
    {
        var files = new SimulatedFileSystem(1);
        using (EmbeddedLog log = EmbeddedLog.Open(SmallLog.Options(files, 8192) with
        {
            Manual = false,
            FlushIntervalMs = 1,
            MaintainInterval = TimeSpan.FromMilliseconds(1),
            CleanDeadPercentMin = 5,
            CompactionDirtyPercentMin = 1,
            OpenFilesMax = 2,
            IndexCacheBytesMax = 2000,
        }))
        {
            Topic topic = log.EnsureTopic(new TopicSpec { Name = "t", Partitions = 2 });
            TopicPartition table = log.EnsureTopic(new TopicSpec { Name = "table", Compacted = true })[0];
            CancellationToken stop = TestContext.Current.CancellationToken;
            IEnumerable<Task> writers =
                Enumerable.Range(0, Writers).Select(w => Start(() => Write(log, topic, table, w))).ToArray();
            Task[] readers =
            [
                Start(() => Follow(log, topic, ReadLevel.Committed)),
                Start(() => Follow(log, topic, ReadLevel.Durable)),
                Start(() => Reread(log, topic)),
            ];
            await Task.WhenAll(writers);
            await Task.WhenAll(readers);
            Assert.Equal(Writers, log.ReadAll(table).TakeLast(Writers).Select(r => r.Split('=')[0]).Count());

            // The segment that is written to, the note, what may stay open, and what is being rewritten.
            Assert.InRange(files.OpenFiles, 2, 2 + 2 + 3);

            Task Start(Action action) =>
                Task.Factory.StartNew(action, stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        Assert.Equal(0, files.OpenFiles);
        Assert.True(EmbeddedLogVerifier.Verify(files).IsWhole);
        Assert.Equal(0, files.OpenFiles);
    }

    // Each commit adds one record to both partitions, which therefore always have the same end.
    private static void Write(EmbeddedLog log, Topic topic, TopicPartition table, int id)
    {
        using ILogWriter writer = log.OpenWriter($"w{id}");
        for (int i = 0; i < CommitsPerWriter; i++)
        {
            writer.Append(topic[0], $"w{id}", $"{i}", i);
            writer.Append(topic[1], $"w{id}", $"{i}", i);
            writer.Append(table, $"w{id}", $"{i}", i);
            writer.Commit();
        }
    }

    private static void Follow(EmbeddedLog log, Topic topic, ReadLevel level)
    {
        using ILogReader reader = log.OpenReader(level);
        using LogBatch batch = reader.CreateBatch();
        long[] lastOf = [-1, -1];
        long next = 0;
        long commit = 0;
        while (next < Writers * CommitsPerWriter)
        {
            commit = log.WaitForCommit(commit, TimeSpan.FromMilliseconds(1), CancellationToken.None);
            while (reader.Read(topic[0], next, batch))
            {
                // What is seen of one partition is seen of the other one.
                Assert.True(log.EndOffset(topic[1], level) >= batch.NextOffset);
                while (batch.TryRead(out LogRecord record))
                {
                    Assert.Equal(next++, record.Offset);
                    int writer = record.Key[1] - (byte)'0';
                    Assert.Equal(++lastOf[writer], record.TimestampMs);
                }
                Assert.Equal(next, batch.NextOffset);
            }
        }
        Assert.Equal([CommitsPerWriter - 1, CommitsPerWriter - 1], lastOf);
    }

    // Goes back to where segments are sealed, rewritten and let go of.
    private static void Reread(EmbeddedLog log, Topic topic)
    {
        var random = new Random(1);
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        long end;
        while ((end = log.EndOffset(topic[1], ReadLevel.Committed)) < Writers * CommitsPerWriter)
        {
            long offset = random.NextInt64(end + 1);
            if (!reader.Read(topic[1], offset, batch))
                continue;
            while (batch.TryRead(out LogRecord record))
                Assert.Equal(offset++, record.Offset);
        }
    }
}
