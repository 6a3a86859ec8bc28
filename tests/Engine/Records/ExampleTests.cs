using System.Text;
using Streams.Buffers;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Records;

/// <summary>The example of docs/record-descriptions.md, compiled and run.</summary>
public sealed class ExampleTests
{
    [Fact]
    public void The_record_of_the_documentation_is_built_encoded_and_read_back()
    {
        var payment = new Payment();
        payment.Clear();
        payment.EventNs = 1_760_000_000_000_000_000;
        payment.Status = PaymentStatus.InBlock;
        payment.Memo = payment.Memory.Text("for the coffee"u8);
        payment.Payer.Set().Name = payment.Memory.Text("Ada");
        ref PaymentOutput output = ref payment.Outputs.Add();
        output.Address = new Text("0xabc");
        output.Value = UInt256.Parse("1000000000000000000");
        Assert.Equal(
            "{\"event_ns\":1760000000000000000,"
            + "\"tx_id\":\"0000000000000000000000000000000000000000000000000000000000000000\","
            + "\"status\":\"in_block\",\"memo\":\"for the coffee\","
            + "\"payer\":{\"name\":\"Ada\"},"
            + "\"outputs\":[{\"address\":\"0xabc\",\"value\":\"1000000000000000000\"}]}",
            Encoding.UTF8.GetString(Bytes(RecordSerde.Json<Payment>(), payment)));

        Serde<Payment> protobuf = RecordSerde.Protobuf<Payment>();
        Payment read = protobuf.Deserialize(Bytes(protobuf, payment));
        Assert.Null(read.Fee);
        Assert.Equal("for the coffee", read.Memo.ToString());
        Assert.Equal("Ada", read.Payer.Value.Name.ToString());
        Assert.Equal(output.Value, read.Outputs[0].Value);
    }

    [Fact]
    public void A_text_of_one_record_may_stand_in_another_until_the_first_is_refilled()
    {
        Serde<Payment> serde = RecordSerde.Json<Payment>();
        var first = new Payment();
        serde.Deserialize("""{"memo":"one"}"""u8, ref first);
        var second = new Payment { Memo = first.Memo };
        Assert.Equal(
            WholeJson.Of<Payment>("""{"memo":"one"}"""), Encoding.UTF8.GetString(Bytes(serde, second)));
    }

    [Fact]
    public void A_struct_is_a_record_of_its_own_too()
    {
        Serde<PaymentOutput>[] serdes =
            [RecordSerde.Protobuf<PaymentOutput>(), RecordSerde.Json<PaymentOutput>()];

        foreach (Serde<PaymentOutput> serde in serdes)
        {
            var output = new PaymentOutput { Value = 7 };
            output.Address = output.Memory.Text("somewhere");
            PaymentOutput read = serde.Deserialize(Bytes(serde, output));
            Assert.Equal("somewhere", read.Address.ToString());
            Assert.Equal((UInt256)7, read.Value);
        }
        Assert.Equal(["protobuf:payment_output", "json:payment_output"], serdes.Select(serde => serde.Name));
    }

    private static byte[] Bytes<T>(Serde<T> serde, T record)
    {
        using var buffer = new PooledBuffer();
        serde.Serialize(record, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private enum PaymentStatus
    {
        Pending,
        InBlock,
    }

    /// <summary>A payment as it leaves the enrichment.</summary>
    private sealed class Payment : IDescribed<Payment>
    {
        public RecordMemory Memory;
        public long EventNs;
        public long? Fee;
        public Bytes32 TxId;
        public PaymentStatus Status;
        public Text? Memo;
        public Nested<Payer> Payer;
        public RecordList<PaymentOutput> Outputs;

        public static RecordType RecordType { get; } =
            new("payment", Version: 1, "A payment between two addresses.");

        public void Describe<TVisitor>(ref TVisitor visitor)
            where TVisitor : struct, IFieldVisitor, allows ref struct
        {
            visitor.Memory(ref Memory);
            visitor.Field(1, "event_ns"u8, ref EventNs, Unit.Nanoseconds, "Event time, Unix UTC.");
            visitor.Field(2, "fee"u8, ref Fee, Unit.Satoshi, "Inputs less outputs.");
            visitor.Field(3, "tx_id"u8, ref TxId, Unit.None, "Hash of the transaction.");
            visitor.Enum(4, "status"u8, ref Status, "How settled it is.");
            visitor.Field(5, "memo"u8, ref Memo, Unit.None, "What the payer wrote.");
            visitor.Message(6, "payer"u8, ref Payer, "Who paid.");
            visitor.Repeated(7, "outputs"u8, ref Outputs, "Who was paid.");
        }
    }

    private struct Payer : IDescribed<Payer>
    {
        public RecordMemory Memory;
        public Text Name;

        public static RecordType RecordType { get; } = new("payer", Version: 1, "Who pays.");

        public void Describe<TVisitor>(ref TVisitor visitor)
            where TVisitor : struct, IFieldVisitor, allows ref struct
        {
            visitor.Memory(ref Memory);
            visitor.Field(1, "name"u8, ref Name, Unit.None, "What the payer is called.");
        }
    }

    /// <summary>One output of a payment.</summary>
    private struct PaymentOutput : IDescribed<PaymentOutput>
    {
        public RecordMemory Memory;
        public Text Address;
        public UInt256 Value;

        public static RecordType RecordType { get; } =
            new("payment_output", Version: 1, "One output of a payment.");

        public void Describe<TVisitor>(ref TVisitor visitor)
            where TVisitor : struct, IFieldVisitor, allows ref struct
        {
            visitor.Memory(ref Memory);
            visitor.Field(1, "address"u8, ref Address, Unit.None, "Whom it went to.");
            visitor.Field(2, "value"u8, ref Value, Unit.Wei, "How much.");
        }
    }
}
