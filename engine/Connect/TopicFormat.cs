using Streams.Buffers;
using Streams.Log;
using Streams.Records;
using Streams.Records.Schemas;

namespace Streams.Connect;

/// <summary>Does something with the record type of a topic, once it is known.</summary>
public interface ITopicFormatVisitor<out TResult>
{
    /// <summary>Called with the type of the topic's values.</summary>
    TResult Visit<TValue>(string topic, Serde<TValue> serde)
        where TValue : class, IDescribed<TValue>, new();
}

/// <summary>What the records of a topic are: how to read them, whoever wants to.</summary>
public abstract class TopicFormat
{
    private protected TopicFormat(string topic, RecordSchema schema)
    {
        Topic = topic;
        Schema = schema;
    }

    /// <summary>The topic's name.</summary>
    public string Topic { get; }

    /// <summary>The schema of its values.</summary>
    public RecordSchema Schema { get; }

    /// <summary>The format of a topic whose values are described records.</summary>
    public static TopicFormat Of<TValue>(string topic, Serde<TValue> serde)
        where TValue : class, IDescribed<TValue>, new() => new Described<TValue>(topic, serde);

    /// <summary>Makes a writer of values as JSON. For one thread.</summary>
    public abstract JsonLines CreateJson();

    /// <summary>Calls a visitor with the type of the values.</summary>
    public abstract TResult Accept<TResult>(ITopicFormatVisitor<TResult> visitor);

    private sealed class Described<TValue>(string topic, Serde<TValue> serde)
        : TopicFormat(topic, RecordSchema.Of<TValue>())
        where TValue : class, IDescribed<TValue>, new()
    {
        public override JsonLines CreateJson() => new JsonLines<TValue>(serde);

        public override TResult Accept<TResult>(ITopicFormatVisitor<TResult> visitor) => visitor.Visit(Topic, serde);
    }
}

/// <summary>Writes values of a topic as JSON. For one thread.</summary>
public abstract class JsonLines
{
    /// <summary>Appends a record's value, without a line's end; for a record without one, its key and that it is deleted.</summary>
    /// <exception cref="SerializationException">The bytes are not a value of the topic's type.</exception>
    public abstract void Write(in LogRecord record, PooledBuffer destination);

    private protected static void WriteDeleted(in LogRecord record, PooledBuffer destination)
    {
        destination.Write("{\"deleted\":true,\"key\":\""u8);
        Convert.TryToHexStringLower(record.Key, destination.Append(2 * record.Key.Length), out _);
        destination.Write("\"}"u8);
    }
}

/// <inheritdoc/>
internal sealed class JsonLines<TValue>(Serde<TValue> serde) : JsonLines
    where TValue : class, IDescribed<TValue>, new()
{
    private static readonly Serde<TValue> Json = RecordSerde.Json<TValue>();

    private TValue _value = new();

    public override void Write(in LogRecord record, PooledBuffer destination)
    {
        if (!record.HasValue)
        {
            WriteDeleted(record, destination);
            return;
        }
        serde.Deserialize(record.Value, ref _value);
        Json.Serialize(_value, destination);
    }
}
