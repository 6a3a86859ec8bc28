using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Tests.Engine.Log;
using Xunit;

namespace Streams.Tests.Engine.Connect;

public sealed class SinkRejectionsTests : IDisposable
{
    private readonly EmbeddedLog _log = new SmallLog(1).Open();
    private readonly Topic _topic;

    public SinkRejectionsTests() => _topic = _log.EnsureTopic(new TopicSpec { Name = "t", Partitions = 2 });

    [Fact]
    public void A_letter_whose_target_had_not_committed_is_not_kept_twice()
    {
        // The process ends between the letter's commit and the target's: the sink meets the record again.
        Reject(partition: 0, offset: 5);
        Reject(partition: 0, offset: 5);
        Reject(partition: 0, offset: 6);
        Reject(partition: 1, offset: 5);
        Topic letters = _log.FindTopic("t.dead-letter")!;
        Assert.Equal(3, _log.EndOffset(letters[0], ReadLevel.Committed));
    }

    [Fact]
    public void What_was_not_committed_is_refused_again()
    {
        Reject(partition: 0, offset: 5, commit: false);
        Reject(partition: 0, offset: 5);
        Topic letters = _log.FindTopic("t.dead-letter")!;
        Assert.Equal(1, _log.EndOffset(letters[0], ReadLevel.Committed));
    }

    [Fact]
    public void A_dead_letter_that_cannot_be_read_stays_on_its_own_topic()
    {
        Topic letters = _log.EnsureTopic(new TopicSpec { Name = "t.dead-letter", Retention = null });
        Reject(partition: 0, offset: 5, topic: letters);
        Assert.Equal(["t", "t.dead-letter"], _log.Topics.Select(t => t.Name));
        Assert.Equal(1, _log.EndOffset(letters[0], ReadLevel.Committed));
    }

    public void Dispose() => _log.Dispose();

    private void Reject(int partition, long offset, bool commit = true, Topic? topic = null)
    {
        using var rejections = new SinkRejections("sink", _log, new SinkOptions(), NullLogger.Instance);
        var record = new LogRecord { TimestampMs = 0, Offset = offset, HasValue = true, Value = "x"u8 };
        rejections.Add(topic ?? _topic, partition, record, new FormatException("no"));
        Assert.Equal(1, rejections.Count);
        if (commit)
            rejections.Commit(new LogRoom(), CancellationToken.None);
    }
}
