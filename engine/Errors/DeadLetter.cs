using Streams.Records;

namespace Streams.Errors;

/// <summary>Something that could not be read, processed or written, whole, with the reason and the
/// place.</summary>
/// <remarks>Enough to repair it by hand and to replay it byte for byte.</remarks>
public sealed class DeadLetter : IDescribed<DeadLetter>
{
    /// <summary>What failed: <c>read</c> (a source), <c>decode</c>, <c>process</c> or <c>write</c> (a
    /// sink).</summary>
    public Text Stage;

    /// <summary>The source's name, or the topic that the record was read from.</summary>
    public Text Source;

    /// <summary>The partition of the topic; absent for a source.</summary>
    public int? Partition;

    /// <summary>The offset in the partition; absent for a source.</summary>
    public long? Offset;

    /// <summary>Where in the source, such as a file and a position; absent for a topic.</summary>
    public Text? Location;

    /// <summary>The record's time, or the time of the last good record before it.</summary>
    public long TimestampMs;

    /// <summary>A stable code of the reason, to count by: a defect's name or an exception's type.</summary>
    public Text Reason;

    /// <summary>The reason in words.</summary>
    public Text Detail;

    /// <summary>The operator or the reader that refused it.</summary>
    public Text? Operator;

    /// <summary>The record's key; absent where there was none.</summary>
    public Bytes? Key;

    /// <summary>The record's value, or the bytes that could not be read.</summary>
    public Bytes? Value;

    /// <summary>The record's headers, encoded; absent where there were none.</summary>
    public Bytes? Headers;

    /// <summary>Length of what was refused, where <see cref="Value"/> holds only its beginning.</summary>
    public long? WholeBytes;

    /// <summary>Owns the texts and bytes.</summary>
    public RecordMemory Memory;

    /// <summary>Whether a topic is one of dead letters.</summary>
    public static bool IsTopic(string topic) =>
        topic.EndsWith(DeadLetterTopics.Suffix, StringComparison.Ordinal);

    /// <summary>The topic that keeps the dead letters of a topic.</summary>
    public static string TopicOf(string topic) => topic + DeadLetterTopics.Suffix;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } = new(
        "dead_letter", 1, "Something that could not be read, processed or written, whole, with the reason.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        visitor.Memory(ref Memory);
        visitor.Field(1, "stage"u8, ref Stage, Unit.None, "What failed: read, decode, process or write.");
        visitor.Field(
            2, "source"u8, ref Source, Unit.None, "The source's name, or the topic it was read from.");
        visitor.Field(
            3, "partition"u8, ref Partition, Unit.None, "Partition of the topic; absent for a source.");
        visitor.Field(4, "offset"u8, ref Offset, Unit.None, "Offset in the partition; absent for a source.");
        visitor.Field(
            5, "location"u8, ref Location, Unit.None, "Where in the source, such as file and position.");
        visitor.Field(6, "timestamp_ms"u8, ref TimestampMs, Unit.Milliseconds, "The record's time.");
        visitor.Field(
            7, "reason"u8, ref Reason, Unit.None, "A stable code: a defect's name or an exception's type.");
        visitor.Field(8, "detail"u8, ref Detail, Unit.None, "The reason in words.");
        visitor.Field(9, "operator"u8, ref Operator, Unit.None, "The operator or reader that refused it.");
        visitor.Field(10, "key"u8, ref Key, Unit.None, "The record's key; absent where there was none.");
        visitor.Field(
            11, "value"u8, ref Value, Unit.None, "The record's value, or the bytes that were refused.");
        visitor.Field(
            12, "headers"u8, ref Headers, Unit.None, "The record's headers, as the log encodes them.");
        visitor.Field(
            13, "whole_bytes"u8, ref WholeBytes, Unit.Bytes, "Whole length where value is only a beginning.");
    }

    /// <summary>Empties it for the next use.</summary>
    public void Clear()
    {
        Memory.Clear();
        Stage = Source = Reason = Detail = default;
        Partition = null;
        Offset = WholeBytes = null;
        Location = Operator = null;
        Key = Value = Headers = null;
        TimestampMs = 0;
    }
}
