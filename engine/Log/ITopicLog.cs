namespace Streams.Log;

/// <summary>Which records a reader sees.</summary>
public enum ReadLevel
{
    /// <summary>
    /// Everything committed, though a power cut might still take the last of it. Enough inside an
    /// application: what is derived from a record is committed behind it, so the two are lost together or not
    /// at all.
    /// </summary>
    Committed,

    /// <summary>Only what survives a power cut. Needed before an effect leaves the application.</summary>
    Durable,
}

/// <summary>The topics of a log, apart from what is in them.</summary>
public interface ITopics
{
    /// <summary>All topics, by name.</summary>
    IReadOnlyList<Topic> Topics { get; }

    /// <summary>Creates the topic, or finds it and checks that it is as asked.</summary>
    /// <remarks>Retention, record limit and schema of an existing topic become as asked; a schema that is not
    /// named stays.</remarks>
    /// <exception cref="TopicMismatchException">It exists with other partitions or another cleanup
    /// policy.</exception>
    Topic EnsureTopic(TopicSpec spec);

    /// <summary>The topic of that name, or null.</summary>
    Topic? FindTopic(string name);
}

/// <summary>
/// Topics of records, and the one operation everything rests on: a commit that appends to any number of
/// partitions and moves positions, all of it or nothing. Thread-safe; writers and readers belong to one
/// thread each.
/// </summary>
public interface ITopicLog : ITopics, IDisposable
{
    /// <summary>Tells this log from every other: a target that keeps offsets remembers whose they
    /// are.</summary>
    string Id { get; }

    /// <summary>The last commit that survives a power cut; see <see cref="ICommit.Commit"/>.</summary>
    long DurableCommit { get; }

    /// <summary>
    /// Deletes a topic with its records and the offsets of groups in it; a later one of that name is another.
    /// </summary>
    /// <returns>Whether there was one.</returns>
    bool DeleteTopic(string name);

    /// <summary>Whether several processes share the application's work. Changelogs are then kept whole, for
    /// the process that takes a task over without its snapshots.</summary>
    bool SharesWork { get; }

    /// <summary>Why the log cannot be reached at the moment; null while it can.</summary>
    string? Trouble => null;

    /// <summary>Records that this process has committed to a topic since it opened the log.</summary>
    /// <returns>Null where the offsets of the topic say it: in a log that one process has to itself, and that
    /// has nothing but records.</returns>
    long? Written(Topic topic) => null;

    /// <summary>The processes that are at work for a group now, by name and host, where work is
    /// shared.</summary>
    IReadOnlyList<string> MembersOf(string group) => [];

    /// <summary>Takes a share of the application's work: all of it, where the log belongs to one
    /// process.</summary>
    /// <param name="lanes">How many lanes there are: partitions of the widest input.</param>
    /// <param name="slots">Threads to share this process's lanes out to.</param>
    LaneBoard ShareWork(int lanes, int slots);

    /// <summary>Opens a writer. Opening another under the same id shuts the older one out.</summary>
    /// <param name="writerId">Stable over restarts: Kafka's transactional.id.</param>
    /// <param name="exclusive">False where several processes have a writer of this name, each for its own
    /// lanes.</param>
    ILogWriter OpenWriter(string writerId, bool exclusive = true);

    /// <summary>Opens a reader that sees records up to a level.</summary>
    ILogReader OpenReader(ReadLevel level);

    /// <summary>The first offset still kept.</summary>
    long StartOffset(TopicPartition partition);

    /// <summary>One past the last offset at that level.</summary>
    long EndOffset(TopicPartition partition, ReadLevel level);

    /// <summary>The end as this process knows it without asking anybody, for figures: on Kafka up to a second
    /// old.</summary>
    long KnownEndOffset(TopicPartition partition) => EndOffset(partition, ReadLevel.Committed);

    /// <summary>Has an action called each time that ends were asked for anew, with the
    /// <see cref="System.Diagnostics.Stopwatch"/>'s time at which asking began. A log that always knows its
    /// ends never calls it.</summary>
    void WhenEndsAreAsked(Action<long> action)
    {
    }

    /// <summary>One past the last record appended, decided or not: what a reader must have passed to have
    /// seen every commit made before the question.</summary>
    long HighWatermark(TopicPartition partition) => EndOffset(partition, ReadLevel.Committed);

    /// <summary>The first offset whose record has that time or a later one, where the log knows without
    /// reading; its end for none.</summary>
    /// <returns>Null where it has to be read for.</returns>
    long? OffsetAtOrAfter(TopicPartition partition, long timeMs) => null;

    /// <summary>The next offset that the group has to process, or null when it never committed one.</summary>
    long? CommittedOffset(string group, TopicPartition partition);

    /// <summary>The same as this process knows it without asking anybody, for figures: on Kafka up to a
    /// second old.</summary>
    long? KnownCommittedOffset(string group, TopicPartition partition) => CommittedOffset(group, partition);

