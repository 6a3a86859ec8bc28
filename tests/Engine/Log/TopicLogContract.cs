using System.Text;
using Streams.Log;
using Xunit;

namespace Streams.Tests.Engine.Log;

/// <summary>
/// What every implementation of <see cref="ITopicLog"/> has to do. A test class per implementation derives
/// from it.
/// </summary>
public abstract class TopicLogContract : IDisposable
{
    private ITopicLog? _log;

    /// <summary>Opens the log under test: the same one each time.</summary>
    protected abstract ITopicLog Open();

    /// <summary>The open log.</summary>
    protected ITopicLog Log => _log ??= Open();

    /// <summary>Closes the log and opens it again.</summary>
    protected void Reopen()
    {
        _log?.Dispose();
        _log = Open();
    }

    public void Dispose()
    {
        _log?.Dispose();
        CleanUp();
        GC.SuppressFinalize(this);
    }

    /// <summary>Removes what the test left.</summary>
    protected virtual void CleanUp()
    {
    }

    [Fact]
    public void Records_come_back_in_order_with_all_their_parts()
    {
        TopicPartition partition = Log.EnsureTopic(new TopicSpec { Name = "t" })[0];
        using ILogWriter writer = Log.OpenWriter("w");
        writer.Append(partition, new LogRecord
        {
            TimestampMs = 1_700_000_000_123,
            HasKey = true,
            Key = "key"u8,
            HasValue = true,
            Value = "value"u8,
            Headers = "\u0001a\u0004bc"u8,
        });
        writer.Append(partition, new LogRecord { TimestampMs = 1_600_000_000_000, HasKey = true });
        writer.Append(partition, new LogRecord { TimestampMs = -5, HasKey = false, HasValue = true });
        writer.Commit();

        using ILogReader reader = Log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        Assert.True(reader.Read(partition, 0, batch));
        Assert.Equal(partition, batch.Partition);
        Assert.True(batch.TryRead(out LogRecord first));
        Assert.Equal(0, first.Offset);
        Assert.Equal(1_700_000_000_123, first.TimestampMs);
        Assert.Equal("key", Encoding.UTF8.GetString(first.Key));
        Assert.Equal("value", Encoding.UTF8.GetString(first.Value));
        Assert.Equal("\u0001a\u0004bc", Encoding.UTF8.GetString(first.Headers));
        Assert.True(batch.TryRead(out LogRecord second));
        Assert.Equal(1, second.Offset);
        Assert.Equal(1_600_000_000_000, second.TimestampMs);
        Assert.True(second.HasKey && second.Key.IsEmpty && !second.HasValue && second.Headers.IsEmpty);
        Assert.True(batch.TryRead(out LogRecord third));
        Assert.Equal(-5, third.TimestampMs);
        Assert.True(!third.HasKey && third.HasValue && third.Value.IsEmpty);
        Assert.False(batch.TryRead(out _));
        Assert.Equal(3, batch.NextOffset);
        Assert.False(reader.Read(partition, batch.NextOffset, batch));
    }

    [Fact]
    public void Nobody_sees_a_record_before_its_commit_and_everybody_all_of_it_afterwards()
    {
        Topic topic = Log.EnsureTopic(new TopicSpec { Name = "t", Partitions = 2 });
        using ILogWriter writer = Log.OpenWriter("w");
        writer.Append(topic[0], "a", "1");
        writer.Append(topic[1], "b", "2");
        writer.CommitOffset("g", topic[0], 7);
        writer.CommitCursor("s", "k", "c"u8);
        Assert.Empty(Log.ReadAll(topic[0]));
        Assert.Equal(0, Log.EndOffset(topic[1], ReadLevel.Committed));
        Assert.Null(Log.CommittedOffset("g", topic[0]));
        Assert.Null(Log.Cursor("s", "k"));

        writer.Commit();
        Assert.Equal(["0:a=1"], Log.ReadAll(topic[0]));
        Assert.Equal(["0:b=2"], Log.ReadAll(topic[1]));
        Assert.Equal(1, Log.EndOffset(topic[1], ReadLevel.Committed));
        Assert.Equal(7, Log.CommittedOffset("g", topic[0]));
        Assert.Equal("c"u8, Log.Cursor("s", "k")!);
    }

    [Fact]
    public void An_abort_leaves_nothing_behind()
    {
        Topic topic = Log.EnsureTopic(new TopicSpec { Name = "t" });
        using ILogWriter writer = Log.OpenWriter("w");
        writer.Append(topic[0], "a", "1");
        writer.CommitOffset("g", topic[0], 7);
        Assert.True(writer.PendingBytes > 0);
        writer.Abort();
        Assert.Equal(0, writer.PendingBytes);
        writer.Commit(topic[0], "b", "2");
        Assert.Equal(["0:b=2"], Log.ReadAll(topic[0]));
        Assert.Null(Log.CommittedOffset("g", topic[0]));
    }

