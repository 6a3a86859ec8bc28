using Streams.Records.Json;
using Streams.Records.Protobuf;
using Streams.Records.Schemas;

namespace Streams.Records;

/// <summary>
/// The serdes of described records. Stateless, shared between threads, allocation-free once warm.
/// </summary>
/// <remarks>Decoding refills the instance it is given;
/// what the instance held before does not show through.</remarks>
public static class RecordSerde
{
    /// <summary>
    /// Protocol Buffers, compatible with code that protoc generates from the record's .proto file.
    /// </summary>
    /// <param name="limits">What decoding accepts; <see cref="RecordLimits.Default"/> when null.</param>
    /// <exception cref="ArgumentException">The description breaks a rule;
    /// the message names record and field.</exception>
    public static Serde<T> Protobuf<T>(RecordLimits? limits = null)
        where T : IDescribed<T>, new()
    {
        Check<T>();
        return new ProtobufSerde<T>(limits ?? RecordLimits.Default);
    }

    /// <summary>JSON objects with the names of the description; absent fields are left out.</summary>
    /// <param name="limits">What decoding accepts; <see cref="RecordLimits.Default"/> when null.</param>
    /// <exception cref="ArgumentException">The description breaks a rule;
    /// the message names record and field.</exception>
    public static Serde<T> Json<T>(RecordLimits? limits = null)
        where T : IDescribed<T>, new()
    {
        Check<T>();
        return new JsonSerde<T>(limits ?? RecordLimits.Default);
    }

    /// <summary>Finds a description's faults before there is data.</summary>
    private static void Check<T>()
        where T : IDescribed<T>, new()
    {
        // The codecs load and store whole words of encoded bytes, whose order both formats fix.
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("Records need a little-endian machine.");
        RecordSchema.Of<T>();
    }
}

/// <summary>What decoding a record accepts. Beyond a limit the bytes are refused as malformed.</summary>
public sealed record RecordLimits
{
    /// <summary>The limits used where none are given.</summary>
    public static RecordLimits Default { get; } = new();

    /// <summary>Longest encoded record. Default 16 MiB.</summary>
    public int RecordBytesMax { get; init; } = 16 << 20;

    /// <summary>Most items in all the lists of a record together. An inner record takes two bytes on the wire
    /// and hundreds in memory: this bounds the ratio. Default 65,536.</summary>
    public int ItemsMax { get; init; } = 1 << 16;

    /// <summary>
    /// Deepest nesting inside unknown fields; described records nest as deep as their types. Default 64.
    /// </summary>
    public int DepthMax { get; init; } = 64;
}
