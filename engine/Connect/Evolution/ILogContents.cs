using Streams.Log;
using Streams.Log.Embedded;

namespace Streams.Connect.Evolution;

/// <summary>What a log holds, to look at: of a log that is open, of one that another process runs on, or of
/// none.</summary>
internal interface ILogContents
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

    /// <summary>All of a source's committed cursors, by key in ordinal order.</summary>
    IReadOnlyList<KeyValuePair<string, byte[]>> Cursors(string source);
}

/// <summary>What a log that is open holds.</summary>
internal sealed class OpenLogContents(ITopicLog log) : ILogContents
{
    public IReadOnlyList<Topic> Topics => log.Topics;

    public Topic? FindTopic(string name) => log.FindTopic(name);

    public long StartOffset(TopicPartition partition) => log.StartOffset(partition);

    public long EndOffset(TopicPartition partition) => log.EndOffset(partition, ReadLevel.Committed);

    public long? CommittedOffset(string group, TopicPartition partition) =>
        log.CommittedOffset(group, partition);

    public IReadOnlyList<KeyValuePair<string, byte[]>> Cursors(string source) => log.Cursors(source);
}

/// <summary>What the log of a directory holds, which may be in use.</summary>
internal sealed class ViewedLogContents(EmbeddedLogView log) : ILogContents
{
    public IReadOnlyList<Topic> Topics => log.Topics;

    public Topic? FindTopic(string name) => log.FindTopic(name);

    public long StartOffset(TopicPartition partition) => log.StartOffset(partition);

    public long EndOffset(TopicPartition partition) => log.EndOffset(partition);

    public long? CommittedOffset(string group, TopicPartition partition) =>
        log.CommittedOffset(group, partition);

    public IReadOnlyList<KeyValuePair<string, byte[]>> Cursors(string source) => log.Cursors(source);
}

/// <summary>What a log holds that is yet to be made.</summary>
internal sealed class NoLogContents : ILogContents
{
    public IReadOnlyList<Topic> Topics => [];

    public Topic? FindTopic(string name) => null;

    public long StartOffset(TopicPartition partition) => 0;

    public long EndOffset(TopicPartition partition) => 0;

    public long? CommittedOffset(string group, TopicPartition partition) => null;

    public IReadOnlyList<KeyValuePair<string, byte[]>> Cursors(string source) => [];
}
