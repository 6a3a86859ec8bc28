using Streams.Records.Schemas;
using Xunit;

namespace Streams.Tests.Engine.Records;

public sealed class SchemaChangesTests
{
    private const string Older = """
        record tx 3 "A transaction."
        1 always int64 event_ns "ns" "Event time."
        2 optional int64 fee "satoshi" "What it paid."
        3 always enum:Status status "" "How settled it is."
        4 repeated message:input inputs "" "What it spends."
        retired 5 height
        record input 1 "An input."
        1 always text address "" "Where from."
        enum Status
        0 mempool
        1 in_block
        """;

    [Theory]
    [InlineData("retired 5", "6 optional double rate \"ppm\" \"Fee by size.\"\nretired 5")]
    [InlineData("1 in_block", "1 in_block\n2 final")]
    [InlineData("2 optional int64 fee \"satoshi\" \"What it paid.\"", "retired 2 fee")]
    [InlineData("Event time.", "When it was seen.")]
    [InlineData(
        "1 always text address", "2 optional int32 vout \"\" \"Which output.\"\n1 always text address")]
    public void Compatible_changes_need_only_a_new_version(string before, string after)
    {
        RecordSchema older = SchemaText.Read(Older);
        string changed = Older.Replace(before, after);
        Assert.NotEqual(Older, changed);
        Assert.Empty(SchemaChanges.FindIncompatible(older, SchemaText.Read(changed.Replace("tx 3", "tx 4"))));
        Assert.Equal(
            ["tx: the description changed, but not its version 3."],
            SchemaChanges.FindIncompatible(older, SchemaText.Read(changed)));
    }

    [Theory]
    [InlineData("record tx 3", "record trade 4", "tx: the record is now called trade.")]
    [InlineData("1 always int64 event_ns", "1 always uint64 event_ns", "tx.event_ns: int64 became uint64.")]
    [InlineData("event_ns", "event_time", "tx.event_ns: field 1 is now called event_time.")]
    [InlineData("\"ns\"", "\"ms\"", "tx.event_ns: the unit 'ns' became 'ms'.")]
    [InlineData(
        "2 optional", "2 always", "tx.fee: what is optional became always there.")]
    [InlineData("2 optional", "2 repeated", "tx.fee: what is optional became a list.")]
    [InlineData("2 optional int64 fee \"satoshi\" \"What it paid.\"\n", "",
        "tx.fee: field 2 is gone; retire it, so that nothing takes its number.")]
    [InlineData("retired 5 height\n", "", "tx.height: field 5 is no longer listed as retired.")]
    [InlineData("1 always text address", "1 always bytes address", "tx.inputs.address: text became bytes.")]
    [InlineData("\n1 in_block", "", "tx.status: value 1 (in_block) of Status is gone.")]
    [InlineData("1 in_block", "1 mined", "tx.status: Status 1, in_block, is now mined.")]
    public void Changes_that_old_data_would_suffer_from_are_listed(
        string before, string after, string expected)
    {
        string changed = Older.Replace(before, after);
        Assert.NotEqual(Older, changed);
        Assert.Equal(
            [expected], SchemaChanges.FindIncompatible(SchemaText.Read(Older), SchemaText.Read(changed)));
    }

    [Fact]
    public void A_schema_is_compatible_with_itself() =>
        Assert.Empty(SchemaChanges.FindIncompatible(SchemaText.Read(Older), SchemaText.Read(Older)));
}
