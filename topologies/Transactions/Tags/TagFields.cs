namespace Streams.Topologies.Transactions.Tags;

/// <summary>The fields of one tag as a file has them, before anything is inherited or understood. A pack's
/// header is one too: what it says holds for every tag that does not say otherwise.</summary>
/// <param name="line">Where the tag starts, counted from 1.</param>
internal sealed class TagFields(long line)
{
    internal readonly long Line = line;
    internal string? Address;
    internal string? Label;
    internal string? Currency;
    internal string? Network;
    internal string? Confidence;
    internal string? Actor;
    internal string? Country;
    internal string? LastModified;
    internal string[]? Categories;
    internal string[]? Abuses;
    internal string[]? Concepts;

    /// <summary>Why the tag cannot be used; null while it can.</summary>
    internal string? Problem;

    /// <summary>Takes from <paramref name="defaults"/> what is not set here.</summary>
    internal void Inherit(TagFields defaults)
    {
        Address ??= defaults.Address;
        Label ??= defaults.Label;
        Currency ??= defaults.Currency;
        Network ??= defaults.Network;
        Confidence ??= defaults.Confidence;
        Actor ??= defaults.Actor;
        Country ??= defaults.Country;
        LastModified ??= defaults.LastModified;
        Categories ??= defaults.Categories;
        Abuses ??= defaults.Abuses;
        Concepts ??= defaults.Concepts;
    }
}

/// <summary>What a reader makes of a file.</summary>
/// <param name="Header">What holds for every tag.</param>
/// <param name="Tags">In the file's order, bad ones among them.</param>
internal sealed record TagPack(TagFields Header, List<TagFields> Tags);
