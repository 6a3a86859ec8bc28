using System.Text.Json;
using Streams.Connect;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>
/// Reads lists of sanctioned addresses: a JSON array of texts, one file for each currency, named
/// <c>sanctioned_addresses_XBT.json</c>.
/// </summary>
/// <remarks>Source: 0xB10C/ofac-sanctioned-digital-currency-addresses on GitHub, branch lists.</remarks>
internal static class SanctionListReader
{
    private const string Label = "OFAC SDN list";

    /// <summary>Reads a list.</summary>
    /// <exception cref="ConfigurationException">The file is not such a list, names no currency, or has no
    /// address: a list that lost its content would let everybody pass.</exception>
    internal static TagPack Read(TagFile file)
    {
        var header = new TagFields(1) { Label = Label, Currency = CurrencyOf(file), Abuses = ["sanction"] };
        var tags = new List<TagFields>();
        try
        {
            var reader = new Utf8JsonReader(file.Body);
            var lines = new LineCounter(file.Body);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
                throw file.Defect(1, "is not a JSON array of addresses", "Write `[\"address\", ...]`.");
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                tags.Add(ReadTag(ref reader, lines.LineOf(reader.TokenStartIndex)));
            // Whatever follows the array is an exception of the reader's.
            reader.Read();
        }
        catch (JsonException e)
        {
            long line = (e.LineNumber ?? 0) + 1;
            throw file.Defect(line, "is not JSON", "Correct it, or take it off the list.", e);
        }
        if (tags.Count == 0)
            throw file.Defect(0, "has no address", "Restore its content, or take it off the list.");
        return new TagPack(header, tags);
    }

    private static TagFields ReadTag(ref Utf8JsonReader reader, long line)
    {
        var tag = new TagFields(line);
        if (reader.TokenType != JsonTokenType.String)
        {
            tag.Problem = "has an address that is not a text";
            reader.Skip();
            return tag;
        }
        try
        {
            tag.Address = reader.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, or bytes that are not UTF-8: JSON by its grammar, but no text.
            tag.Problem = "has an address that is not a text";
        }
        return tag;
    }

    private static string CurrencyOf(TagFile file)
    {
        string stem = Path.GetFileNameWithoutExtension(file.Name);
        string currency = stem[(stem.LastIndexOf('_') + 1)..];
        return currency.Length > 0 && currency.Length < stem.Length
            ? currency
            : throw file.Defect(0, "does not say its currency", "Name it like addresses_XBT.json.");
    }

    /// <summary>Counts lines as the reader goes on, so that the whole costs one pass.</summary>
    private ref struct LineCounter(ReadOnlySpan<byte> content)
    {
        private readonly ReadOnlySpan<byte> _content = content;
        private long _line = 1;
        private int _counted;

        internal long LineOf(long offset)
        {
            _line += _content[_counted..(int)offset].Count((byte)'\n');
            _counted = (int)offset;
            return _line;
        }
    }
}
