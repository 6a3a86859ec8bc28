using System.Globalization;
using Streams.Records;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>What kind of file tags came from.</summary>
public enum TagFileKind
{
    /// <summary>A GraphSense actor pack.</summary>
    ActorPack = 0,

    /// <summary>A GraphSense TagPack.</summary>
    Pack = 1,

    /// <summary>A sanctions list.</summary>
    SanctionList = 2,

    /// <summary>CSV.</summary>
    Csv = 3,
}

/// <summary>What became of one file.</summary>
/// <param name="Path">The file.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="EntriesRead">Tags in it, or actors: the sum of the three below.</param>
/// <param name="Kept">Those that were taken.</param>
/// <param name="OtherCurrency">Those of currencies that were not asked for.</param>
/// <param name="Skipped">Those that could not be used.</param>
public sealed record TagFileReport(
    string Path, TagFileKind Kind, int EntriesRead, int Kept, int OtherCurrency, int Skipped);

/// <summary>What loading found: every tag of every file is in one of the counts.</summary>
public sealed record TagLoadReport
{
    /// <summary>Each file, by kind and path.</summary>
    public required IReadOnlyList<TagFileReport> Files { get; init; }

    /// <summary>Tags in all files.</summary>
    public required int TagsRead { get; init; }

    /// <summary>Tags that the table is made of.</summary>
    public required int TagsKept { get; init; }

    /// <summary>Tags of currencies that were not asked for.</summary>
    public required int TagsOfOtherCurrency { get; init; }

    /// <summary>Tags that could not be used and were left out.</summary>
    public required int TagsSkipped { get; init; }

    /// <summary>Why the first of those were: file, line and reason, one line each.</summary>
    public required IReadOnlyList<string> SkippedReasons { get; init; }

    /// <summary>Addresses in the table.</summary>
    public required int Addresses { get; init; }

    /// <summary>Addresses that more than one tag was kept for.</summary>
    public required int AddressesMerged { get; init; }

    /// <summary>Addresses by category; one address may count in several.</summary>
    public required IReadOnlyDictionary<TagCategory, int> AddressesByCategory { get; init; }

    /// <summary>Actors that are known.</summary>
    public required int Actors { get; init; }

    /// <summary>Actors whose country is known.</summary>
    public required int ActorsWithCountry { get; init; }

    /// <summary>Kept tags whose actor stands in no actor pack.</summary>
    public required int TagsOfUnknownActor { get; init; }

    /// <summary>Unknown words for categories, taken as <c>other</c>, with how often they came.</summary>
    public required IReadOnlyDictionary<string, int> UnknownConcepts { get; init; }

    /// <summary>The table's version.</summary>
    public required Text Version { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>One line for people.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Version}: {Addresses:N0} addresses from {TagsKept:N0} tags ({TagsOfOtherCurrency:N0} of other "
        + $"currencies, {TagsSkipped:N0} skipped) in {Files.Count} files, {Duration.TotalSeconds:0.0} s");
}

/// <summary>What loading gives.</summary>
/// <param name="Table">The tags.</param>
/// <param name="Report">What was found on the way.</param>
public sealed record LoadedTags(TagTable Table, TagLoadReport Report);
