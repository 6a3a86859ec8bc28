using Streams.Records.Schemas;
using System.Collections.Frozen;
using Streams.Records;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>The words that files use for categories and abuses, and the category that each becomes.</summary>
/// <remarks>
/// Source: graphsense-tagpack-tool, src/tagpack/db/concepts.yaml (derived from the INTERPOL Dark Web and
/// Virtual Assets Taxonomy), and the further words that the public packs use (black_list, hacking, drugs,
/// weapons, social_engineering). A category's own name, such as <c>darknet_market</c>, is taken too.
/// </remarks>
public static class TagConcepts
{
    private const string Bitcoin = "BTC";

    private static readonly Text[] Names = NamesByNumber();
    private static readonly FrozenDictionary<string, TagCategory> Categories = Map().ToFrozenDictionary();

    /// <summary>The name of a category as records show it, ready to be written.</summary>
    public static Text NameOf(TagCategory category) => Names[(int)category];

    /// <summary>Finds the category of a word.</summary>
    /// <param name="concept">As a file has it: capitals, spaces and hyphens do not matter.</param>
    /// <param name="currency">Whose addresses are tagged, in capitals. A <c>market</c> of Bitcoin is a
    /// darknet market in every public pack; of other chains the word also means marketplaces of collectibles,
    /// so that it says nothing illegal.</param>
    /// <param name="category">The category; <see cref="TagCategory.Other"/> for an unknown word.</param>
    /// <returns>Whether the word is known.</returns>
    public static bool TryFind(string concept, string currency, out TagCategory category)
    {
        if (!Categories.TryGetValue(Normalize(concept), out category))
            return false;
        if (category == TagCategory.Market && currency == Bitcoin)
            category = TagCategory.DarknetMarket;
        return true;
    }

    /// <summary>The one spelling of a word: lower case, underscores.</summary>
    internal static string Normalize(string concept) =>
        concept.Trim().ToLowerInvariant().Replace(' ', '_').Replace('-', '_');

    /// <summary>The one spelling of a currency: capitals, and <c>BTC</c> for OFAC's <c>XBT</c>.</summary>
    internal static string NormalizeCurrency(string currency)
    {
        string upper = currency.Trim().ToUpperInvariant();
        return upper == "XBT" ? Bitcoin : upper;
    }

    private static Dictionary<string, TagCategory> Map()
    {
        var map = new Dictionary<string, TagCategory>();
        foreach (TagCategory category in Enum.GetValues<TagCategory>())
            map.Add(NameOf(category).ToString(), category);
        AddAbuses(map);
        AddEntities(map);
        return map;

        static void AddAbuses(Dictionary<string, TagCategory> map)
        {
            Add(map, TagCategory.SexualAbuse, "child_sexual_abuse");
            Add(map, TagCategory.Terrorism, "violence", "torture");
            Add(map, TagCategory.Hack, "service_hack", "hacking");
            Add(map, TagCategory.DarknetMarket, "dark_web", "drugs", "weapons");
            Add(map, TagCategory.Extortion, "sextortion");
            Add(map, TagCategory.Phishing, "social_engineering");
            Add(map, TagCategory.Fraud, "financial_crime", "investment_fraud", "ponzi_scheme",
                "pyramid_scheme", "payment_card_fraud");
            Add(map, TagCategory.Abuse, "perpetrator");
            Add(map, TagCategory.Blacklist, "black_list");
        }

        static void AddEntities(Dictionary<string, TagCategory> map)
        {
            Add(map, TagCategory.MixingService, "mixing");
            Add(map, TagCategory.CoinJoin, "coinjoin");
            Add(map, TagCategory.HostedWallet, "wallet_service", "escrow_wallet", "ico_wallet");
            Add(map, TagCategory.PaymentProcessor, "atm");
            Add(map, TagCategory.Miner, "mining_service");
            Add(map, TagCategory.Defi, "defi_dex", "defi_lending", "defi_derivative", "defi_bridge");
            Add(map, TagCategory.Market, "shop", "collectible");
            Add(map, TagCategory.Service, "filesharing", "index", "messaging_service", "search_engine",
                "faucet", "hosting", "vpn");
            Add(map, TagCategory.User, "donation", "victim");
            // Where a wallet stands or a tag was found says nothing about whose it is.
            Add(map, TagCategory.Other, "cold_wallet", "hot_wallet", "warm_wallet", "entity", "item",
                "mention", "forum_mention", "website_mention", "unknown");
        }

        static void Add(Dictionary<string, TagCategory> map, TagCategory category, params string[] concepts)
        {
            foreach (string concept in concepts)
                map.Add(concept, category);
        }
    }

    private static Text[] NamesByNumber()
    {
        TagCategory[] categories = Enum.GetValues<TagCategory>();
        var names = new Text[categories.Length];
        foreach (TagCategory category in categories)
            names[(int)category] = new Text(EnumSchema.SnakeCase(category.ToString()));
        return names;
    }
}
