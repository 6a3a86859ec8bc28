using Streams.Connect;
using Streams.Records;

namespace Streams.Tests.Integration;

/// <summary>What a key's numbers come to, after each of them.</summary>
public sealed class RunningSum : IDescribed<RunningSum>
{
    internal Text Name;
    internal long Count;
    internal long Sum;
    internal long Last;
    internal RecordMemory Memory;

    public static RecordType RecordType { get; } = new("running_sum", 1, "What a key's numbers come to.");

    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Field(1, "name"u8, ref Name, Unit.None, "The key.");
        v.Field(2, "count"u8, ref Count, Unit.Count, "How many they are.");
        v.Field(3, "sum"u8, ref Sum, Unit.Count, "What they add up to.");
        v.Field(4, "last"u8, ref Last, Unit.Count, "The last of them.");
    }
}

/// <summary>How many numbers a group of keys has had, after each of them.</summary>
public sealed class GroupCount : IDescribed<GroupCount>
{
    internal Text Name;
    internal long Count;
    internal RecordMemory Memory;

    public static RecordType RecordType { get; } = new("group_count", 1, "How many numbers a group had.");

    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Field(1, "name"u8, ref Name, Unit.None, "The group.");
        v.Field(2, "count"u8, ref Count, Unit.Count, "How many they are.");
    }
}

/// <summary>The worker's tables: every update is a row of the first and third, so that a checker sees one
/// that is missing or doubled; the second replaces.</summary>
internal static class KafkaWorkerTables
{
    internal const string AllSums = "all_sums";
    internal const string LastSums = "last_sums";
    internal const string AllCounts = "all_counts";

    internal static IReadOnlyList<TopicFormat> Formats =>
    [
        TopicFormat.Of(KafkaWorker.Sums, RecordSerde.Json<RunningSum>()),
        TopicFormat.Of(KafkaWorker.Counts, RecordSerde.Json<GroupCount>()),
    ];

    internal static IReadOnlyList<TableMapping> Mappings =>
    [
        new TableMapping { Topic = KafkaWorker.Sums, Table = AllSums },
        new TableMapping { Topic = KafkaWorker.Sums, Table = LastSums, Key = ["name"] },
        new TableMapping { Topic = KafkaWorker.Counts, Table = AllCounts },
    ];
}
