using System.Text;
using Streams.Buffers;
using Streams.Records;
using Streams.Records.Relational;
using Streams.Records.Schemas;
using Xunit;

namespace Streams.Tests.Engine.Records;

/// <summary>A record that describes somebody else's JSON keeps that one's names.</summary>
public sealed class ForeignNamesTests
{
    [Theory]
    [InlineData("""{"eventTime":5,"feeRate":0.5,"buyer":{"orderId":7}}""")]
    [InlineData("""{ "feeRate" : 5e-1, "buyer":{"orderId":"7"}, "eventTime" : 5 }""")]
    [InlineData("""{"event\u0054ime":5,"fee\u0052ate":0.5,"buyer":{"order\u0049d":7}}""")]
    public void Fields_are_read_by_those_names_and_written_by_them(string json)
    {
        Serde<Trade> serde = RecordSerde.Json<Trade>();
        var trade = new Trade();
        serde.Deserialize(Encoding.UTF8.GetBytes(json), ref trade);
        Assert.False(trade.Memory.HasUnknownFields);
        Assert.Equal((5, 0.5, 7), (trade.EventTime, trade.FeeRate, trade.Buyer.Value.OrderId));
        using var written = new PooledBuffer();
        serde.Serialize(trade, written);
        Assert.Equal(
            """{"eventTime":5,"feeRate":0.5,"buyer":{"orderId":7}}""",
            Encoding.UTF8.GetString(written.WrittenSpan));
    }

    [Fact]
    public void A_name_in_another_form_is_another_field()
    {
        var trade = new Trade();
        RecordSerde.Json<Trade>().Deserialize("""{"event_time":5,"feerate":1}"""u8, ref trade);
        Assert.True(trade.Memory.HasUnknownFields);
        Assert.Equal((0, 0.0), (trade.EventTime, trade.FeeRate));
    }

    [Fact]
    public void Tables_have_them_in_snake_case() => Assert.Equal(
        ["event_time", "fee_rate", "buyer_order_id"],
        Assert.Single(RelationalModel.Of<Trade>().Tables).Columns.Select(c => c.Name));

    [Fact]
    public void The_schema_of_a_record_with_them_is_read_back() =>
        Assert.Equal(
            SchemaText.Write(RecordSchema.Of<Trade>()),
            SchemaText.Write(SchemaText.Read(SchemaText.Write(RecordSchema.Of<Trade>()))));

    private sealed class Trade : IDescribed<Trade>
    {
        public RecordMemory Memory;
        public long EventTime;
        public double FeeRate;
        public Nested<Side> Buyer;

        public static RecordType RecordType { get; } = new("trade", 1, "What an exchange writes.");

        public void Describe<TVisitor>(ref TVisitor visitor)
            where TVisitor : struct, IFieldVisitor, allows ref struct
        {
            visitor.Memory(ref Memory);
            visitor.Field(1, "eventTime"u8, ref EventTime, Unit.Milliseconds, "When.");
            visitor.Field(2, "feeRate"u8, ref FeeRate, Unit.None, "For how much.");
            visitor.Message(3, "buyer"u8, ref Buyer, "Who.");
        }
    }

    private struct Side : IDescribed<Side>
    {
        public RecordMemory Memory;
        public long OrderId;

        public static RecordType RecordType { get; } = new("side", 1, "One side of a trade.");

        public void Describe<TVisitor>(ref TVisitor visitor)
            where TVisitor : struct, IFieldVisitor, allows ref struct
        {
            visitor.Memory(ref Memory);
            visitor.Field(1, "orderId"u8, ref OrderId, Unit.None, "Of the order.");
        }
    }
}
