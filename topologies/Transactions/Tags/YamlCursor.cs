using Streams.Connect;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>Walks a YAML file from node to node, without building a tree of it.</summary>
/// <remarks>
/// Source: YAML 1.2.2, chapter 3. Aliases of texts are followed here; those of mappings are the caller's
/// (<see cref="Anchor"/>, <see cref="ReadAlias"/>), who knows what a mapping became.
/// </remarks>
internal sealed class YamlCursor
{
    private readonly TagFile _file;
    private readonly Parser _parser;
    private readonly Dictionary<string, string?> _texts = [];

    internal YamlCursor(TagFile file)
    {
        _file = file;
        _parser = new Parser(new Scanner(new StringReader(file.Text()), skipComments: true));
        Advance();
        Advance();
        if (_parser.Current is StreamEnd)
            throw file.Defect(0, "is empty", "Restore its content, or take it off the list.");
        Advance();
    }

    /// <summary>Where the current node starts, counted from 1.</summary>
    internal long Line => _parser.Current!.Start.Line;

    /// <summary>The anchor of the current node; null where it has none.</summary>
    internal string? Anchor =>
        _parser.Current is NodeEvent { Anchor.IsEmpty: false } node ? node.Anchor.Value : null;

    /// <summary>Whether the current node is a mapping that an alias can name.</summary>
    internal bool IsAnchoredMapping => _parser.Current is MappingStart { Anchor.IsEmpty: false };

    /// <summary>Steps into a mapping; false, and no step, where there is none.</summary>
    internal bool TryOpenMapping() => TryPass<MappingStart>();

    /// <summary>Steps into a sequence; false, and no step, where there is none.</summary>
    internal bool TryOpenSequence() => TryPass<SequenceStart>();

    /// <summary>Steps out of a mapping at its end.</summary>
    internal bool TryCloseMapping() => TryPass<MappingEnd>();

    /// <summary>Steps out of a sequence at its end.</summary>
    internal bool TryCloseSequence() => TryPass<SequenceEnd>();

    /// <summary>Reads the key of a mapping's next entry.</summary>
    internal string ReadKey()
    {
        long line = Line;
        if (TryTakeText(out string? key) && key is not null)
            return key;
        throw _file.Defect(line, "has a key that is not text", "Write `name: value`.");
    }

    /// <summary>Reads a text; false where the node is something else, which is passed.</summary>
    /// <param name="text">Null where the node says that there is nothing.</param>
    internal bool TryReadText(out string? text)
    {
        if (TryTakeText(out text))
            return true;
        Skip();
        return false;
    }

    /// <summary>Reads a text or a sequence of texts; false where the node is neither, and passed.</summary>
    /// <param name="texts">Null where there is none.</param>
    internal bool TryReadTexts(out string[]? texts)
    {
        texts = null;
        if (!TryOpenSequence())
        {
            bool isText = TryReadText(out string? single);
            texts = single is null ? null : [single];
            return isText;
        }
        var list = new List<string>();
        bool areTexts = true;
        while (!TryCloseSequence())
        {
            areTexts &= TryReadText(out string? item);
            if (item is not null)
                list.Add(item);
        }
        texts = list.Count == 0 ? null : [.. list];
        return areTexts;
    }

    /// <summary>Reads the name of an alias; null where the node is something else, which is passed.</summary>
    internal string? ReadAlias()
    {
        string? name = _parser.Current is AnchorAlias alias ? alias.Value.Value : null;
        Skip();
        return name;
    }

    /// <summary>Passes the current node and all that is in it.</summary>
    internal void Skip()
    {
        // By counting, not by calling itself: a file may nest deeper than the stack.
        int depth = 0;
        do
        {
            depth += _parser.Current!.NestingIncrease;
            Advance();
        }
        while (depth > 0);
    }

    /// <summary>Makes sure that nothing follows the document.</summary>
    internal void Close()
    {
        if (!TryPass<DocumentEnd>() || _parser.Current is not StreamEnd)
            throw _file.Defect(Line, "has a second YAML document", "Put it into a file of its own.");
    }

    private bool TryTakeText(out string? text)
    {
        switch (_parser.Current)
        {
            case Scalar scalar:
                text = TextOf(scalar);
                break;
            case AnchorAlias alias when _texts.TryGetValue(alias.Value.Value, out text):
                break;
            default:
                text = null;
                return false;
        }
        Advance();
        return true;
    }

    private static string? TextOf(Scalar scalar)
    {
        bool isNull = scalar is { Style: ScalarStyle.Plain, Value: "" or "~" or "null" or "Null" or "NULL" };
        return isNull ? null : scalar.Value;
    }

    private bool TryPass<TEvent>()
        where TEvent : ParsingEvent
    {
        if (_parser.Current is not TEvent)
            return false;
        Advance();
        return true;
    }

    private void Advance()
    {
        try
        {
            _parser.MoveNext();
        }
        catch (YamlException e)
        {
            throw NotYaml(e.Start.Line, e);
        }
        // The scanner lets these two escape on some texts that are not YAML: a tag of no characters, a plain
        // text that ends in its own indentation.
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw NotYaml(_parser.Current?.End.Line ?? 0, e);
        }
        if (_parser.Current is Scalar { Anchor.IsEmpty: false } scalar)
            _texts[scalar.Anchor.Value] = TextOf(scalar);
    }

    private ConfigurationException NotYaml(long line, Exception cause) => _file.Defect(
        line, $"is not YAML ({cause.Message.TrimEnd('.')})", "Correct it, or take it off the list.", cause);
}
