using Streams.Buffers;
using Streams.Connect.Evolution;
using Streams.Dsl;
using Streams.Records;
using Streams.Records.Schemas;
using Xunit;
using static Streams.Tests.Engine.Connect.Evolution.ChangingApplication;

namespace Streams.Tests.Engine.Connect.Evolution;

/// <summary>A store of records whose description changed between two versions of a topology.</summary>
public sealed class RecordChangeTests : IDisposable
{
    private const string Before = """
        record payment 1 "A payment."
        1 always int64 amount "satoshi" "How much."
        """;

    private readonly ChangingApplication _application = new();

    [Theory]
    [InlineData("2 optional text note \"\" \"What for.\"")]
    [InlineData("2 always int64 fee \"satoshi\" \"What it cost.\"")]
    public void A_record_with_one_more_field_is_still_read(string field)
    {
        _application.Run(LastOf(Before), "a");
        Assert.Empty(_application.Plan(LastOf($"{Before}\n{field}")).Changes);
    }

    [Theory]
    [InlineData("satoshi", "btc", "payment.amount: the unit 'satoshi' became 'btc'")]
    [InlineData("int64", "double", "payment.amount: int64 became double")]
    public void A_record_whose_bytes_mean_something_else_is_refused(string old, string now, string expected)
    {
        _application.Run(LastOf(Before), "a");
        TopologyChange change = Assert.Single(_application.Plan(LastOf(Before.Replace(old, now))).Changes);
        Assert.Equal(("last", ChangeEffect.LosesState), (change.Subject, change.Effect));
        Assert.Equal([$"its record changed: {expected}"], change.Reasons);
    }

    [Fact]
    public void A_described_record_says_what_its_codecs_hold()
    {
        Assert.Equal("every_kind", RecordSerde.Protobuf<Streams.Tests.Engine.Records.EveryKind>().Schema?.Name);
        Assert.Equal("every_kind", RecordSerde.Json<Streams.Tests.Engine.Records.EveryKind>().Schema?.Name);
        Assert.Null(Serdes.String.Schema);
    }

    public void Dispose() => _application.Dispose();

    private static Action<StreamsBuilder> LastOf(string schema) => builder => In(builder)
        .WithSerdes(Serdes.String, new PaymentSerde(schema)).GroupByKey()
        .Reduce((_, value) => value, new Materialized<string, string> { StoreName = "last" });

    /// <summary>A codec of a user's own that says what its bytes hold.</summary>
    private sealed class PaymentSerde(string schema) : Serde<string>
    {
        public override string Name => "protobuf:payment";

        public override RecordSchema Schema { get; } = SchemaText.Read(schema);

        public override void Serialize(in string value, PooledBuffer destination) =>
            Serdes.String.Serialize(value, destination);

        public override void Deserialize(ReadOnlySpan<byte> source, ref string value) =>
            Serdes.String.Deserialize(source, ref value);
    }
}
