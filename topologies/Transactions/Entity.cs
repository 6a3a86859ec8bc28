using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Topologies.Transactions;

/// <summary>A cluster of addresses that one party is taken to control, as it is after a
/// transaction.</summary>
public sealed class Entity : IDescribed<Entity>
{
    /// <summary>Its number, given in the order of the chain.</summary>
    public long EntityId;

    /// <summary>Whether it exists; retracted where the block that made it left the chain.</summary>
    public Operation Op;

    /// <summary>The entity that it became part of; absent while it is a whole.</summary>
    public long? MergedInto;

    /// <summary>Number of its addresses.</summary>
    public int Addresses;

    /// <summary>When its first address appeared.</summary>
    public long FirstSeenNs;

    /// <summary>Categories of its tagged addresses, comma-separated; absent for none.</summary>
    public Text? Categories;

    /// <summary>Country of the actor that one of its addresses is tagged with.</summary>
    public Text? Country;

    /// <summary>Owns the texts.</summary>
    public RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } =
        new("entity", 1, "A cluster of addresses that one party is taken to control.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Field(1, "entity_id"u8, ref EntityId, Unit.None, "Its number, given in the order of the chain.");
        v.Enum(2, "op"u8, ref Op, "Whether it exists.");
        v.Field(3, "merged_into"u8, ref MergedInto, Unit.None, "The entity that it became part of.");
        v.Field(4, "addresses"u8, ref Addresses, Unit.Count, "Number of its addresses.");
        v.Field(5, "first_seen_ns"u8, ref FirstSeenNs, Unit.Nanoseconds,
            "When its first address was first spent with another.");
        v.Field(6, "categories"u8, ref Categories, Unit.None, "Categories of its tagged addresses.");
        v.Field(7, "country"u8, ref Country, Unit.None, "Country of its tagged actor, ISO 3166-1 alpha-2.");
    }
}
