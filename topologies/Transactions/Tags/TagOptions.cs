using Streams.Connect;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>The files that tags are loaded from. docs/labels.md describes their formats.</summary>
/// <remarks>
/// Each path is a file, a folder (all files of the kind below it), or a pattern with <c>*</c>, <c>?</c> and
/// <c>**</c>. One that finds nothing is a mistake and stops the start. The order of paths has no effect.
/// </remarks>
public sealed record TagOptions
{
    /// <summary>Codes of the currencies whose addresses are loaded; tags of others are counted and left out.
    /// Default BTC. For Ethereum: ETH, and the tokens whose lists name its accounts (USDT, USDC).</summary>
    public IReadOnlyList<string> Currencies { get; init; } = ["BTC"];

    /// <summary>GraphSense TagPacks (<c>.yaml</c>, <c>.yml</c>). Default none.</summary>
    public IReadOnlyList<string> Packs { get; init; } = [];

    /// <summary>GraphSense actor packs (<c>.yaml</c>, <c>.yml</c>), for countries. Default none.</summary>
    public IReadOnlyList<string> ActorPacks { get; init; } = [];

    /// <summary>Sanctions lists: JSON arrays of addresses, one file for each currency (<c>.json</c>), and
    /// packs or CSV whose every entry is sanctioned (their own extensions). Default none.</summary>
    public IReadOnlyList<string> SanctionLists { get; init; } = [];

    /// <summary>CSV with a header row (<c>.csv</c>). Default none.</summary>
    public IReadOnlyList<string> CsvFiles { get; init; } = [];

    /// <summary>Whether a tag that cannot be used is counted and left out, rather than stopping the start. A
    /// file that cannot be read at all always stops it. Default false.</summary>
    public bool SkipBadTags { get; init; }

    /// <summary>Most tags that are kept. Default 5,000,000.</summary>
    public int TagsMax { get; init; } = 5_000_000;

    /// <summary>Largest file, in bytes. Default 268,435,456 (256 MiB).</summary>
    public long FileBytesMax { get; init; } = 256L << 20;

    /// <summary>Checks what can be checked without reading a file.</summary>
    /// <exception cref="ConfigurationException">An option can never work.</exception>
    internal void Validate()
    {
        if (Currencies.Count == 0)
            throw new ConfigurationException("Tags: no currency is given. Name one, such as BTC.");
        if (TagsMax <= 0)
            throw new ConfigurationException($"Tags: TagsMax is {TagsMax}. Give a positive number.");
        if (FileBytesMax is <= 0 or > int.MaxValue)
            throw new ConfigurationException($"Tags: FileBytesMax is {FileBytesMax}. Give 1 to 2147483647.");
    }
}
