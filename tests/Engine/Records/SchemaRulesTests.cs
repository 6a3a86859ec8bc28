using Streams.Records;
using Streams.Records.Schemas;
using Xunit;

namespace Streams.Tests.Engine.Records;

public sealed class SchemaRulesTests
{
    [Theory]
    [InlineData(1, "field 1 'a': numbers must ascend")]
    [InlineData(2, "field 2 'b': the number is used twice")]
    [InlineData(3, "field 2 'a': another field has that name")]
    [InlineData(4, "field 19500 'a': numbers 19000 to 19999 are reserved")]
    [InlineData(5, "field 0 'a': the number is not between 1 and 536870911")]
    [InlineData(6, "field 536870912 'a': the number is not between 1 and 536870911")]
    [InlineData(7, "field 1 'Bad': the name is not snake_case")]
    [InlineData(8, "field 1 'bad__name': the name is not snake_case")]
    [InlineData(9, "field 1 '': the name is not snake_case")]
    [InlineData(10, "field 1 'a': the doc is not one line that ends in a full stop")]
    [InlineData(11, "field 1 'a': 'The meaning.' is not a unit (is it the doc?)")]
    [InlineData(12, "field 1 'a': money is a whole number of base units, never a double")]
    [InlineData(13, "its memory must be described once, as the first line")]
    [InlineData(14, "the memory must be described first")]
    [InlineData(15, "the memory must be described first")]
    [InlineData(16, "field 1 'b': the number is in use again")]
    [InlineData(17, "field 2 'a': the name is in use again")]
    [InlineData(18, "field 2 'a_b': another field has that name, but for its form")]
    [InlineData(19, "it contains two different types that are called Part")]
    [InlineData(20, "Enumeration Overlong must be over int")]
    [InlineData(21, "Enumeration NoZero has no zero")]
    [InlineData(22, "Enumeration Twice has two names for 1")]
    [InlineData(23, "Enumeration SameWords has names that are the same in snake_case")]
    public void Each_broken_rule_is_refused_by_name(int broken, string reason)
    {
        Breaking.Rule = broken;
        var e = Assert.Throws<ArgumentException>(() => RecordSchema.Of<Breaking>());
        Assert.Contains(reason, e.Message);
        if (broken < 20)
            Assert.StartsWith("Record breaking", e.Message);
        Assert.Throws<ArgumentException>(() => RecordSerde.Protobuf<Breaking>());
        Assert.Throws<ArgumentException>(() => RecordSerde.Json<Breaking>());
    }

    [Fact]
    public void A_record_that_contains_itself_is_refused()
    {
        var e = Assert.Throws<ArgumentException>(() => RecordSchema.Of<Endless>());
        Assert.Equal("Record endless contains itself, so its depth has no bound.", e.Message);
    }

    [Theory]
    [InlineData("InBlock", "in_block")]
    [InlineData("TxID", "tx_id")]
    [InlineData("HTTPServer", "http_server")]
    [InlineData("P2wpkh", "p2wpkh")]
    [InlineData("Already_Snake", "already_snake")]
    [InlineData("X", "x")]
    public void Names_of_enumerations_become_snake_case(string name, string expected) =>
        Assert.Equal(expected, EnumSchema.SnakeCase(name));

    private enum Overlong : long
    {
        None,
    }

    private enum NoZero
    {
        One = 1,
    }

#pragma warning disable CA1069 // The point of the test.
    private enum Twice
    {
        Zero,
        One,
        Uno = 1,
    }
#pragma warning restore CA1069

    private enum SameWords
    {
        InBlock,
        In_Block,
    }

    /// <summary>A record that breaks one rule at a time.</summary>
    private sealed class Breaking : IDescribed<Breaking>
    {
        [ThreadStatic]
        private static int _rule;

        private RecordMemory _memory;
        private long _a;
        private long _b;
        private double _double;
        private Nested<Part> _part;
        private Nested<OtherPart> _other;
        private Overlong _overlong;
        private NoZero _noZero;
        private Twice _twice;
        private SameWords _sameWords;

        public static int Rule
        {
            set => _rule = value;
        }

        public static RecordType RecordType { get; } = new("breaking", 1, "A record that breaks a rule.");

