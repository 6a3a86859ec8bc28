using System.Runtime.CompilerServices;
using Streams.Buffers;
using Streams.Records.Schemas;

namespace Streams.Records.Json;

internal sealed class JsonSerde<T>(RecordLimits limits) : Serde<T>
    where T : IDescribed<T>, new()
{
    public override string Name { get; } = $"json:{T.RecordType.Name}";

    public override RecordSchema Schema { get; } = RecordSchema.Of<T>();

    /// <inheritdoc/>
    /// <exception cref="SerializationException">A measurement is not a number.</exception>
    public override void Serialize(in T value, PooledBuffer destination)
    {
        int before = destination.Length;
        var writer = new JsonWriter(destination);
        // The writer only reads, but shares its visiting interface with the reader.
        Unsafe.AsRef(in value).Describe(ref writer);
        if (!writer.Finish())
        {
            destination.Truncate(before);
            throw new SerializationException(
                Name, "a measurement that is not a finite number, which JSON cannot say", 0);
        }
    }

    public override void Deserialize(ReadOnlySpan<byte> source, ref T value)
    {
        if (source.Length > limits.RecordBytesMax)
            throw new SerializationException(
                Name, $"{source.Length} bytes, over the limit", limits.RecordBytesMax);
        value ??= new T();
        var reader = new JsonReader(source, Name, limits);
        do
            value.Describe(ref reader);
        while (reader.NeedsAnotherPass());
    }
}
