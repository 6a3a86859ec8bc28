namespace Streams.Topologies.Transactions.Tags;

/// <summary>All that a tag says of its address. The equal tags of many addresses share one.</summary>
/// <param name="Categories">Never empty.</param>
/// <param name="Confidence">0 to 100.</param>
/// <param name="Label">For people, on one line.</param>
/// <param name="Abuse">The first abuse that the tag names, in the source's word.</param>
/// <param name="Actor">The id of the actor.</param>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
/// <param name="Pack">The file's name.</param>
/// <param name="SanctionList">The sanctions list and its version, for a tag that is an entry of one.</param>
internal sealed record TagFacts(
    TagCategorySet Categories, int Confidence, string Label, string? Abuse, string? Actor, string? Country,
    string Pack, string? SanctionList)
    : IComparable<TagFacts>
{
    /// <summary>The category and the label, as records show a tag.</summary>
    internal string Text => $"{TagConcepts.NameOf(Categories.Leading)}:{Label}";

    /// <summary>
    /// Orders the tags of an address, the one that speaks for it first: the surest, of those one that names
    /// an actor, of those the weightiest. The rest makes the order total, whatever that of the files.
    /// </summary>
    public int CompareTo(TagFacts? other)
    {
        if (other is null)
            return -1;
        int order = other.Confidence.CompareTo(Confidence);
        order = order != 0 ? order : (Actor is null).CompareTo(other.Actor is null);
        order = order != 0 ? order : Weight(this).CompareTo(Weight(other));
        order = order != 0 ? order : string.CompareOrdinal(Label, other.Label);
        order = order != 0 ? order : Categories.Bits.CompareTo(other.Categories.Bits);
        order = order != 0 ? order : string.CompareOrdinal(Abuse, other.Abuse);
        order = order != 0 ? order : string.CompareOrdinal(Actor, other.Actor);
        order = order != 0 ? order : string.CompareOrdinal(Country, other.Country);
        order = order != 0 ? order : string.CompareOrdinal(Pack, other.Pack);
        return order != 0 ? order : string.CompareOrdinal(SanctionList, other.SanctionList);
    }

    private static uint Weight(TagFacts facts) => (uint)facts.Categories.Leading - 1;
}

/// <summary>One tag of one address.</summary>
internal readonly record struct AddressTag(string Address, TagFacts Facts) : IComparable<AddressTag>
{
    /// <summary>By address, and within an address as <see cref="TagFacts.CompareTo"/> says.</summary>
    public int CompareTo(AddressTag other)
    {
        int order = string.CompareOrdinal(Address, other.Address);
        return order != 0 ? order : Facts.CompareTo(other.Facts);
    }
}
