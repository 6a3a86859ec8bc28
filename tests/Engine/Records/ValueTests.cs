using Streams.Records;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Records;

/// <summary>The small types that records are made of.</summary>
public sealed class ValueTests
{
    private const string Hex = "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210";

    [Fact]
    public void Thirty_two_bytes_read_and_show_their_digits()
    {
        var hash = Bytes32.Parse(Hex);
        Assert.Equal(Hex, hash.ToString());
        Assert.Equal(Convert.FromHexString(Hex), hash.Span.ToArray());
        Assert.Equal(hash, new Bytes32(Convert.FromHexString(Hex)));
        Assert.Equal(hash, Bytes32.Parse(Hex.ToUpperInvariant()));
        byte[] digits = new byte[Bytes32.HexLength];
        hash.Format(digits);
        Assert.Equal(Hex, System.Text.Encoding.ASCII.GetString(digits));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("0x112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210")]
    [InlineData("g0112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210")]
    [InlineData("00112233445566778899aabbccddeeff0123456789abcdeffedcba987654321000")]
    public void Other_than_64_hexadecimal_digits_are_refused(string text)
    {
        Assert.False(Bytes32.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out Bytes32 value));
        Assert.True(value.IsZero);
        Assert.Throws<FormatException>(() => Bytes32.Parse(text));
        Assert.Throws<ArgumentException>(() => new Bytes32(new byte[31]));
    }

    [Fact]
    public void Thirty_two_bytes_are_equal_and_ordered_by_their_bytes()
    {
        byte[] bytes = Convert.FromHexString(Hex);
        var hash = new Bytes32(bytes);
        for (int i = 0; i < Bytes32.Size; i++)
        {
            bytes[i]++;
            var other = new Bytes32(bytes);
            Assert.True(hash != other);
            Assert.False(hash.Equals((object)other));
            Assert.Equal(
                Math.Sign(hash.Span.SequenceCompareTo(other.Span)), Math.Sign(hash.CompareTo(other)));
            bytes[i]--;
        }
        Assert.True(hash == new Bytes32(bytes));
        Assert.Equal(hash.GetHashCode(), new Bytes32(bytes).GetHashCode());
    }

    [Fact]
    public void Texts_are_compared_by_their_bytes_wherever_those_are()
    {
        var memory = default(RecordMemory);
        Text one = memory.Text("näher"u8);
        Text two = memory.Text("näher");
        Assert.Equal(one, two);
        Assert.True(one == new Text("näher"));
        Assert.True(one != new Text("nah"));
        Assert.True(one.Equals("näher"u8));
        Assert.Equal(one.GetHashCode(), two.GetHashCode());
        Assert.True(one.CompareTo(new Text("z")) < 0);
        Assert.Equal("näher", two.ToString());
        Assert.True(default(Text).IsEmpty);
        Assert.Equal("", default(Text).ToString());
    }

    [Fact]
    public void Only_text_becomes_text()
    {
        var memory = default(RecordMemory);
        Assert.Throws<ArgumentException>(() => memory.Text([0xC3, 0x28]));
        Assert.Throws<ArgumentException>(() => memory.Text("\uD800"));
        Assert.False(memory.TryText([0xFF], out _));
        Assert.True(memory.TryText("ok"u8, out Text text));
        Assert.Equal("ok", text.ToString());
    }

    [Fact]
    public void Texts_stay_as_they_are_while_the_memory_grows()
    {
        var memory = default(RecordMemory);
        var texts = new List<Text>();
        for (int i = 0; i < 1000; i++)
            texts.Add(memory.Text($"text number {i}"));
        for (int i = 0; i < texts.Count; i++)
            Assert.Equal($"text number {i}", texts[i].ToString());
    }

    [Fact]
    public void Building_a_record_again_and_again_allocates_nothing_once_warm()
    {
        var record = new EveryKind();
        Allocation.AssertNone(() =>
        {
            record.Clear();
            for (int i = 0; i < 20; i++)
            {
                ref Part part = ref record.Parts.Add();
                part.Label = record.Memory.Text("a label of some length, so that the memory grows"u8);
                part.Leaves.Add().Tags.Add(record.Memory.Text("tag"));
                part.Best.Set().Weight = 1;
            }
        });
    }

    [Fact]
    public void A_cleared_record_is_as_new_and_keeps_its_memory()
    {
        EveryKind record = new RandomRecords(seed: 61).Next();
        record.Clear();
        Assert.Empty(ProtobufWireTests.Bytes(record));
        ref Part part = ref record.Parts.Add();
        part.Label = new Text("stale");
        part.Sizes.Add(1);
        record.Parts.Clear();
        Assert.Null(record.Parts.Add().Label);
        Assert.Equal(0, record.Parts[0].Sizes.Count);
        record.Part.Set().Id = 5;
        Assert.Equal(0, record.Part.Set().Id);
    }

    [Fact]
    public void Lists_give_their_items_by_reference_and_guard_their_ends()
    {
        var list = default(RecordList<int>);
        for (int i = 0; i < 100; i++)
            list.Add(i);
        list[3] = 42;
        Assert.Equal(42, list.Items[3]);
        Assert.Equal(100, list.Count);
        int sum = 0;
        foreach (ref int item in list)
            sum += item;
        Assert.Equal(4950 - 3 + 42, sum);
        Assert.Throws<ArgumentOutOfRangeException>(() => list[100]);
        Assert.Throws<ArgumentOutOfRangeException>(() => list[-1]);
        list.Clear();
        Assert.Throws<ArgumentOutOfRangeException>(() => list[0]);
    }
}
