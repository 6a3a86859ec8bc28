using System.Security.Cryptography;
using Streams.Buffers;
using Streams.Records;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>What the tags of an address say together. Addresses with the same tags share one.</summary>
/// <remarks>
/// The texts live as long as the entry, so that a record may refer to them without a copy. Where tags differ,
/// the one of the highest confidence speaks; then one that names an actor; then the weightiest category.
/// </remarks>
public sealed class TagEntry
{
    private readonly Text[] _tags;
    private readonly Text[] _packs;

    /// <summary>Sums up tags.</summary>
    /// <param name="facts">At least one, in order, without repetitions.</param>
    /// <param name="texts">Makes texts, the same for the same words.</param>
    internal TagEntry(ReadOnlySpan<TagFacts> facts, Func<string, Text> texts)
    {
        var tags = new List<string>();
        var packs = new SortedSet<string>(StringComparer.Ordinal);
        var lists = new SortedSet<string>(StringComparer.Ordinal);
        string? abuse = null, actor = null, country = null;
        foreach (TagFacts fact in facts)
        {
            Categories |= fact.Categories;
            abuse ??= fact.Abuse;
            actor ??= fact.Actor;
            country ??= fact.Country;
            if (!tags.Contains(fact.Text))
                tags.Add(fact.Text);
            packs.Add(fact.Pack);
            if (fact.SanctionList is not null)
                lists.Add(fact.SanctionList);
        }
        Label = texts(facts[0].Label);
        Confidence = facts[0].Confidence;
        Abuse = abuse is null ? null : texts(abuse);
        Actor = actor is null ? null : texts(actor);
        Country = country is null ? null : texts(country);
        SanctionLists = lists.Count == 0 ? null : texts(string.Join(", ", lists));
        _tags = [.. tags.Select(texts)];
        _packs = [.. packs.Select(texts)];
        Digest = ComputeDigest();
    }

    /// <summary>All that the address is said to be.</summary>
    public TagCategorySet Categories { get; }

    /// <summary>The weightiest of <see cref="Categories"/>.</summary>
    public TagCategory Category => Categories.Leading;

    /// <summary>Whether the address is on a list (rule R1); <see cref="SanctionLists"/> says which.</summary>
    public bool IsSanctioned => Categories.Contains(TagCategory.Sanction);

    /// <summary>Whether it is a criminal's (rule R3): <see cref="TagCategorySet.Illicit"/>.</summary>
    public bool IsIllicit => Categories.Overlaps(TagCategorySet.Illicit);

    /// <summary>Whether it hides origins (rule R4): <see cref="TagCategorySet.Mixers"/>.</summary>
    public bool IsMixer => Categories.Overlaps(TagCategorySet.Mixers);

    /// <summary>Whether it is a service's (rule R9): <see cref="TagCategorySet.Services"/>.</summary>
    public bool IsService => Categories.Overlaps(TagCategorySet.Services);

    /// <summary>The label of the tag that speaks for the address.</summary>
    public Text Label { get; }

    /// <summary>The confidence of that tag, 0 to 100.</summary>
    public int Confidence { get; }

    /// <summary>The kind of abuse in the source's word, such as <c>sextortion</c>; absent for none.</summary>
    public Text? Abuse { get; }

    /// <summary>The id of the actor; absent where no tag names one.</summary>
    public Text? Actor { get; }

    /// <summary>The country of the actor, ISO 3166-1 alpha-2; absent where it is not known.</summary>
    public Text? Country { get; }

    /// <summary>Each tag as <c>category:label</c>, the one that speaks first, without repetitions.</summary>
    public ReadOnlySpan<Text> Tags => _tags;

    /// <summary>The names of the files that the tags came from, ascending.</summary>
    public ReadOnlySpan<Text> Packs => _packs;

    /// <summary>
    /// The sanctions lists that have the address, each with its version as <c>name@date#digest</c>, separated
    /// by commas; the date only where the list states one. Absent for an address on none.
    /// </summary>
    public Text? SanctionLists { get; }

    /// <summary>SHA-256 of all of the above: equal for entries that say the same.</summary>
    public Bytes32 Digest { get; }

    /// <summary>The tags, for people.</summary>
    public override string ToString() => string.Join(", ", _tags);

    // Every text with its length before it, so that no two entries run together to the same bytes.
    private Bytes32 ComputeDigest()
    {
        using var canonical = new PooledBuffer();
        canonical.WriteVarint(Categories.Bits);
        canonical.WriteVarint((ulong)Confidence);
        Write(canonical, Label);
        Write(canonical, Abuse);
        Write(canonical, Actor);
        Write(canonical, Country);
        Write(canonical, SanctionLists);
        WriteAll(canonical, _tags);
        WriteAll(canonical, _packs);
        return new Bytes32(SHA256.HashData(canonical.WrittenSpan));
    }

    private static void WriteAll(PooledBuffer canonical, Text[] texts)
    {
        canonical.WriteVarint((ulong)texts.Length);
        foreach (Text text in texts)
            Write(canonical, text);
    }

    private static void Write(PooledBuffer canonical, Text? text)
    {
        ReadOnlySpan<byte> bytes = text is { } present ? present.Span : default;
        canonical.WriteVarint((ulong)bytes.Length);
        canonical.Write(bytes);
    }
}
