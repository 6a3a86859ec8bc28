using Streams.Buffers;
using Streams.Records.Schemas;

namespace Streams.Records;

/// <summary>Turns values of one type into bytes and back: a serializer and a deserializer under one
/// name.</summary>
/// <typeparam name="T">The value's type. Absence (a null key, a tombstone) is the log's matter, not the
/// serde's.</typeparam>
/// <remarks>
/// A serde is stateless and shared between threads. On the record path it allocates nothing:
/// <see cref="Deserialize(ReadOnlySpan{byte}, ref T)"/> refills the instance that it is given.
/// </remarks>
public abstract class Serde<T>
{
    /// <summary>What a topic's description and a store's recorded shape call this encoding, such as
    /// <c>int64</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What the bytes hold field by field, where they are a described record; else null.</summary>
    public virtual RecordSchema? Schema => null;

    /// <summary>Appends the bytes of <paramref name="value"/> to <paramref name="destination"/>.</summary>
    public abstract void Serialize(in T value, PooledBuffer destination);

    /// <summary>Reads a value from all of <paramref name="source"/>.</summary>
    /// <param name="source">Exactly the bytes of one value; views of it must not be kept.</param>
    /// <param name="value">The instance to refill where the type allows it; else assigned anew. Contents that
    /// were there before must not show through.</param>
    /// <exception cref="SerializationException">The bytes are not a value of this type.</exception>
    public abstract void Deserialize(ReadOnlySpan<byte> source, ref T value);

    /// <summary>Reads a value that nobody else will refill.</summary>
    /// <exception cref="SerializationException">The bytes are not a value of this type.</exception>
    public T Deserialize(ReadOnlySpan<byte> source)
    {
        T value = default!;
        Deserialize(source, ref value);
        return value;
    }
}

/// <summary>Bytes that are not a value of the type they were read as.</summary>
public sealed class SerializationException : Exception
{
    /// <summary>Says which serde found what, and where.</summary>
    /// <param name="serde">The serde's name.</param>
    /// <param name="reason">What is wrong, without a full stop.</param>
    /// <param name="offset">Bytes from the start of the value.</param>
    public SerializationException(string serde, string reason, long offset)
        : base($"{serde}: {reason} at byte {offset}.") => Offset = offset;

    /// <summary>Bytes from the start of the value to the defect.</summary>
    public long Offset { get; }
}