    [Fact]
    public void All_is_there_after_the_log_was_opened_again()
    {
        var spec = new TopicSpec { Name = "t", Partitions = 3, Compacted = true, Schema = "s" };
        Topic topic = Log.EnsureTopic(spec);
        using (ILogWriter writer = Log.OpenWriter("w"))
        {
            for (int i = 0; i < 10; i++)
                writer.Append(topic[i % 3], $"k{i}", $"v{i}");
            writer.CommitOffset("g", topic[2], 42);
            writer.CommitCursor("source", "b", "2"u8);
            writer.CommitCursor("source", "a", "1"u8);
            writer.Commit();
        }
        Reopen();
        topic = Assert.Single(Log.Topics);
        Assert.Equal(spec, topic.Spec);
        Assert.Equal(["0:k0=v0", "1:k3=v3", "2:k6=v6", "3:k9=v9"], Log.ReadAll(topic[0]));
        Assert.Equal(["2:k8=v8"], Log.ReadAll(topic[2], 2));
        Assert.Equal(42, Log.CommittedOffset("g", topic[2]));
        Assert.Equal(["a", "b"], Log.Cursors("source").Select(c => c.Key));
        using ILogWriter again = Log.OpenWriter("w");
        again.Commit(topic[2], "k10", "v10");
        Assert.Equal(["2:k8=v8", "3:k10=v10"], Log.ReadAll(topic[2], 2));
    }

    [Fact]
    public void A_durable_reader_sees_what_was_waited_for()
    {
        Topic topic = Log.EnsureTopic(new TopicSpec { Name = "t" });
        using ILogWriter writer = Log.OpenWriter("w");
        long commit = writer.Commit(topic[0], "a", "1");
        Log.WaitDurable(commit, TestContext.Current.CancellationToken);
        Assert.True(Log.DurableCommit >= commit);
        Assert.Equal(1, Log.EndOffset(topic[0], ReadLevel.Durable));
        Assert.Equal(["0:a=1"], Log.ReadAll(topic[0], 0, ReadLevel.Durable));
    }

    [Fact]
    public void A_read_starts_at_any_offset_inside_a_batch()
    {
        Topic topic = Log.EnsureTopic(new TopicSpec { Name = "t" });
        using ILogWriter writer = Log.OpenWriter("w");
        for (int commit = 0; commit < 3; commit++)
        {
            for (int i = 0; i < 4; i++)
                writer.Append(topic[0], null, $"{commit * 4 + i}");
            writer.Commit();
        }
        for (int from = 0; from <= 12; from++)
        {
            IEnumerable<string> rest = Enumerable.Range(from, 12 - from).Select(i => $"{i}:-={i}");
            Assert.Equal(rest, Log.ReadAll(topic[0], from));
        }
    }

    [Fact]
    public void A_topic_that_exists_is_found_and_one_that_differs_is_refused_with_both_sides()
    {
        Topic topic = Log.EnsureTopic(new TopicSpec { Name = "t", Partitions = 4 });
        Assert.Equal(topic.Id, Log.EnsureTopic(new TopicSpec { Name = "t", Partitions = 4 }).Id);
        Assert.Equal(topic.Id, Log.FindTopic("t")?.Id);
        Assert.Null(Log.FindTopic("other"));
        var partitions = Assert.Throws<TopicMismatchException>(
            () => Log.EnsureTopic(new TopicSpec { Name = "t", Partitions = 5 }));
        Assert.Contains("has 4 partitions and should have 5", partitions.Message, StringComparison.Ordinal);
        Assert.Throws<TopicMismatchException>(
            () => Log.EnsureTopic(new TopicSpec { Name = "t", Partitions = 4, Compacted = true }));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("ü")]
    public void A_name_that_no_topic_can_have_is_refused(string name) =>
        Assert.Throws<ArgumentException>(() => Log.EnsureTopic(new TopicSpec { Name = name }));

    [Fact]
    public void A_record_over_the_limit_is_refused_and_the_rest_of_the_commit_stays()
    {
        Topic topic = Log.EnsureTopic(new TopicSpec { Name = "t", RecordBytesMax = 10 });
        using ILogWriter writer = Log.OpenWriter("w");
        writer.Append(topic[0], "k", "123456789");
        Assert.Throws<RecordTooLargeException>(() => writer.Append(topic[0], "k", "1234567890"));
        writer.Commit();
        Assert.Equal(["0:k=123456789"], Log.ReadAll(topic[0]));
    }

