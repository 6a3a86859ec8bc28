using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Tests.Sinks.Postgres;

/// <summary>A record of all kinds whose form differs in the database, with a list of its own.</summary>
public sealed class Reading : IDescribed<Reading>
{
    internal Operation Op;
    internal Text Device;
    internal long TimeNs;
    internal long Number;
    internal ulong Large;
    internal UInt256 Wei;
    internal Bytes32 Hash;
    internal Bytes Raw;
    internal double Level;
    internal bool IsGood;
    internal uint Count;
    internal long? Maybe;
    internal Text Note;
    internal RecordList<Text> Tags;
    internal RecordMemory Memory;

    public static RecordType RecordType { get; } = new("reading", 1, "What a device read.");

    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Enum(1, "op"u8, ref Op, "Whether it holds.");
        v.Field(2, "device"u8, ref Device, Unit.None, "Who read.");
        v.Field(3, "time_ns"u8, ref TimeNs, Unit.Nanoseconds, "When.");
        v.Field(4, "number"u8, ref Number, Unit.Count, "A number.");
        v.Field(5, "large"u8, ref Large, Unit.Count, "A large number.");
        v.Field(6, "wei"u8, ref Wei, Unit.Wei, "A very large number.");
        v.Field(7, "hash"u8, ref Hash, Unit.None, "A hash.");
        v.Field(8, "raw"u8, ref Raw, Unit.None, "Bytes.");
        v.Field(9, "level"u8, ref Level, Unit.Ratio, "A measurement.");
        v.Field(10, "is_good"u8, ref IsGood, Unit.None, "A flag.");
        v.Field(11, "count"u8, ref Count, Unit.Count, "An unsigned number.");
        v.Field(12, "maybe"u8, ref Maybe, Unit.Count, "A number that may be absent.");
        v.Field(13, "note"u8, ref Note, Unit.None, "A text.");
        v.Repeated(14, "tags"u8, ref Tags, Unit.None, "Words.");
    }
}
