using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Records;

namespace Streams.Dsl;

/// <summary>What a row asks of the table that its foreign key belongs to.</summary>
internal enum ForeignInstruction : byte
{
    /// <summary>End the subscription, silently.</summary>
    Unsubscribe = 0,

    /// <summary>End the subscription and say that there is nothing.</summary>
    UnsubscribeAndAnswer = 1,

    /// <summary>Subscribe, and answer in any case.</summary>
    SubscribeAndAnswer = 2,

    /// <summary>Subscribe, and answer where there is a row.</summary>
    SubscribeAndAnswerIfFound = 3,
}

/// <summary>A row's request, under its foreign key.</summary>
internal sealed class ForeignSubscription
{
    internal ForeignInstruction Instruction { get; set; }

    /// <summary>The row's value, so that an answer which comes too late is known: see
    /// <see cref="ValueHash"/>.</summary>
    internal ulong Hash { get; set; }

    /// <summary>The row's key.</summary>
    internal PooledBuffer Key { get; } = new();
}

/// <summary>The answer to a row, under its key.</summary>
internal sealed class ForeignAnswer
{
    /// <summary>The hash of the request that it answers.</summary>
    internal ulong Hash { get; set; }

    internal bool HasValue { get; set; }

    /// <summary>The other table's value.</summary>
    internal PooledBuffer Value { get; } = new();
}

/// <summary>A hash of a value's bytes that is the same in every process: FNV-1a, 64 bits; 0 for no
/// value.</summary>
/// <remarks>It tells whether a row is still what it was when it asked. An equal hash of another value would
/// let an outdated answer through, one time in 2^64.</remarks>
internal static class ValueHash
{
    private const ulong Offset = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    internal static ulong Of(ReadOnlySpan<byte> bytes)
    {
        ulong hash = Offset;
        foreach (byte b in bytes)
            hash = (hash ^ b) * Prime;
        return hash == 0 ? 1 : hash;
    }
}

internal sealed class ForeignSubscriptionSerde : Serde<ForeignSubscription>
{
    private const int HeadBytes = 9;

    public override string Name => "foreign-subscription";

    public override void Serialize(in ForeignSubscription value, PooledBuffer destination)
    {
        destination.WriteByte((byte)value.Instruction);
        BinaryPrimitives.WriteUInt64LittleEndian(destination.Append(8), value.Hash);
        destination.Write(value.Key.WrittenSpan);
    }

    public override void Deserialize(ReadOnlySpan<byte> source, ref ForeignSubscription value)
    {
        if (source.Length < HeadBytes || source[0] > (byte)ForeignInstruction.SubscribeAndAnswerIfFound)
            throw new SerializationException(Name, "bytes that are no subscription", 0);
        value ??= new ForeignSubscription();
        value.Instruction = (ForeignInstruction)source[0];
        value.Hash = BinaryPrimitives.ReadUInt64LittleEndian(source[1..]);
        value.Key.Clear();
        value.Key.Write(source[HeadBytes..]);
    }
}

internal sealed class ForeignAnswerSerde : Serde<ForeignAnswer>
{
    private const int HeadBytes = 9;

    public override string Name => "foreign-answer";

    public override void Serialize(in ForeignAnswer value, PooledBuffer destination)
    {
        destination.WriteByte(value.HasValue ? (byte)1 : (byte)0);
        BinaryPrimitives.WriteUInt64LittleEndian(destination.Append(8), value.Hash);
        if (value.HasValue)
            destination.Write(value.Value.WrittenSpan);
    }

    public override void Deserialize(ReadOnlySpan<byte> source, ref ForeignAnswer value)
    {
        if (source.Length < HeadBytes)
            throw new SerializationException(Name, "bytes that are no answer", 0);
        value ??= new ForeignAnswer();
        value.HasValue = source[0] != 0;
        value.Hash = BinaryPrimitives.ReadUInt64LittleEndian(source[1..]);
        value.Value.Clear();
        value.Value.Write(source[HeadBytes..]);
    }
}