    [Fact]
    public void A_newer_writer_of_the_same_id_shuts_the_older_one_out()
    {
        Topic topic = Log.EnsureTopic(new TopicSpec { Name = "t" });
        using ILogWriter older = Log.OpenWriter("w");
        older.Append(topic[0], "a", "old");
        using ILogWriter newer = Log.OpenWriter("w");
        Assert.Throws<WriterFencedException>(() => older.Commit());
        newer.Commit(topic[0], "a", "new");
        Assert.Equal(["0:a=new"], Log.ReadAll(topic[0]));
    }

    [Fact]
    public async Task What_is_added_after_a_commit_was_prepared_belongs_to_the_next()
    {
        Topic topic = Log.EnsureTopic(new TopicSpec { Name = "t" });
        using ILogWriter writer = Log.OpenWriter("w");
        for (int i = 0; i < 5; i++)
        {
            writer.Append(topic[0], "a", $"{2 * i}");
            writer.CommitOffset("g", topic[0], i);
            ICommit first = writer.Prepare();
            Task<long> committing = Task.Run(first.Commit);
            writer.Append(topic[0], "a", $"{2 * i + 1}");
            await committing;
            Assert.Equal(2 * i + 1, Log.EndOffset(topic[0], ReadLevel.Committed));
            Assert.Equal(i, Log.CommittedOffset("g", topic[0]));
            Assert.True(writer.Commit() > await committing);
        }
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}:a={i}"), Log.ReadAll(topic[0]));
    }

    [Fact]
    public void A_commit_that_was_prepared_and_not_made_holds_up_the_next_and_is_never_seen()
    {
        Topic topic = Log.EnsureTopic(new TopicSpec { Name = "t" });
        using (ILogWriter writer = Log.OpenWriter("w"))
        {
            writer.Append(topic[0], "a", "1");
            writer.Prepare();
            writer.Append(topic[0], "a", "2");
            Assert.Throws<InvalidOperationException>(writer.Prepare);
            Assert.Throws<InvalidOperationException>(() => writer.Commit());
        }
        Assert.Empty(Log.ReadAll(topic[0]));
    }

    [Fact]
    public void Deleting_before_an_offset_moves_the_start_for_good()
    {
        Topic topic = Log.EnsureTopic(new TopicSpec { Name = "t" });
        using (ILogWriter writer = Log.OpenWriter("w"))
        {
            for (int i = 0; i < 5; i++)
                writer.Commit(topic[0], null, $"{i}");
        }
        Log.DeleteRecordsBefore(topic[0], 3);
        Assert.Equal(3, Log.StartOffset(topic[0]));
        Assert.Equal(["3:-=3", "4:-=4"], Log.ReadAll(topic[0]));
        Reopen();
        topic = Log.FindTopic("t")!;
        Assert.Equal(3, Log.StartOffset(topic[0]));
        Assert.Equal(["3:-=3", "4:-=4"], Log.ReadAll(topic[0]));
    }

    [Fact]
    public void An_empty_cursor_removes_the_key()
    {
        using ILogWriter writer = Log.OpenWriter("w");
        writer.CommitCursor("s", "a", "1"u8);
        writer.CommitCursor("s", "b", "2"u8);
        writer.Commit();
        writer.CommitCursor("s", "a", default);
        writer.Commit();
        Assert.Null(Log.Cursor("s", "a"));
        Assert.Equal(["b"], Log.Cursors("s").Select(c => c.Key));
        Assert.Empty(Log.Cursors("other"));
    }

    [Fact]
    public void A_commit_with_nothing_in_it_is_the_last_one()
    {
        Topic topic = Log.EnsureTopic(new TopicSpec { Name = "t" });
        using ILogWriter writer = Log.OpenWriter("w");
        long commit = writer.Commit(topic[0], "a", "1");
        Assert.Equal(commit, writer.Commit());
    }

    [Fact]
    public async Task Waiting_for_a_commit_ends_with_the_commit_with_the_time_or_with_the_cancellation()
    {
        Topic topic = Log.EnsureTopic(new TopicSpec { Name = "t" });
        using ILogWriter writer = Log.OpenWriter("w");
        long commit = writer.Commit(topic[0], "a", "1");
        CancellationToken none = TestContext.Current.CancellationToken;
        Assert.Equal(commit, Log.WaitForCommit(commit, TimeSpan.FromMilliseconds(10), none));
        Task<long> waiting = Task.Run(() => Log.WaitForCommit(commit, TimeSpan.FromMinutes(1), none), none);
        Assert.False(waiting.IsCompleted);
        long next = writer.Commit(topic[0], "b", "2");
        Assert.Equal(next, await waiting);

        using var cancelled = new CancellationTokenSource();
        Task cancelledWait = Task.Run(
            () => Log.WaitForCommit(next, TimeSpan.FromMinutes(1), cancelled.Token), none);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelledWait);
    }
}
