using System.Buffers.Text;
using System.Text.Json;
using Streams.Buffers;
using Streams.Records;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>
/// The peer's JSON form: the names and the order of its fields, about 230 bytes. A codec as a user would
/// write it, with the framework's reader.
/// </summary>
internal sealed class PeerJsonSerde : Serde<PeerTransaction>
{
    private const int BytesMax = 512;

    public override string Name => "peer-json";

    public override void Serialize(in PeerTransaction value, PooledBuffer destination)
    {
        Span<byte> to = destination.Append(BytesMax);
        int at = 0;
        Put("{\"txid\":\""u8, to, ref at);
        Convert.TryToHexStringLower(value.TxId.Span, to[at..], out int written);
        at += written;
        Put("\",\"address\":\""u8, to, ref at);
        Put(value.Address, to, ref at);
        PutNumber("\",\"time\":"u8, value.TimeMs, to, ref at);
        PutNumber(",\"value\":"u8, value.Value, to, ref at);
        PutNumber(",\"fee\":"u8, value.Fee, to, ref at);
        PutNumber(",\"size\":"u8, value.Size, to, ref at);
        PutNumber(",\"inputs\":"u8, value.Inputs, to, ref at);
        PutNumber(",\"outputs\":"u8, value.Outputs, to, ref at);
        Put(",\"feeRate\":"u8, to, ref at);
        Utf8Formatter.TryFormat(value.FeeRate, to[at..], out written);
        at += written;
        Put(",\"label\":"u8, to, ref at);
        if (value.LabelBytes == 0)
        {
            Put("null"u8, to, ref at);
        }
        else
        {
            Put("\""u8, to, ref at);
            Put(((ReadOnlySpan<byte>)value.Label)[..value.LabelBytes], to, ref at);
            Put("\""u8, to, ref at);
        }
        Put(value.Large ? ",\"large\":true}"u8 : ",\"large\":false}"u8, to, ref at);
        destination.Truncate(destination.Length - BytesMax + at);
    }

    public override void Deserialize(ReadOnlySpan<byte> source, ref PeerTransaction value)
    {
        value = default;
        var reader = new Utf8JsonReader(source);
        try
        {
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                ReadField(ref reader, ref value);
        }
        catch (JsonException e)
        {
            throw new SerializationException(Name, e.Message, (int)reader.BytesConsumed);
        }
    }

    private static void ReadField(ref Utf8JsonReader reader, ref PeerTransaction value)
    {
        ReadOnlySpan<byte> name = reader.ValueSpan;
        reader.Read();
        if (name.SequenceEqual("txid"u8))
            value.TxId = ReadHash(reader.ValueSpan);
        else if (name.SequenceEqual("address"u8))
            reader.ValueSpan.CopyTo(value.Address);
        else if (name.SequenceEqual("time"u8))
            value.TimeMs = reader.GetInt64();
        else if (name.SequenceEqual("value"u8))
            value.Value = reader.GetInt64();
        else if (name.SequenceEqual("fee"u8))
            value.Fee = reader.GetInt64();
        else if (name.SequenceEqual("size"u8))
            value.Size = reader.GetInt32();
        else if (name.SequenceEqual("inputs"u8))
            value.Inputs = reader.GetInt32();
        else if (name.SequenceEqual("outputs"u8))
            value.Outputs = reader.GetInt32();
        else if (name.SequenceEqual("feeRate"u8))
            value.FeeRate = reader.GetDouble();
        else if (name.SequenceEqual("large"u8))
            value.Large = reader.GetBoolean();
        else if (name.SequenceEqual("label"u8))
            ReadLabel(reader.ValueSpan, ref value);
    }

    // Of null the value is the word itself.
    private static void ReadLabel(ReadOnlySpan<byte> text, ref PeerTransaction value)
    {
        if (text.SequenceEqual("null"u8))
            return;
        value.LabelBytes = (byte)text.Length;
        text.CopyTo(value.Label);
    }

    private static Bytes32 ReadHash(ReadOnlySpan<byte> text)
    {
        Span<byte> hash = stackalloc byte[Bytes32.Size];
        Convert.FromHexString(text, hash, out _, out _);
        return new Bytes32(hash);
    }

    private static void PutNumber(ReadOnlySpan<byte> name, long number, Span<byte> to, ref int at)
    {
        Put(name, to, ref at);
        Utf8Formatter.TryFormat(number, to[at..], out int written);
        at += written;
    }

    private static void Put(ReadOnlySpan<byte> bytes, Span<byte> to, ref int at)
    {
        bytes.CopyTo(to[at..]);
        at += bytes.Length;
    }
}
