using System.Text;
using Streams.Connect;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>Splits CSV text into rows of fields.</summary>
/// <remarks>
/// Source: RFC 4180. A quoted field may hold commas, line ends and doubled quotes; lines may end in LF, CRLF
/// or CR; empty lines are passed. Spaces belong to a field, as the RFC has it.
/// </remarks>
internal sealed class CsvRows(TagFile file)
{
    private readonly string _text = file.Text();
    private readonly StringBuilder _field = new();
    private long _nextLine = 1;
    private int _at;

    /// <summary>The fields of the row that was read.</summary>
    internal List<string> Fields { get; } = [];

    /// <summary>The line that the row starts in, counted from 1.</summary>
    internal long Line { get; private set; }

    /// <summary>What is wrong with the row; null when nothing is.</summary>
    internal string? Problem { get; private set; }

    /// <summary>Reads the next row that is not empty; false at the end of the text.</summary>
    /// <exception cref="ConfigurationException">A quote is never closed.</exception>
    internal bool TryRead()
    {
        while (_at < _text.Length)
        {
            Line = _nextLine;
            Problem = null;
            Fields.Clear();
            bool isQuoted = _text[_at] == '"';
            while (ReadField())
            {
            }
            if (isQuoted || Fields.Count > 1 || Fields[0].Length > 0)
                return true;
        }
        return false;
    }

    // Reads one field and the comma or line end after it; true when a comma says that there is another.
    private bool ReadField()
    {
        _field.Clear();
        if (_at < _text.Length && _text[_at] == '"')
        {
            ReadQuoted();
            if (_at < _text.Length && _text[_at] is not (',' or '\r' or '\n'))
                Problem ??= "has text after a closing quote";
        }
        int start = _at;
        while (_at < _text.Length && _text[_at] is not (',' or '\r' or '\n'))
        {
            if (_text[_at++] == '"')
                Problem ??= "has a quote inside a field that does not start with one";
        }
        _field.Append(_text, start, _at - start);
        Fields.Add(_field.ToString());
        if (_at == _text.Length)
            return false;
        bool isComma = _text[_at] == ',';
        PassOne();
        return isComma;
    }

    private void ReadQuoted()
    {
        long line = _nextLine;
        _at++;
        while (_at < _text.Length)
        {
            if (_text[_at] != '"')
            {
                int start = _at;
                PassOne();
                _field.Append(_text, start, _at - start);
                continue;
            }
            _at++;
            if (_at == _text.Length || _text[_at] != '"')
                return;
            _field.Append('"');
            _at++;
        }
        throw file.Defect(line, "has a quote that is never closed", "Close it; double those within.");
    }

    // One character, or the two of a CRLF, keeping count of the lines.
    private void PassOne()
    {
        char c = _text[_at++];
        if (c == '\r' && _at < _text.Length && _text[_at] == '\n')
            _at++;
        if (c is '\r' or '\n')
            _nextLine++;
    }
}
