using System.Globalization;
using System.Text;

namespace Streams.Records.Schemas;

/// <summary>Reads the lines of <see cref="SchemaText"/>.</summary>
internal sealed class SchemaTextReader(string text)
{
    private readonly string[] _lines = text.Split('\n');
    private readonly Dictionary<string, EnumSchema> _enums = [];
    private readonly Dictionary<string, int> _recordLines = [];
    private readonly HashSet<string> _open = [];
    private int _line;

    public RecordSchema Read()
    {
        string? first = null;
        for (_line = 0; _line < _lines.Length; _line++)
        {
            List<string> words = Words();
            if (words is ["record", var record, ..])
            {
                first ??= record;
                _recordLines[record] = _line;
            }
            else if (words is ["enum", var name])
            {
                ReadEnum(name);
            }
        }
        return first is null ? throw Fail("no record") : ReadRecord(first);
    }

    private void ReadEnum(string name)
    {
        var values = new List<EnumValue>();
        while (NextIsItem())
        {
            List<string> words = Words();
            if (words.Count != 2)
                throw Fail("an enumeration's value is a number and a name");
            values.Add(new EnumValue(Number(words[0]), words[1]));
        }
        _enums[name] = new EnumSchema(name, values);
    }

    private RecordSchema ReadRecord(string name)
    {
        if (!_recordLines.TryGetValue(name, out int line))
            throw Fail($"record {name} is missing");
        if (!_open.Add(name))
            throw Fail($"record {name} contains itself");
        int outer = _line;
        _line = line;
        List<string> head = Words();
        if (head.Count != 4)
            throw Fail("a record has a name, a version and a doc");
        int version = Number(head[2]);
        var fields = new List<FieldSchema>();
        var retired = new List<RetiredField>();
        while (NextIsItem())
        {
            List<string> words = Words();
            if (words is ["retired", var number, var retiredName])
                retired.Add(new RetiredField(Number(number), retiredName));
            else
                fields.Add(ReadField(words));
        }
        _line = outer;
        _open.Remove(name);
        return new RecordSchema(name, version, head[3], fields, retired);
    }

    private FieldSchema ReadField(List<string> words)
    {
        if (words.Count != 6)
            throw Fail("a field has a number, a form, a kind, a name, a unit and a doc");
        string[] kind = words[2].Split(':');
        FieldKind parsed = Parse<FieldKind>(kind[0]);
        bool isNamed = parsed is FieldKind.Message or FieldKind.Enum;
        if (kind.Length != (isNamed ? 2 : 1))
            throw Fail($"'{words[2]}' is not a kind");
        return new FieldSchema
        {
            Number = Number(words[0]),
            Form = Parse<FieldForm>(words[1]),
            Kind = parsed,
            Name = words[3],
            Unit = words[4],
            Doc = words[5],
            Message = parsed == FieldKind.Message ? ReadRecord(kind[1]) : null,
            Enum = parsed != FieldKind.Enum ? null
                : _enums.TryGetValue(kind[1], out EnumSchema? names) ? names
                : throw Fail($"enumeration {kind[1]} is missing"),
        };
    }

    /// <summary>Moves to the next line if it belongs to what is being read.</summary>
    private bool NextIsItem()
    {
        string next = _line + 1 < _lines.Length ? _lines[_line + 1] : "";
        bool isItem = next.Length > 0
            && !next.StartsWith("record ", StringComparison.Ordinal)
            && !next.StartsWith("enum ", StringComparison.Ordinal);
        if (isItem)
            _line++;
        return isItem;
    }

    private List<string> Words()
    {
        string line = _lines[_line];
        var words = new List<string>();
        int at = 0;
        while (at < line.Length)
        {
            words.Add(line[at] == '"' ? Quoted(line, ref at) : Plain(line, ref at));
            if (at < line.Length && line[at++] != ' ')
                throw Fail("words are separated by one space");
        }
        return words;
    }

    private static string Plain(string line, ref int at)
    {
        int end = line.IndexOf(' ', at);
        int start = at;
        at = end < 0 ? line.Length : end;
        return line[start..at];
    }

    private string Quoted(string line, ref int at)
    {
        var word = new StringBuilder();
        for (at++; at < line.Length && line[at] != '"'; at++)
        {
            if (line[at] == '\\' && ++at == line.Length)
                break;
            word.Append(line[at]);
        }
        if (at >= line.Length)
            throw Fail("a quotation without an end");
        at++;
        return word.ToString();
    }

    private int Number(string word) =>
        int.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw Fail($"'{word}' is not a number");

    private TEnum Parse<TEnum>(string word)
        where TEnum : struct, Enum =>
        !int.TryParse(word, out _) && Enum.TryParse(word, ignoreCase: true, out TEnum value)
            ? value
            : throw Fail($"'{word}' is not a {typeof(TEnum).Name}");

    private FormatException Fail(string reason) => new($"Schema text, line {_line + 1}: {reason}.");
}