        public void Describe<TVisitor>(ref TVisitor visitor)
            where TVisitor : struct, IFieldVisitor, allows ref struct
        {
            if (_rule is not (13 or 14))
                visitor.Memory(ref _memory);
            switch (_rule)
            {
                case < 10:
                    DescribeNumbersAndNames(ref visitor);
                    break;
                case < 20:
                    DescribeOthers(ref visitor);
                    break;
                default:
                    DescribeEnumerations(ref visitor);
                    break;
            }
        }

        private void DescribeNumbersAndNames<TVisitor>(ref TVisitor visitor)
            where TVisitor : struct, IFieldVisitor, allows ref struct
        {
            (int number, string name) = _rule switch
            {
                4 => (19_500, "a"),
                5 => (0, "a"),
                6 => (536_870_912, "a"),
                7 => (1, "Bad"),
                8 => (1, "bad__name"),
                9 => (1, ""),
                _ => (2, "a"),
            };
            if (_rule == 3)
                visitor.Field(1, "a"u8, ref _b, Unit.None, "The meaning.");
            visitor.Field(
                number, System.Text.Encoding.UTF8.GetBytes(name), ref _a, Unit.None, "The meaning.");
            if (_rule == 1)
                visitor.Field(1, "a"u8, ref _b, Unit.None, "The meaning.");
            if (_rule == 2)
                visitor.Field(2, "b"u8, ref _b, Unit.None, "The meaning.");
        }

        private void DescribeOthers<TVisitor>(ref TVisitor visitor)
            where TVisitor : struct, IFieldVisitor, allows ref struct
        {
            if (_rule == 12)
                visitor.Field(1, "a"u8, ref _double, Unit.Satoshi, "The meaning.");
            else if (_rule == 10)
                visitor.Field(1, "a"u8, ref _a, Unit.None, "The meaning");
            else if (_rule == 11)
                visitor.Field(1, "a"u8, ref _a, "The meaning.", "The meaning.");
            else
                visitor.Field(1, _rule == 18 ? "ab"u8 : "a"u8, ref _a, Unit.None, "The meaning.");
            if (_rule is 14 or 15)
                visitor.Memory(ref _memory);
            if (_rule == 16)
                visitor.Retired(1, "b"u8);
            if (_rule == 17)
                visitor.Retired(2, "a"u8);
            if (_rule == 18)
                visitor.Field(2, "a_b"u8, ref _b, Unit.None, "The meaning.");
            if (_rule == 19)
            {
                visitor.Message(2, "part"u8, ref _part, "One.");
                visitor.Message(3, "other"u8, ref _other, "Another.");
            }
        }

        private void DescribeEnumerations<TVisitor>(ref TVisitor visitor)
            where TVisitor : struct, IFieldVisitor, allows ref struct
        {
            if (_rule == 20)
                visitor.Enum(1, "a"u8, ref _overlong, "The meaning.");
            if (_rule == 21)
                visitor.Enum(1, "a"u8, ref _noZero, "The meaning.");
            if (_rule == 22)
                visitor.Enum(1, "a"u8, ref _twice, "The meaning.");
            if (_rule == 23)
                visitor.Enum(1, "a"u8, ref _sameWords, "The meaning.");
        }
    }

    private struct OtherPart : IDescribed<OtherPart>
    {
        private RecordMemory _memory;
        private long _a;

        public static RecordType RecordType { get; } = new("part", 1, "Another record of the same name.");

        public void Describe<TVisitor>(ref TVisitor visitor)
            where TVisitor : struct, IFieldVisitor, allows ref struct
        {
            visitor.Memory(ref _memory);
            visitor.Field(1, "a"u8, ref _a, Unit.None, "The meaning.");
        }
    }

    private struct Endless : IDescribed<Endless>
    {
        private RecordMemory _memory;
        private RecordList<Endless> _inner;

        public static RecordType RecordType { get; } = new("endless", 1, "A record in itself.");

        public void Describe<TVisitor>(ref TVisitor visitor)
            where TVisitor : struct, IFieldVisitor, allows ref struct
        {
            visitor.Memory(ref _memory);
            visitor.Repeated(1, "inner"u8, ref _inner, "More of the same.");
        }
    }
}
