using System.Runtime.CompilerServices;
using Streams.Buffers;
using Streams.Records.Schemas;

namespace Streams.Records.Protobuf;

internal sealed class ProtobufSerde<T>(RecordLimits limits) : Serde<T>
    where T : IDescribed<T>, new()
{
    public override string Name { get; } = $"protobuf:{T.RecordType.Name}";

    public override RecordSchema Schema { get; } = RecordSchema.Of<T>();

    public override void Serialize(in T value, PooledBuffer destination)
    {
        var writer = new ProtobufWriter(destination);
        // The writer only reads, but shares its visiting interface with the reader.
        Unsafe.AsRef(in value).Describe(ref writer);
        writer.Finish();
    }

    public override void Deserialize(ReadOnlySpan<byte> source, ref T value)
    {
        if (source.Length > limits.RecordBytesMax)
            throw new SerializationException(
                Name, $"{source.Length} bytes, over the limit", limits.RecordBytesMax);
        value ??= new T();
        var reader = new ProtobufReader(source, Name, limits);
        do
            value.Describe(ref reader);
        while (reader.NeedsAnotherPass());
    }
}
