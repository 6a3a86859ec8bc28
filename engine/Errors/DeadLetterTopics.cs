using Streams.Log;

namespace Streams.Errors;

/// <summary>The topics that dead letters are kept on.</summary>
internal static class DeadLetterTopics
{
    /// <summary>Put behind a topic's name.</summary>
    internal const string Suffix = ".dead-letter";

    private const int RecordBytesMin = 8 << 20;

    /// <summary>Creates the topic of the dead letters of a topic where it is missing; that of a dead letter
    /// which cannot be read is its own.</summary>
    internal static Topic Ensure(ITopics log, Topic topic) => DeadLetter.IsTopic(topic.Name)
        ? topic
        : log.EnsureTopic(new TopicSpec
        {
            Name = topic.Name + Suffix,
            RecordBytesMax = Math.Max(topic.Spec.RecordBytesMax, RecordBytesMin),
            Retention = null,
            Schema = DeadLetter.RecordType.Name,
        });
}
