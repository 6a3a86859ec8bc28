using Streams.Log;
using Streams.Log.Embedded;
using Streams.Telemetry;
using Streams.Tests.Engine.Log;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Telemetry;

public sealed class CommitTimesTests : IDisposable
{
    private readonly EmbeddedLog _log = new SmallLog(1).Open(segmentBytes: 1 << 24);
    private readonly ILogWriter _writer;
    private readonly Topic _topic;

    public CommitTimesTests()
    {
        _topic = _log.EnsureTopic(new TopicSpec { Name = "t" });
        _writer = _log.OpenWriter("w");
    }

    [Fact]
    public void A_record_is_found_with_the_commit_that_it_was_in()
    {
        Append(2);
        var times = new CommitTimes(_log);
        times.Watch(_topic);
        Append(3);
        times.Note(_topic[0], 100);
        Append(1);
        times.Note(_topic[0], 200);
        Assert.False(times.TryFind(_topic[0], 1, out _), "It was committed before anybody watched.");
        Assert.Equal([100, 100, 100, 200], Enumerable.Range(2, 4).Select(o => Origin(times, o)));
        Assert.False(times.TryFind(_topic[0], 6, out _), "There is no such record.");
    }

    [Fact]
    public void Noting_without_new_records_changes_nothing()
    {
        var times = new CommitTimes(_log);
        times.Watch(_topic);
        Append(1);
        times.Note(_topic[0], 100);
        times.Note(_topic[0], 300);
        Assert.Equal(100, Origin(times, 0));
    }

    [Fact]
    public void After_many_commits_a_time_is_never_said_too_late()
    {
        var times = new CommitTimes(_log);
        times.Watch(_topic);
        for (int i = 0; i < 5000; i++)
        {
            Append(1);
            times.Note(_topic[0], i);
        }
        for (int offset = 0; offset < 5000; offset++)
            Assert.InRange(Origin(times, offset), 0, offset);
        for (int offset = 4500; offset < 5000; offset++)
            Assert.InRange(Origin(times, offset), offset - 2, offset);
    }

    [Fact]
    public void What_others_wrote_came_after_the_time_at_which_it_was_not_there()
    {
        var times = new CommitTimes(_log);
        times.Watch(_topic);
        times.NoteAll(began: 100);
        Append(2);
        Assert.True(times.IsAhead(_topic[0], 0), "Nobody has noted it yet.");
        Assert.False(times.TryFind(_topic[0], 0, out _));
        times.NoteAll(began: 200);
        Append(1);
        times.NoteAll(began: 300);
        Assert.Equal([100, 100, 200], Enumerable.Range(0, 3).Select(o => Committed(times, o)));
        Assert.False(times.IsAhead(_topic[0], 2));
        Assert.True(times.IsAhead(_topic[0], 3));
    }

    [Fact]
    public void Where_a_writer_says_when_it_wrote_nobody_guesses()
    {
        var times = new CommitTimes(_log);
        times.Watch(_topic);
        Append(1);
        times.Note(_topic[0], 7);
        Append(1);
        times.NoteAll(began: 100);
        Assert.False(times.TryFind(_topic[0], 1, out _), "Its writer is about to say.");
        times.Note(_topic[0], 8);
        Assert.Equal([7, 8], Enumerable.Range(0, 2).Select(o => Origin(times, o)));
    }

    [Fact]
    public void Noting_and_finding_allocates_nothing()
    {
        var times = new CommitTimes(_log);
        times.Watch(_topic);
        int origin = 0;
        Append(5000);
        Allocation.AssertNone(() =>
        {
            times.Note(_topic[0], origin++);
            times.TryFind(_topic[0], 5, out _);
        });
    }

    public void Dispose()
    {
        _writer.Dispose();
        _log.Dispose();
    }

    private static long Committed(CommitTimes times, long offset)
    {
        Assert.True(times.TryFind(new TopicPartition(1, 0), offset, out CommitTime time), $"Offset {offset}");
        return time.Committed;
    }

    private static long Origin(CommitTimes times, long offset)
    {
        Assert.True(times.TryFind(new TopicPartition(1, 0), offset, out CommitTime time), $"Offset {offset}");
        return time.Origin;
    }

    private void Append(int records)
    {
        for (int i = 0; i < records; i++)
            _writer.Append(_topic[0], new LogRecord { TimestampMs = 0, HasValue = true, Value = "v"u8 });
        _writer.Commit();
    }
}
