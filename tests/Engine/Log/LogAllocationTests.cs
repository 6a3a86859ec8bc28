using Streams.Log;
using Streams.Log.Embedded;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Log;

public sealed class LogAllocationTests : IDisposable
{
    // Enough to grow every table to its size before counting.
    private const int WarmupRuns = 5000;

    private static readonly byte[] Value = new byte[180];

    private readonly TemporaryFolder _folder = new();
    private readonly EmbeddedLog _log;
    private readonly Topic _topic;

    public LogAllocationTests()
    {
        _log = EmbeddedLog.Open(new EmbeddedLogOptions
        {
            Directory = _folder.File("log"),
            DiskFreeBytesMin = 0,
            Manual = true,
        });
        _topic = _log.EnsureTopic(new TopicSpec { Name = "t", Partitions = 4 });
    }

    public void Dispose()
    {
        _log.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Appending_and_committing_allocates_nothing()
    {
        using ILogWriter writer = _log.OpenWriter("w");
        int run = 0;
        Allocation.AssertNone(() => Commit(writer, run++), WarmupRuns);
    }

    [Fact]
    public void Flushing_and_waiting_allocates_nothing()
    {
        using ILogWriter writer = _log.OpenWriter("w");
        int run = 0;
        Allocation.AssertNone(() =>
        {
            Commit(writer, run++);
            _log.WaitDurable(_log.DurableCommit + 1, CancellationToken.None);
            _log.WaitForCommit(0, TimeSpan.Zero, CancellationToken.None);
        }, WarmupRuns);
    }

    [Theory]
    [InlineData(ReadLevel.Committed)]
    [InlineData(ReadLevel.Durable)]
    public void Reading_allocates_nothing(ReadLevel level)
    {
        using ILogWriter writer = _log.OpenWriter("w");
        for (int i = 0; i < 100; i++)
            Commit(writer, i);
        _log.Flush();
        using ILogReader reader = _log.OpenReader(level);
        using LogBatch batch = reader.CreateBatch();
        Allocation.AssertNone(() =>
        {
            for (int partition = 0; partition < 4; partition++)
            {
                int records = 0;
                long offset = 0;
                for (; reader.Read(_topic[partition], offset, batch); offset = batch.NextOffset)
                {
                    while (batch.TryRead(out LogRecord record))
                        records += record.Value.Length == Value.Length ? 1 : 0;
                }
                Assert.True(records == 500);
            }
        });
    }

    [Fact]
    public void Asking_for_positions_allocates_nothing()
    {
        using ILogWriter writer = _log.OpenWriter("w");
        Commit(writer, 1);
        Allocation.AssertNone(() =>
        {
            _ = _log.EndOffset(_topic[1], ReadLevel.Durable) + _log.StartOffset(_topic[2]);
            _ = _log.DurableCommit;
            _ = _log.CommittedOffset("group", _topic[0]);
            _ = _log.FindTopic("t");
        });
    }

    private void Commit(ILogWriter writer, int run)
    {
        Span<byte> key = stackalloc byte[16];
        for (int i = 0; i < 20; i++)
        {
            key.Fill((byte)i);
            writer.Append(_topic[i % 4], new LogRecord
            {
                TimestampMs = 1_700_000_000_000 + run,
                HasKey = true,
                Key = key,
                HasValue = true,
                Value = Value,
            });
        }
        writer.CommitOffset("group", _topic[0], run);
        writer.CommitCursor("source", "key", key);
        writer.Commit();
    }
}