    /// <summary>Where the group stands, as this process knows it: its position, or the start where it has
    /// none.</summary>
    long KnownPosition(string group, TopicPartition partition) =>
        KnownCommittedOffset(group, partition) ?? StartOffset(partition);

    /// <summary>The cursor last committed for a source under a key, or null.</summary>
    byte[]? Cursor(string source, string key);

    /// <summary>All of a source's committed cursors, by key in ordinal order.</summary>
    IReadOnlyList<KeyValuePair<string, byte[]>> Cursors(string source);

    /// <summary>Blocks until the commit survives a power cut.</summary>
    /// <param name="commit">What <see cref="ICommit.Commit"/> returned.</param>
    /// <param name="cancellation">Ends the wait.</param>
    void WaitDurable(long commit, CancellationToken cancellation);

    /// <summary>Blocks until something was committed after <paramref name="commit"/>, or the time is
    /// over.</summary>
    /// <returns>The last commit.</returns>
    long WaitForCommit(long commit, TimeSpan timeout, CancellationToken cancellation);

    /// <summary>Declares that records before an offset are not needed, such as a changelog's before a
    /// snapshot.</summary>
    void DeleteRecordsBefore(TopicPartition partition, long offset);
}

/// <summary>What is to become visible at once.</summary>
public interface ICommit
{
    /// <summary>Makes all that was added visible at once.</summary>
    /// <returns>The commit's number, for <see cref="ITopicLog.WaitDurable"/>; the last one when nothing was
    /// added.</returns>
    /// <exception cref="LogFullException">The disk is full. Nothing was committed, what was added is still
    /// there, and calling again is the way to retry.</exception>
    /// <exception cref="WriterFencedException">A newer writer has this id.</exception>
    long Commit();
}

/// <summary>Collects one commit at a time: records, positions, cursors. For one thread.</summary>
public interface ILogWriter : ICommit, IDisposable
{
    /// <summary>Bytes collected since the last commit or abort.</summary>
    int PendingBytes { get; }

    /// <summary>Adds a record; nobody sees it before the commit.</summary>
    /// <exception cref="RecordTooLargeException">It is over the topic's limit; nothing was added.</exception>
    /// <exception cref="CommitTooLargeException">The commit would be over the log's limit; nothing was added,
    /// and what was added before can be committed.</exception>
    void Append(TopicPartition partition, in LogRecord record);

    /// <summary>Says that the group has processed everything before <paramref name="nextOffset"/>.</summary>
    void CommitOffset(string group, TopicPartition partition, long nextOffset);

    /// <summary>Says how far a source has read; an empty value removes the key.</summary>
    void CommitCursor(string source, string key, ReadOnlySpan<byte> cursor);

    /// <summary>
    /// Makes what was added so far a commit of its own, which any one thread may make; what is added from now
    /// on belongs to the next. The writer must not be disposed before it is made or given up.
    /// </summary>
    /// <exception cref="InvalidOperationException">The one prepared before has not been made.</exception>
    ICommit Prepare();

    /// <summary>Forgets what was added since the last commit.</summary>
    void Abort();
}

/// <summary>Reads batches. For one thread.</summary>
public interface ILogReader : IDisposable
{
    /// <summary>A batch to read into, again and again.</summary>
    LogBatch CreateBatch();

    /// <summary>Reads records from <paramref name="offset"/> on, without waiting.</summary>
    /// <param name="partition">Where from.</param>
    /// <param name="offset">The first offset wanted; where it was deleted, reading starts at the first
    /// kept.</param>
    /// <param name="batch">Filled when the result is true.</param>
    /// <returns>Whether <see cref="LogBatch.NextOffset"/> is past the offset asked for. Kafka may have passed
    /// over what is not for readers; the batch is then empty.</returns>
    /// <exception cref="LogDamagedException">The bytes on disk are not what was written.</exception>
    bool Read(TopicPartition partition, long offset, LogBatch batch);

    /// <summary>How many records are known to lie from an offset on that <see cref="Read"/> did not find
    /// there just now.</summary>
    /// <remarks>A reader that looks when it is asked knows of none, which is what this says; one that
    /// fetches ahead says 0 once it has come to the partition's end. A task with several partitions waits
    /// while this is not 0.</remarks>
    /// <param name="partition">The partition.</param>
    /// <param name="offset">Where the next read begins.</param>
    /// <returns>Null where nothing is known of the partition as yet.</returns>
    long? Lag(TopicPartition partition, long offset) => 0;

    /// <summary>Lets a moment pass for what is on its way, before a read that must succeed is tried
    /// again.</summary>
    void WaitForMore() => Thread.Sleep(1);

    /// <summary>Gives up what was fetched ahead of a partition that is not going to be read any
    /// more.</summary>
    void Close(TopicPartition partition)
    {
    }
}
