namespace Streams.Log;

/// <summary>What a log holds, to look at and not to change: of a log that is open, of one that another
/// process
/// runs on, or of none.</summary>
public interface ILogContents
{
    /// <summary>All topics, by name.</summary>
    IReadOnlyList<Topic> Topics { get; }

    /// <summary>The topic of that name, or null.</summary>
    Topic? FindTopic(string name);

    /// <summary>The first offset still kept.</summary>
    long StartOffset(TopicPartition partition);

    /// <summary>One past the last offset committed.</summary>
    long EndOffset(TopicPartition partition);

    /// <summary>The next offset that the group has to process, or null when it never committed one.</summary>
    long? CommittedOffset(string group, TopicPartition partition);

    /// <summary>The first offset whose record has that time or a later one, where the log knows without
    /// reading; its end for none.</summary>
    /// <returns>Null where it has to be read for.</returns>
    long? OffsetAtOrAfter(TopicPartition partition, long timeMs) => null;

    /// <summary>All of a source's committed cursors, by key in ordinal order.</summary>
    IReadOnlyList<KeyValuePair<string, byte[]>> Cursors(string source);

    /// <summary>Opens a reader of what is committed.</summary>
    ILogReader OpenReader();
}

/// <summary>What a log that is open holds.</summary>
/// <param name="log">The log, of whatever kind.</param>
public sealed class OpenLogContents(ITopicLog log) : ILogContents
{
    /// <inheritdoc/>
    public IReadOnlyList<Topic> Topics => log.Topics;

    /// <inheritdoc/>
    public Topic? FindTopic(string name) => log.FindTopic(name);

    /// <inheritdoc/>
    public long StartOffset(TopicPartition partition) => log.StartOffset(partition);

    /// <inheritdoc/>
    public long EndOffset(TopicPartition partition) => log.EndOffset(partition, ReadLevel.Committed);

    /// <inheritdoc/>
    public long? CommittedOffset(string group, TopicPartition partition) =>
        log.CommittedOffset(group, partition);

    /// <inheritdoc/>
    public long? OffsetAtOrAfter(TopicPartition partition, long timeMs) =>
        log.OffsetAtOrAfter(partition, timeMs);

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, byte[]>> Cursors(string source) => log.Cursors(source);

    /// <inheritdoc/>
    public ILogReader OpenReader() => log.OpenReader(ReadLevel.Committed);
}

/// <summary>What a log holds that is yet to be made.</summary>
public sealed class NoLogContents : ILogContents
{
    /// <inheritdoc/>
    public IReadOnlyList<Topic> Topics => [];

    /// <inheritdoc/>
    public Topic? FindTopic(string name) => null;

    /// <inheritdoc/>
    public long StartOffset(TopicPartition partition) => 0;

    /// <inheritdoc/>
    public long EndOffset(TopicPartition partition) => 0;

    /// <inheritdoc/>
    public long? CommittedOffset(string group, TopicPartition partition) => null;

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, byte[]>> Cursors(string source) => [];

    /// <inheritdoc/>
    public ILogReader OpenReader() => throw new InvalidOperationException("There is no log to read.");
}
