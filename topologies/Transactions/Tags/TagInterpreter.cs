using System.Text;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>What became of a tag: a problem, a tag, or neither for one of another currency.</summary>
internal readonly record struct Interpretation(string? Problem, AddressTag? Tag);

/// <summary>Understands the fields of tags: currency, address, category, confidence, country.</summary>
/// <param name="currencies">Those that are asked for, in the table's spelling.</param>
/// <param name="actors">By their ids.</param>
internal sealed class TagInterpreter(
    IReadOnlySet<string> currencies, IReadOnlyDictionary<string, TagActor> actors)
{
    private const int AddressCharsMax = 128;
    private const int HexAddressChars = 42;
    private const int LabelCharsMax = 400;

    private readonly SortedDictionary<string, int> _unknownConcepts = new(StringComparer.Ordinal);

    /// <summary>Words for categories that are not known, with how often they came.</summary>
    internal IReadOnlyDictionary<string, int> UnknownConcepts => _unknownConcepts;

    /// <summary>Tags whose actor is not known.</summary>
    internal int UnknownActors { get; private set; }

    /// <summary>Understands a tag.</summary>
    /// <param name="fields">With what it inherits.</param>
    /// <param name="source">Where it comes from.</param>
    internal Interpretation Interpret(TagFields fields, TagSource source)
    {
        if (fields.Problem is not null)
            return Bad(fields.Problem);
        if (string.IsNullOrWhiteSpace(fields.Address))
            return Bad("has a tag without address");
        if ((fields.Network ?? fields.Currency) is not { } currency)
            return Bad($"does not say the currency of {fields.Address}");
        currency = TagConcepts.NormalizeCurrency(currency);
        if (!currencies.Contains(currency))
            return default;
        if (!TryNormalize(fields.Address, out string address))
            return Bad($"has address '{Cut(fields.Address)}', which is too long or has spaces");
        if (OneLine(fields.Label) is not { Length: > 0 and <= LabelCharsMax } label)
            return Bad($"has no label of 1 to {LabelCharsMax} characters for {address}");
        if (!TryReadConfidence(fields, source, out int confidence))
            return Bad($"has confidence '{Cut(fields.Confidence!)}', which is neither 0 to 100 nor one of "
                + string.Join(", ", TagConfidence.Names));
        if (fields.Country is not null && !ActorPackReader.IsCountry(fields.Country))
            return Bad($"has country '{Cut(fields.Country)}', which is not two capitals as in ISO 3166-1");
        TagCategorySet categories = CategoriesOf(fields, source, currency, out string? abuse);
        string? actor = ActorOf(fields, out string? country);
        var facts = new TagFacts(
            categories, confidence, label, abuse, actor, country, source.File.Name,
            categories.Contains(TagCategory.Sanction) ? source.ListVersion : null);
        return new Interpretation(null, new AddressTag(address, facts));
    }

    private static Interpretation Bad(string problem) => new(problem, null);

    private static string Cut(string text) =>
        text.Length <= AddressCharsMax ? text : text[..AddressCharsMax] + "...";

    // Some packs have spaces around addresses, and lists differ in the case of what is not case-sensitive.
    private static bool TryNormalize(string text, out string address)
    {
        address = text.Trim();
        if (address.Length is 0 or > AddressCharsMax)
            return false;
        foreach (char c in address)
        {
            if (c is <= ' ' or > '~')
                return false;
        }
        bool isHex = address.Length == HexAddressChars
            && address.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        // Bech32 is all lower case or, for QR codes, all capitals (BIP 173).
        bool isCapitalBech32 = address.StartsWith("BC1", StringComparison.Ordinal)
            && !address.AsSpan().ContainsAnyInRange('a', 'z');
        if (isHex || isCapitalBech32)
            address = address.ToLowerInvariant();
        return true;
    }

    private static string OneLine(string? text)
    {
        if (text is null)
            return "";
        var line = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            bool isGap = char.IsControl(c) || char.IsWhiteSpace(c);
            if (!isGap)
                line.Append(c);
            else if (line.Length > 0 && line[^1] != ' ')
                line.Append(' ');
        }
        return line.ToString().TrimEnd();
    }

    private static bool TryReadConfidence(TagFields fields, TagSource source, out int confidence)
    {
        if (fields.Confidence is not null)
            return TagConfidence.TryParse(fields.Confidence, out confidence);
        confidence = source.IsSanctionList ? TagConfidence.Authority : TagConfidence.Unknown;
        return true;
    }

    private TagCategorySet CategoriesOf(
        TagFields fields, TagSource source, string currency, out string? abuse)
    {
        var categories = default(TagCategorySet);
        abuse = fields.Abuses is null ? null : TagConcepts.Normalize(fields.Abuses[0]);
        string[] words = [.. fields.Abuses ?? [], .. fields.Categories ?? [], .. fields.Concepts ?? []];
        foreach (string word in words)
        {
            if (!TagConcepts.TryFind(word, currency, out TagCategory category))
                CountUnknown(TagConcepts.Normalize(word));
            if (TagCategorySet.Abuses.Contains(category))
                abuse ??= TagConcepts.Normalize(word);
            if (category != TagCategory.Other)
                categories |= TagCategorySet.Of(category);
        }
        if (source.IsSanctionList)
        {
            categories |= TagCategorySet.Of(TagCategory.Sanction);
            abuse ??= TagConcepts.NameOf(TagCategory.Sanction).ToString();
        }
        return categories.Bits == 0 ? TagCategorySet.Of(TagCategory.Other) : categories;
    }

    private void CountUnknown(string concept) =>
        _unknownConcepts[concept] = _unknownConcepts.GetValueOrDefault(concept) + 1;

    private string? ActorOf(TagFields fields, out string? country)
    {
        country = fields.Country;
        if (string.IsNullOrWhiteSpace(fields.Actor))
            return null;
        string id = OneLine(fields.Actor);
        if (actors.TryGetValue(id, out TagActor? actor))
            country ??= actor.Country;
        else
            UnknownActors++;
        return id;
    }
}
