using System.Buffers.Binary;
using System.Text;
using Streams.Buffers;
using Streams.Processing;
using Streams.Records;

namespace Streams.Dsl;

/// <summary>A record that waits for a call, as a store has it: a view.</summary>
/// <remarks>Layout, little-endian: timestamp 8, offset 8, partition 4, flags 4, lengths of topic, headers and
/// key 4 each; then those three, then the value.</remarks>
internal readonly ref struct HeldRecord
{
    private const int HeadBytes = 36;
    private const int HasKeyFlag = 1;
    private const int HasValueFlag = 2;
    private const int TerritoryShift = 2;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _topicBytes;
    private readonly int _headerBytes;
    private readonly int _keyBytes;

    internal HeldRecord(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
        _topicBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]);
        _headerBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[28..]);
        _keyBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]);
    }

    internal long TimestampMs => BinaryPrimitives.ReadInt64LittleEndian(_bytes);

    /// <summary>The offset of the record that the task read.</summary>
    internal long Offset => BinaryPrimitives.ReadInt64LittleEndian(_bytes[8..]);

    internal int Partition => BinaryPrimitives.ReadInt32LittleEndian(_bytes[16..]);

    internal bool HasKey => (Flags & HasKeyFlag) != 0;

    internal bool HasValue => (Flags & HasValueFlag) != 0;

    /// <summary>What a backfill says of the record that the task read.</summary>
    internal Territory Territory => (Territory)(Flags >> TerritoryShift);

    /// <summary>The topic that the task read it from.</summary>
    internal string Topic => Encoding.UTF8.GetString(TopicBytes);

    internal ReadOnlySpan<byte> TopicBytes => _bytes.Slice(HeadBytes, _topicBytes);

    /// <summary>Where the headers lie.</summary>
    internal Range HeaderRange => (HeadBytes + _topicBytes)..KeyStart;

    internal ReadOnlySpan<byte> Key => _bytes.Slice(KeyStart, _keyBytes);

    internal ReadOnlySpan<byte> Value => _bytes[(KeyStart + _keyBytes)..];

    private int Flags => BinaryPrimitives.ReadInt32LittleEndian(_bytes[20..]);

    private int KeyStart => HeadBytes + _topicBytes + _headerBytes;

    /// <summary>Writes a record.</summary>
    /// <returns>Where its key lies.</returns>
    internal static Range Write<TKey, TValue>(
        PooledBuffer to, in Record<TKey, TValue> record, Serde<TKey> keySerde, Serde<TValue> valueSerde,
        ReadOnlySpan<byte> topic, int partition, long offset, Territory territory)
    {
        to.Clear();
        to.WriteInt64(record.TimestampMs);
        to.WriteInt64(offset);
        to.WriteInt32(partition);
        to.WriteInt32((record.HasKey ? HasKeyFlag : 0) | (record.HasValue ? HasValueFlag : 0)
            | ((int)territory << TerritoryShift));
        to.WriteInt32(topic.Length);
        to.WriteInt32(record.Headers.Encoded.Length);
        int keyLengthAt = to.Length;
        to.WriteInt32(0);
        to.Write(topic);
        to.Write(record.Headers.Encoded);
        int keyStart = to.Length;
        if (record.HasKey)
            keySerde.Serialize(record.Key, to);
        int keyEnd = to.Length;
        if (record.HasValue)
            valueSerde.Serialize(record.Value, to);
        BinaryPrimitives.WriteInt32LittleEndian(to.WrittenMutable[keyLengthAt..], keyEnd - keyStart);
        return keyStart..keyEnd;
    }
}
