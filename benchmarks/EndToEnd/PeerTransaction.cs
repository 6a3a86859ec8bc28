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

/// <summary>The record that every peer benchmark moves: JSON of about 230 bytes with the peer's names in the
/// peer's order, or 114 to 146 bytes of binary.</summary>
internal sealed class PeerTransaction : IDescribed<PeerTransaction>
{
    public RecordMemory Memory;
    public Bytes32 TxId;
    public Text Address;
    public long TimeMs;
    public long Value;
    public long Fee;
    public int Size;
    public int Inputs;
    public int Outputs;
    public double FeeRate;
    public Text? Label;
    public bool Large;

    public static RecordType RecordType { get; } = new("peer_transaction", 1, "What the peer calls Tx.");

    public void Describe<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        visitor.Memory(ref Memory);
        visitor.Field(1, "txid"u8, ref TxId, Unit.None, "A random hash.");
        visitor.Field(2, "address"u8, ref Address, Unit.None, "One of the keys.");
        visitor.Field(3, "time"u8, ref TimeMs, Unit.Milliseconds, "Event time.");
        visitor.Field(4, "value"u8, ref Value, Unit.Satoshi, "What is moved.");
        visitor.Field(5, "fee"u8, ref Fee, Unit.Satoshi, "What it costs.");
        visitor.Field(6, "size"u8, ref Size, Unit.None, "Bytes.");
        visitor.Field(7, "inputs"u8, ref Inputs, Unit.None, "How many.");
        visitor.Field(8, "outputs"u8, ref Outputs, Unit.None, "How many.");
        visitor.Field(9, "feeRate"u8, ref FeeRate, Unit.None, "Fee by size, once it is enriched.");
        visitor.Field(10, "label"u8, ref Label, Unit.None, "Of the address, once it is joined.");
        visitor.Field(11, "large"u8, ref Large, Unit.None, "Whether much is moved.");
    }

    /// <summary>Makes it the n-th record as the peer's generator does: 10,000 a second of event
    /// time.</summary>
    internal void Generate(long index, int keys, Random random)
    {
        Memory.Clear();
        Span<byte> id = stackalloc byte[32];
        random.NextBytes(id);
        TxId = new Bytes32(id);
        var address = default(PeerAddress);
        AddressOf(random.Next(keys), address);
        Address = Memory.Text(address);
        TimeMs = 1_700_000_000_000L + index / 10;
        Value = random.Next(1_000_000_000);
        Fee = random.Next(100_000);
        Size = 150 + random.Next(800);
        Inputs = 1 + random.Next(5);
        Outputs = 1 + random.Next(5);
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
        ReadOnlySpan<byte> label = value.Label.GetValueOrDefault().Span;
        Span<byte> to = destination.Append(FixedBytes + label.Length);
        value.TxId.Span.CopyTo(to);
        value.Address.Span.CopyTo(to[32..70]);
        BinaryPrimitives.WriteInt64BigEndian(to[70..], value.TimeMs);
        BinaryPrimitives.WriteInt64BigEndian(to[78..], value.Value);
        BinaryPrimitives.WriteInt64BigEndian(to[86..], value.Fee);
        BinaryPrimitives.WriteDoubleBigEndian(to[94..], value.FeeRate);
        BinaryPrimitives.WriteInt32BigEndian(to[102..], value.Size);
        BinaryPrimitives.WriteInt32BigEndian(to[106..], value.Inputs);
        BinaryPrimitives.WriteInt32BigEndian(to[110..], value.Outputs);
        to[114] = value.Large ? (byte)1 : (byte)0;
        to[115] = (byte)label.Length;
        label.CopyTo(to[116..]);
    }

    public override void Deserialize(ReadOnlySpan<byte> source, ref PeerTransaction value)
    {
        if (source.Length < FixedBytes || source.Length != FixedBytes + source[115] || source[115] > 32)
            throw new SerializationException(Name, $"{source.Length} bytes", 0);
        value ??= new PeerTransaction();
        value.Memory.Clear();
        value.TxId = new Bytes32(source[..32]);
        value.Address = value.Memory.Text(source.Slice(32, 38));
        value.TimeMs = BinaryPrimitives.ReadInt64BigEndian(source[70..]);
        value.Value = BinaryPrimitives.ReadInt64BigEndian(source[78..]);
        value.Fee = BinaryPrimitives.ReadInt64BigEndian(source[86..]);
        value.FeeRate = BinaryPrimitives.ReadDoubleBigEndian(source[94..]);
        value.Size = BinaryPrimitives.ReadInt32BigEndian(source[102..]);
        value.Inputs = BinaryPrimitives.ReadInt32BigEndian(source[106..]);
        value.Outputs = BinaryPrimitives.ReadInt32BigEndian(source[110..]);
        value.Large = source[114] == 1;
        value.Label = source.Length > FixedBytes ? value.Memory.Text(source[FixedBytes..]) : null;
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
