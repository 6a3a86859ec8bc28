using Streams.Connect;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>Reads GraphSense TagPacks: a list of tags in YAML, and beside it what holds for all.</summary>
/// <remarks>
/// Source: graphsense-tagpack-tool, src/tagpack/conf/tagpack_schema.yaml and README "TagPacks". The header
/// may follow the tags, so that tags are read before anything can be inherited. A <c>category</c> or
/// <c>abuse</c> may be a list, and merge keys (<c>&lt;&lt;: *name</c>) are followed.
/// </remarks>
internal sealed class TagPackReader
{
    private const string MergeKey = "<<";

    private readonly TagFile _file;
    private readonly YamlCursor _cursor;
    private readonly Dictionary<string, TagFields> _anchored = [];

    private TagPackReader(TagFile file)
    {
        _file = file;
        _cursor = new YamlCursor(file);
    }

    /// <summary>Reads a pack.</summary>
    /// <exception cref="ConfigurationException">The file is not a tag pack.</exception>
    internal static TagPack Read(TagFile file) => new TagPackReader(file).ReadPack();

    private TagPack ReadPack()
    {
        var header = new TagFields(_cursor.Line);
        if (!_cursor.TryOpenMapping())
            throw NoTags(_cursor.Line);
        List<TagFields>? tags = null;
        while (!_cursor.TryCloseMapping())
        {
            string key = _cursor.ReadKey();
            if (key == "tags" && tags is not null)
                throw _file.Defect(_cursor.Line, "has a second `tags` list", "Join the two.");
            if (key == "tags")
                tags = ReadTags();
            else if (_cursor.IsAnchoredMapping)
                // Fields that tags may merge in. Only here: what nests is never followed by nesting calls.
                _ = ReadTag();
            else
                ReadField(header, key);
        }
        _cursor.Close();
        if (tags is null)
            throw NoTags(0);
        if (header.Problem is not null)
            throw _file.Defect(header.Line, header.Problem, "Correct the header.");
        return new TagPack(header, tags);
    }

    private List<TagFields> ReadTags()
    {
        if (!_cursor.TryOpenSequence())
            throw NoTags(_cursor.Line);
        var tags = new List<TagFields>();
        while (!_cursor.TryCloseSequence())
            tags.Add(ReadTag());
        return tags;
    }

    private TagFields ReadTag()
    {
        long line = _cursor.Line;
        string? anchor = _cursor.Anchor;
        var tag = new TagFields(line);
        if (_cursor.TryOpenMapping())
        {
            while (!_cursor.TryCloseMapping())
                ReadField(tag, _cursor.ReadKey());
            if (anchor is not null)
                _anchored[anchor] = tag;
            return tag;
        }
        tag.Problem = "has a tag that is not a mapping of fields";
        _cursor.Skip();
        return tag;
    }

    private void ReadField(TagFields tag, string key)
    {
        bool isUsable = key switch
        {
            "address" => _cursor.TryReadText(out tag.Address),
            "label" => _cursor.TryReadText(out tag.Label),
            "currency" => _cursor.TryReadText(out tag.Currency),
            "network" => _cursor.TryReadText(out tag.Network),
            "confidence" => _cursor.TryReadText(out tag.Confidence),
            "actor" => _cursor.TryReadText(out tag.Actor),
            "lastmod" => _cursor.TryReadText(out tag.LastModified),
            "category" => _cursor.TryReadTexts(out tag.Categories),
            "abuse" => _cursor.TryReadTexts(out tag.Abuses),
            "concepts" => _cursor.TryReadTexts(out tag.Concepts),
            MergeKey => TryMerge(tag),
            _ => Pass(),
        };
        if (!isUsable)
            tag.Problem ??= $"has a field `{key}` that is not text";
    }

    // What no field here needs: titles, sources, contexts.
    private bool Pass()
    {
        _cursor.Skip();
        return true;
    }

    private bool TryMerge(TagFields tag)
    {
        if (!_cursor.TryOpenSequence())
            return TryMergeOne(tag);
        bool isUsable = true;
        while (!_cursor.TryCloseSequence())
            isUsable &= TryMergeOne(tag);
        return isUsable;
    }

    private bool TryMergeOne(TagFields tag)
    {
        string? name = _cursor.ReadAlias();
        if (name is null || !_anchored.TryGetValue(name, out TagFields? defaults))
            return false;
        tag.Inherit(defaults);
        return true;
    }

    private ConfigurationException NoTags(long line) => _file.Defect(
        line, "has no list `tags`, so it is not a tag pack",
        "Give actor packs as actor packs, or take it off the list.");
}
