using Streams.Connect;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>An exchange, a service, a group: whoever tags name by an id.</summary>
/// <param name="Id">As tags refer to it.</param>
/// <param name="Country">Its first jurisdiction, ISO 3166-1 alpha-2; null where none is stated.</param>
internal sealed record TagActor(string Id, string? Country);

/// <summary>Reads GraphSense actor packs: a YAML mapping with a list of actors.</summary>
/// <remarks>Source: graphsense-tagpack-tool, src/tagpack/conf/actorpack_schema.yaml.</remarks>
internal sealed class ActorPackReader
{
    private const int CountryChars = 2;

    private readonly TagFile _file;
    private readonly YamlCursor _cursor;

    private ActorPackReader(TagFile file)
    {
        _file = file;
        _cursor = new YamlCursor(file);
    }

    /// <summary>Reads a pack.</summary>
    /// <exception cref="ConfigurationException">The file is not an actor pack, or one of its actors cannot be
    /// used: to leave it out would take the country from all of its addresses.</exception>
    internal static List<TagActor> Read(TagFile file) => new ActorPackReader(file).ReadPack();

    private List<TagActor> ReadPack()
    {
        if (!_cursor.TryOpenMapping())
            throw NoActors(_cursor.Line);
        List<TagActor>? actors = null;
        while (!_cursor.TryCloseMapping())
        {
            string key = _cursor.ReadKey();
            if (key != "actors")
                _cursor.Skip();
            else if (actors is null)
                actors = ReadActors();
            else
                throw _file.Defect(_cursor.Line, "has a second `actors` list", "Join the two.");
        }
        _cursor.Close();
        return actors ?? throw NoActors(0);
    }

    private List<TagActor> ReadActors()
    {
        if (!_cursor.TryOpenSequence())
            throw NoActors(_cursor.Line);
        var actors = new List<TagActor>();
        while (!_cursor.TryCloseSequence())
            actors.Add(ReadActor());
        return actors;
    }

    private TagActor ReadActor()
    {
        long line = _cursor.Line;
        if (!_cursor.TryOpenMapping())
            throw _file.Defect(line, "has an actor that is not a mapping of fields", "Write `id: ...`.");
        string? id = null;
        string[]? jurisdictions = null;
        while (!_cursor.TryCloseMapping())
        {
            string key = _cursor.ReadKey();
            bool isUsable = key switch
            {
                "id" => _cursor.TryReadText(out id),
                "jurisdictions" => _cursor.TryReadTexts(out jurisdictions),
                _ => Pass(),
            };
            if (!isUsable)
                throw _file.Defect(line, $"has an actor whose `{key}` is not text", "Correct it.");
        }
        if (id is null)
            throw _file.Defect(line, "has an actor without `id`", "Give it the id that tags name it by.");
        return new TagActor(id.Trim(), CountryOf(jurisdictions, line));
    }

    private bool Pass()
    {
        _cursor.Skip();
        return true;
    }

    private string? CountryOf(string[]? jurisdictions, long line)
    {
        if (jurisdictions is null)
            return null;
        string country = jurisdictions[0].Trim();
        return IsCountry(country)
            ? country
            : throw _file.Defect(line, $"has jurisdiction '{country}'", "Write two capitals (ISO 3166-1).");
    }

    /// <summary>Whether a text has the form of an ISO 3166-1 alpha-2 code.</summary>
    internal static bool IsCountry(string text) =>
        text.Length == CountryChars && char.IsAsciiLetterUpper(text[0]) && char.IsAsciiLetterUpper(text[1]);

    private ConfigurationException NoActors(long line) => _file.Defect(
        line, "has no list `actors`, so it is not an actor pack",
        "Give tag packs as packs, or take it off the list.");
}
