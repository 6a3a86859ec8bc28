using Streams.Log;
using Streams.Records;

namespace Streams.Processing;

/// <summary>Says at what event time a record counts.</summary>
/// <param name="record">The record, with the time that the log has for it.</param>
/// <param name="partitionTimeMs">The highest time extracted from its partition so far; -1 before the
/// first.</param>
/// <returns>Unix milliseconds UTC; negative to leave the record out.</returns>
public delegate long TimestampExtractor<TKey, TValue>(in Record<TKey, TValue> record, long partitionTimeMs);

/// <summary>A node that reads a topic.</summary>
internal abstract class SourceNode(int id, string name, string topic, bool isInternal)
    : GraphNode(id, name, NodeKind.Source)
{
    internal override string TopicName => topic;

    /// <summary>Whether the topic belongs to the application and carries its name in front.</summary>
    internal bool IsInternal { get; } = isInternal;

    /// <summary>Whether event times are computed from the records before.</summary>
    internal abstract bool HasExtractor { get; }

    /// <summary>Makes the input of one task.</summary>
    internal abstract TaskInput CreateInput(
        TaskBuilder builder, TopicPartition partition, RecordGuard guard, InputTerritory? territory);
}

/// <inheritdoc/>
internal sealed class SourceNode<TKey, TValue>(
    int id, string name, string topic, bool isInternal, Serde<TKey> keySerde, Serde<TValue> valueSerde,
    TimestampExtractor<TKey, TValue>? extractor) : SourceNode(id, name, topic, isInternal)
{
    internal GraphOutput<TKey, TValue> Output { get; } = new();

    internal override IEnumerable<GraphNode> Children => Output.Nodes;

    internal override bool HasExtractor => extractor is not null;

    internal override TaskInput CreateInput(
        TaskBuilder builder, TopicPartition partition, RecordGuard guard, InputTerritory? territory) =>
        new TaskInput<TKey, TValue>(
            this, partition, builder.Scope, guard, keySerde, valueSerde, extractor, Output.Resolve(builder))
        {
            Territory = territory,
        };
}
