using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Streams.Buffers;
using Streams.Records;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>Bytes of an address in the peer's record.</summary>
[InlineArray(38)]
internal struct PeerAddress
{
    private byte _first;
}

/// <summary>Bytes of a label.</summary>
[InlineArray(32)]
internal struct PeerLabel
{
    private byte _first;
}

/// <summary>The record that every peer benchmark moves, in 114 to 146 bytes of binary.</summary>
internal struct PeerTransaction
{
    internal Bytes32 TxId;
    internal PeerAddress Address;
    internal long TimeMs;
    internal long Value;
    internal long Fee;
    internal double FeeRate;
    internal int Size;
    internal int Inputs;
    internal int Outputs;
    internal bool Large;
    internal byte LabelBytes;
    internal PeerLabel Label;

    /// <summary>The n-th record, as the peer's generator makes it: 10,000 a second of event time.</summary>
    internal static PeerTransaction Generate(long index, int keys, Random random)
    {
        var tx = default(PeerTransaction);
        Span<byte> id = stackalloc byte[32];
        random.NextBytes(id);
        tx.TxId = new Bytes32(id);
        AddressOf(random.Next(keys), tx.Address);
        tx.TimeMs = 1_700_000_000_000L + index / 10;
        tx.Value = random.Next(1_000_000_000);
        tx.Fee = random.Next(100_000);
        tx.Size = 150 + random.Next(800);
        tx.Inputs = 1 + random.Next(5);
        tx.Outputs = 1 + random.Next(5);
        return tx;
    }

    /// <summary>The address of a key: <c>bc1q</c> and 34 digits.</summary>
    internal static void AddressOf(int key, Span<byte> destination)
    {
        destination.Fill((byte)'0');
        "bc1q"u8.CopyTo(destination);
        for (int i = destination.Length - 1; key > 0; i--, key /= 10)
            destination[i] = (byte)('0' + key % 10);
    }
}

/// <summary>The peer's binary form: big-endian, as Java's ByteBuffer writes it.</summary>
internal sealed class PeerBinarySerde : Serde<PeerTransaction>
{
    private const int FixedBytes = 32 + 38 + 8 * 4 + 4 * 3 + 2;

    public override string Name => "peer-binary";

    public override void Serialize(in PeerTransaction value, PooledBuffer destination)
    {
        Span<byte> to = destination.Append(FixedBytes + value.LabelBytes);
        value.TxId.Span.CopyTo(to);
        ((ReadOnlySpan<byte>)value.Address).CopyTo(to[32..]);
        BinaryPrimitives.WriteInt64BigEndian(to[70..], value.TimeMs);
        BinaryPrimitives.WriteInt64BigEndian(to[78..], value.Value);
        BinaryPrimitives.WriteInt64BigEndian(to[86..], value.Fee);
        BinaryPrimitives.WriteDoubleBigEndian(to[94..], value.FeeRate);
        BinaryPrimitives.WriteInt32BigEndian(to[102..], value.Size);
        BinaryPrimitives.WriteInt32BigEndian(to[106..], value.Inputs);
        BinaryPrimitives.WriteInt32BigEndian(to[110..], value.Outputs);
        to[114] = value.Large ? (byte)1 : (byte)0;
        to[115] = value.LabelBytes;
        ((ReadOnlySpan<byte>)value.Label)[..value.LabelBytes].CopyTo(to[116..]);
    }

    public override void Deserialize(ReadOnlySpan<byte> source, ref PeerTransaction value)
    {
        if (source.Length < FixedBytes || source.Length != FixedBytes + source[115] || source[115] > 32)
            throw new SerializationException(Name, $"{source.Length} bytes", 0);
        value.TxId = new Bytes32(source[..32]);
        source.Slice(32, 38).CopyTo(value.Address);
        value.TimeMs = BinaryPrimitives.ReadInt64BigEndian(source[70..]);
        value.Value = BinaryPrimitives.ReadInt64BigEndian(source[78..]);
        value.Fee = BinaryPrimitives.ReadInt64BigEndian(source[86..]);
        value.FeeRate = BinaryPrimitives.ReadDoubleBigEndian(source[94..]);
        value.Size = BinaryPrimitives.ReadInt32BigEndian(source[102..]);
        value.Inputs = BinaryPrimitives.ReadInt32BigEndian(source[106..]);
        value.Outputs = BinaryPrimitives.ReadInt32BigEndian(source[110..]);
        value.Large = source[114] == 1;
        value.LabelBytes = source[115];
        source[116..].CopyTo(value.Label);
    }
}

/// <summary>The address as key.</summary>
internal sealed class PeerAddressSerde : Serde<PeerAddress>
{
    public override string Name => "peer-address";

    public override void Serialize(in PeerAddress value, PooledBuffer destination) =>
        destination.Write(value);

    public override void Deserialize(ReadOnlySpan<byte> source, ref PeerAddress value) =>
        source.CopyTo(value);
}

/// <summary>A label as the peer's topic has it: up to 32 bytes of text.</summary>
internal struct PeerLabelText
{
    internal byte Bytes;
    internal PeerLabel Text;
}

/// <inheritdoc/>
internal sealed class PeerLabelSerde : Serde<PeerLabelText>
{
    public override string Name => "peer-label";

    public override void Serialize(in PeerLabelText value, PooledBuffer destination) =>
        destination.Write(((ReadOnlySpan<byte>)value.Text)[..value.Bytes]);

    public override void Deserialize(ReadOnlySpan<byte> source, ref PeerLabelText value)
    {
        value.Bytes = (byte)source.Length;
        source.CopyTo(value.Text);
    }
}

/// <summary>Count and sum of a window, 16 bytes big-endian.</summary>
internal struct PeerSum
{
    internal long Count;
    internal long Sum;
}

/// <inheritdoc/>
internal sealed class PeerSumSerde : Serde<PeerSum>
{
    public override string Name => "peer-sum";

    public override void Serialize(in PeerSum value, PooledBuffer destination)
    {
        Span<byte> to = destination.Append(16);
        BinaryPrimitives.WriteInt64BigEndian(to, value.Count);
        BinaryPrimitives.WriteInt64BigEndian(to[8..], value.Sum);
    }

    public override void Deserialize(ReadOnlySpan<byte> source, ref PeerSum value)
    {
        value.Count = BinaryPrimitives.ReadInt64BigEndian(source);
        value.Sum = BinaryPrimitives.ReadInt64BigEndian(source[8..]);
    }
}
