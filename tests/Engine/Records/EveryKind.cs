using Streams.Records;

namespace Streams.Tests.Engine.Records;

public enum Colour
{
    Clear = 0,
    DarkRed = 1,
    Green = 5,
    Negative = -3,
}

/// <summary>A record with every kind of field in every form, with tags of one, two and five bytes.</summary>
public sealed class EveryKind : IDescribed<EveryKind>
{
    public RecordMemory Memory;
    public bool Flag;
    public bool? MaybeFlag;
    public int Int32;
    public int? MaybeInt32;
    public long Int64;
    public long? MaybeInt64;
    public uint UInt32;
    public uint? MaybeUInt32;
    public ulong UInt64;
    public ulong? MaybeUInt64;
    public double Double;
    public double? MaybeDouble;
    public Colour Colour;
    public Colour? MaybeColour;
    public Text Text;
    public Text? MaybeText;
    public Bytes Bytes;
    public Bytes? MaybeBytes;
    public Bytes32 Hash;
    public Bytes32? MaybeHash;
    public UInt256 Amount;
    public UInt256? MaybeAmount;
    public Nested<Part> Part;
    public RecordList<Part> Parts;
    public RecordList<bool> Flags;
    public RecordList<int> Int32s;
    public RecordList<long> Int64s;
    public RecordList<uint> UInt32s;
    public RecordList<ulong> UInt64s;
    public RecordList<double> Doubles;
    public RecordList<Colour> Colours;
    public RecordList<Text> Texts;
    public RecordList<Bytes> Blobs;
    public RecordList<Bytes32> Hashes;
    public RecordList<UInt256> Amounts;
    public long Far;
    public Text? Farthest;

    public static RecordType RecordType { get; } = new("every_kind", 1, "A record with every kind of field.");

    public void Describe<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        visitor.Memory(ref Memory);
        visitor.Field(1, "flag"u8, ref Flag, Unit.None, "A truth value.");
        visitor.Field(2, "maybe_flag"u8, ref MaybeFlag, Unit.None, "A truth value, if known.");
        visitor.Field(3, "int32"u8, ref Int32, Unit.Count, "A signed number.");
        visitor.Field(4, "maybe_int32"u8, ref MaybeInt32, Unit.Count, "A signed number, if known.");
        visitor.Field(5, "int64"u8, ref Int64, Unit.Nanoseconds, "An instant.");
        visitor.Field(6, "maybe_int64"u8, ref MaybeInt64, Unit.Satoshi, "A value, if known.");
        visitor.Field(7, "uint32"u8, ref UInt32, Unit.Percent, "A part.");
        visitor.Field(8, "maybe_uint32"u8, ref MaybeUInt32, Unit.Ppm, "A part, if known.");
        visitor.Field(9, "uint64"u8, ref UInt64, Unit.Bytes, "A size.");
        visitor.Field(10, "maybe_uint64"u8, ref MaybeUInt64, Unit.Bytes, "A size, if known.");
        visitor.Field(11, "double"u8, ref Double, Unit.Ratio, "A measurement.");
        visitor.Field(12, "maybe_double"u8, ref MaybeDouble, "TH/s", "A measurement, if known.");
        visitor.Enum(13, "colour"u8, ref Colour, "A name.");
        visitor.Enum(14, "maybe_colour"u8, ref MaybeColour, "A name, if known.");
        visitor.Field(15, "text"u8, ref Text, Unit.None, "A text.");
        visitor.Field(16, "maybe_text"u8, ref MaybeText, Unit.None, "A text, if known.");
        visitor.Field(17, "bytes"u8, ref Bytes, Unit.None, "Some bytes.");
        visitor.Field(18, "maybe_bytes"u8, ref MaybeBytes, Unit.None, "Some bytes, if known.");
        visitor.Field(19, "hash"u8, ref Hash, Unit.None, "A hash.");
        visitor.Field(20, "maybe_hash"u8, ref MaybeHash, Unit.None, "A hash, if known.");
        visitor.Field(21, "amount"u8, ref Amount, Unit.Wei, "An amount.");
        visitor.Field(22, "maybe_amount"u8, ref MaybeAmount, Unit.Wei, "An amount, if known.");
        visitor.Message(23, "part"u8, ref Part, "A record inside.");
        visitor.Repeated(24, "parts"u8, ref Parts, "Records inside.");
        visitor.Repeated(31, "flags"u8, ref Flags, Unit.None, "Truth values.");
        visitor.Repeated(32, "int32s"u8, ref Int32s, Unit.Count, "Signed numbers.");
        visitor.Repeated(33, "int64s"u8, ref Int64s, Unit.Nanoseconds, "Instants.");
        visitor.Repeated(34, "uint32s"u8, ref UInt32s, Unit.Count, "Unsigned numbers.");
        visitor.Repeated(35, "uint64s"u8, ref UInt64s, Unit.Count, "Large unsigned numbers.");
        visitor.Repeated(36, "doubles"u8, ref Doubles, Unit.Celsius, "Measurements.");
        visitor.Enum(37, "colours"u8, ref Colours, "Names.");
        visitor.Repeated(38, "texts"u8, ref Texts, Unit.None, "Texts.");
        visitor.Repeated(39, "blobs"u8, ref Blobs, Unit.None, "Byte strings.");
        visitor.Repeated(40, "hashes"u8, ref Hashes, Unit.None, "Hashes.");
        visitor.Repeated(41, "amounts"u8, ref Amounts, Unit.BaseUnits, "Amounts.");
        visitor.Retired(50, "once"u8);
        visitor.Field(3000, "far"u8, ref Far, Unit.Milliseconds, "A field with a tag of three bytes.");
        visitor.Field(536_870_911, "farthest"u8, ref Farthest, Unit.None, "The last number that there is.");
    }
}

public struct Part : IDescribed<Part>
{
    public RecordMemory Memory;
    public long Id;
    public Text? Label;
    public RecordList<Leaf> Leaves;
    public Nested<Leaf> Best;
    public RecordList<int> Sizes;

    public static RecordType RecordType { get; } = new("part", 1, "A record inside another.");

    public void Describe<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        visitor.Memory(ref Memory);
        visitor.Field(1, "id"u8, ref Id, Unit.None, "Which one.");
        visitor.Field(2, "label"u8, ref Label, Unit.None, "What it is called.");
        visitor.Repeated(3, "leaves"u8, ref Leaves, "What it consists of.");
        visitor.Message(4, "best"u8, ref Best, "The best of that.");
        visitor.Repeated(5, "sizes"u8, ref Sizes, Unit.Bytes, "How large it was.");
    }
}

public struct Leaf : IDescribed<Leaf>
{
    public RecordMemory Memory;
    public double? Weight;
    public RecordList<Text> Tags;

    public static RecordType RecordType { get; } = new(
        "leaf", 1, "A record inside one that is inside another.");

    public void Describe<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        visitor.Memory(ref Memory);
        visitor.Field(1, "weight"u8, ref Weight, Unit.Ratio, "How much it counts.");
        visitor.Repeated(2, "tags"u8, ref Tags, Unit.None, "What it is known for.");
    }
}
