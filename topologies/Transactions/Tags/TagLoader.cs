using System.Runtime.InteropServices;
using Streams.Connect;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>Loads tags from files into a table.</summary>
public sealed class TagLoader
{
    private const int ReasonsMax = 20;

    private readonly TagOptions _options;
    private readonly Dictionary<string, TagActor> _actors = [];
    private readonly TagInterpreter _interpreter;
    private readonly TagTableBuilder _builder = new();
    private readonly List<TagFileReport> _files = [];
    private readonly List<string> _reasons = [];
    private readonly string? _onlyCurrency;

    private TagLoader(TagOptions options)
    {
        _options = options;
        HashSet<string> currencies = [.. options.Currencies.Select(TagConcepts.NormalizeCurrency)];
        _interpreter = new TagInterpreter(currencies, _actors);
        _onlyCurrency = currencies.Count == 1 ? currencies.First() : null;
    }

    /// <summary>Reads all files and makes the table.</summary>
    /// <param name="options">Which files, and for which currencies.</param>
    /// <param name="time">Measures how long it took; the system's clock when it is not given.</param>
    /// <exception cref="ConfigurationException">A file cannot be read or used; one line says which, where and
    /// what to do about it.</exception>
    public static LoadedTags Load(TagOptions options, TimeProvider? time = null)
    {
        options.Validate();
        time ??= TimeProvider.System;
        long start = time.GetTimestamp();
        var loader = new TagLoader(options);
        loader.ReadFiles();
        TagTable table = loader._builder.Build();
        return new LoadedTags(table, loader.Report(table, time.GetElapsedTime(start)));
    }

    private void ReadFiles()
    {
        // Actors first: tags take their countries from them.
        foreach (string path in TagPaths.Expand(_options.ActorPacks, ".yaml", ".yml"))
            AddActors(Read(path));
        foreach (string path in TagPaths.Expand(_options.Packs, ".yaml", ".yml"))
            AddTags(Read(path), TagFileKind.Pack);
        foreach (string path in TagPaths.Expand(_options.SanctionLists, ".json", ".yaml", ".yml", ".csv"))
            AddTags(Read(path), TagFileKind.SanctionList);
        foreach (string path in TagPaths.Expand(_options.CsvFiles, ".csv"))
            AddTags(Read(path), TagFileKind.Csv);
    }

    private TagFile Read(string path)
    {
        try
        {
            long max = _options.FileBytesMax;
            if (new FileInfo(path).Length > max)
                throw new ConfigurationException($"{path}: is over {max:N0} bytes. Raise FileBytesMax.");
            return new TagFile(path, File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{path}: cannot be read ({e.Message}). Correct its rights.", e);
        }
    }

    private void AddActors(TagFile file)
    {
        List<TagActor> actors = ActorPackReader.Read(file);
        foreach (TagActor actor in actors)
        {
            ref TagActor? known = ref CollectionsMarshal.GetValueRefOrAddDefault(_actors, actor.Id, out _);
            known ??= actor;
            if (known != actor)
                throw file.Defect(0, $"has another actor '{actor.Id}' than an earlier pack", "Remove one.");
        }
        _files.Add(new TagFileReport(file.Path, TagFileKind.ActorPack, actors.Count, actors.Count, 0, 0));
    }

    private void AddTags(TagFile file, TagFileKind kind)
    {
        TagPack pack = ReadPack(file, kind);
        var source = new TagSource(file, pack.Header, kind == TagFileKind.SanctionList);
        int kept = 0, otherCurrency = 0, skipped = 0;
        foreach (TagFields fields in pack.Tags)
        {
            fields.Inherit(pack.Header);
            (string? problem, AddressTag? tag) = _interpreter.Interpret(fields, source);
            if (problem is not null)
            {
                Skip(file, fields.Line, problem);
                skipped++;
            }
            else if (tag is { } usable)
            {
                Keep(usable);
                kept++;
            }
            else
            {
                otherCurrency++;
            }
        }
        _files.Add(new TagFileReport(file.Path, kind, pack.Tags.Count, kept, otherCurrency, skipped));
    }

    private TagPack ReadPack(TagFile file, TagFileKind kind)
    {
        // A sanctions list may come in any of the formats; the others are what they were given as.
        string extension = Path.GetExtension(file.Name).ToLowerInvariant();
        return kind switch
        {
            TagFileKind.Csv => TagCsvReader.Read(file, _onlyCurrency),
            TagFileKind.SanctionList when extension == ".csv" => TagCsvReader.Read(file, _onlyCurrency),
            TagFileKind.SanctionList when extension == ".json" => SanctionListReader.Read(file),
            _ => TagPackReader.Read(file),
        };
    }

    private void Keep(AddressTag tag)
    {
        int max = _options.TagsMax;
        if (_builder.TagCount == max)
            throw new ConfigurationException($"Tags: there are over {max:N0}. Raise TagsMax or give less.");
        _builder.Add(tag.Address, tag.Facts);
    }

    private void Skip(TagFile file, long line, string problem)
    {
        if (!_options.SkipBadTags)
            throw file.Defect(line, problem, "Correct it, or have bad tags skipped (SkipBadTags).");
        if (_reasons.Count < ReasonsMax)
            _reasons.Add(file.Describe(line, problem, "Skipped."));
    }

    private TagLoadReport Report(TagTable table, TimeSpan duration) => new()
    {
        Files = _files,
        TagsRead = Sum(file => file.EntriesRead),
        TagsKept = Sum(file => file.Kept),
        TagsOfOtherCurrency = Sum(file => file.OtherCurrency),
        TagsSkipped = Sum(file => file.Skipped),
        SkippedReasons = _reasons,
        Addresses = table.Count,
        AddressesMerged = _builder.MergedCount,
        AddressesByCategory = CountCategories(table),
        Actors = _actors.Count,
        ActorsWithCountry = _actors.Values.Count(actor => actor.Country is not null),
        TagsOfUnknownActor = _interpreter.UnknownActors,
        UnknownConcepts = _interpreter.UnknownConcepts,
        Version = table.Version,
        Duration = duration,
    };

    private int Sum(Func<TagFileReport, int> count)
    {
        int sum = 0;
        foreach (TagFileReport file in _files)
            sum += file.Kind == TagFileKind.ActorPack ? 0 : count(file);
        return sum;
    }

    private static SortedDictionary<TagCategory, int> CountCategories(TagTable table)
    {
        var counts = new SortedDictionary<TagCategory, int>();
        foreach (TaggedAddress tagged in table)
        {
            foreach (TagCategory category in Enum.GetValues<TagCategory>())
            {
                if (tagged.Entry.Categories.Contains(category))
                    counts[category] = counts.GetValueOrDefault(category) + 1;
            }
        }
        return counts;
    }
}
