using System.Numerics;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>A set of categories, in one word.</summary>
/// <param name="Bits">One bit for each category, by its number.</param>
public readonly record struct TagCategorySet(uint Bits)
{
    /// <summary>The categories whose money is the proceeds of a crime, or pays for one (rule R3).</summary>
    public static readonly TagCategorySet Illicit = Of(
        TagCategory.SexualAbuse, TagCategory.Terrorism, TagCategory.Ransomware, TagCategory.Hack,
        TagCategory.DarknetMarket, TagCategory.Extortion, TagCategory.MoneyLaundering, TagCategory.Phishing,
        TagCategory.Fraud, TagCategory.Scam);

    /// <summary>The categories that say what is wrong with an address, not what it is.</summary>
    public static readonly TagCategorySet Abuses =
        Illicit | Of(TagCategory.Sanction, TagCategory.Extremism, TagCategory.Abuse);

    /// <summary>The categories that hide where money came from (rule R4).</summary>
    public static readonly TagCategorySet Mixers = Of(TagCategory.MixingService, TagCategory.CoinJoin);

    /// <summary>The categories that deal with many strangers by trade (rule R9).</summary>
    public static readonly TagCategorySet Services = Of(
        TagCategory.Gambling, TagCategory.Exchange, TagCategory.HostedWallet, TagCategory.PaymentProcessor,
        TagCategory.Miner, TagCategory.Defi, TagCategory.Market, TagCategory.Service);

    private const uint OtherBit = 1;

    /// <summary>Number of categories in the set.</summary>
    public int Count => BitOperations.PopCount(Bits);

    /// <summary>The weightiest category; <see cref="TagCategory.Other"/> when there is none.</summary>
    public TagCategory Leading
    {
        get
        {
            uint named = Bits & ~OtherBit;
            return named == 0 ? TagCategory.Other : (TagCategory)BitOperations.TrailingZeroCount(named);
        }
    }

    /// <summary>The set of the given categories.</summary>
    public static TagCategorySet Of(params ReadOnlySpan<TagCategory> categories)
    {
        uint bits = 0;
        foreach (TagCategory category in categories)
            bits |= 1u << (int)category;
        return new TagCategorySet(bits);
    }

    /// <summary>What is in either set.</summary>
    public static TagCategorySet operator |(TagCategorySet left, TagCategorySet right) =>
        new(left.Bits | right.Bits);

    /// <summary>What is in either set.</summary>
    public TagCategorySet Union(TagCategorySet other) => this | other;

    /// <summary>Whether the category is in the set.</summary>
    public bool Contains(TagCategory category) => (Bits & (1u << (int)category)) != 0;

    /// <summary>Whether the sets share a category.</summary>
    public bool Overlaps(TagCategorySet other) => (Bits & other.Bits) != 0;

    /// <summary>The names, by weight, as records show them.</summary>
    public override string ToString()
    {
        var names = new List<string>();
        foreach (TagCategory category in Enum.GetValues<TagCategory>())
        {
            if (Contains(category))
                names.Add(TagConcepts.NameOf(category).ToString());
        }
        return string.Join(", ", names);
    }
}
