using Streams.Connect;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>Reads tags from CSV with a header row.</summary>
/// <remarks>
/// Columns, in any order: <c>address</c>, <c>category</c> and <c>label</c>, which are required, and
/// <c>currency</c>, <c>source</c>, <c>confidence</c>, <c>abuse</c>, <c>actor</c>, <c>country</c>.
/// </remarks>
internal static class TagCsvReader
{
    private static readonly string[] Required = ["address", "category", "label"];
    private static readonly string[] Optional =
        ["currency", "source", "confidence", "abuse", "actor", "country"];

    /// <summary>Reads a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="currency">Of rows that name none; null when such rows cannot be told apart.</param>
    /// <exception cref="ConfigurationException">The header is bad, or a quote is never closed.</exception>
    internal static TagPack Read(TagFile file, string? currency)
    {
        var rows = new CsvRows(file);
        if (!rows.TryRead())
            throw file.Defect(0, "is empty", "Give it a header: address,category,label.");
        string[] columns = ReadHeader(file, rows);
        var tags = new List<TagFields>();
        while (rows.TryRead())
            tags.Add(ReadTag(rows, columns));
        return new TagPack(new TagFields(1) { Currency = currency }, tags);
    }

    private static string[] ReadHeader(TagFile file, CsvRows rows)
    {
        if (rows.Problem is not null)
            throw file.Defect(rows.Line, rows.Problem, "Correct the header.");
        var columns = new string[rows.Fields.Count];
        for (int i = 0; i < columns.Length; i++)
        {
            string column = rows.Fields[i].Trim().ToLowerInvariant();
            if (!Required.Contains(column) && !Optional.Contains(column))
            {
                string remedy = $"Known are {string.Join(", ", Required.Concat(Optional))}.";
                throw file.Defect(rows.Line, $"has no header, or an unknown column '{column}'", remedy);
            }
            if (Array.IndexOf(columns, column) >= 0)
                throw file.Defect(rows.Line, $"has column '{column}' twice", "Remove one.");
            columns[i] = column;
        }
        foreach (string column in Required)
        {
            if (!columns.Contains(column))
                throw file.Defect(rows.Line, $"has no column '{column}'", "Add it to the header.");
        }
        return columns;
    }

    private static TagFields ReadTag(CsvRows rows, string[] columns)
    {
        var tag = new TagFields(rows.Line) { Problem = rows.Problem };
        if (rows.Fields.Count != columns.Length)
            tag.Problem ??= $"has {rows.Fields.Count} fields where the header has {columns.Length}";
        if (tag.Problem is not null)
            return tag;
        for (int i = 0; i < columns.Length; i++)
            Set(tag, columns[i], rows.Fields[i].Trim());
        tag.Problem = ProblemOf(tag);
        return tag;
    }

    private static void Set(TagFields tag, string column, string text)
    {
        if (text.Length == 0)
            return;
        switch (column)
        {
            case "address":
                tag.Address = text;
                break;
            case "category":
                tag.Categories = [text];
                break;
            case "label":
                tag.Label = text;
                break;
            case "currency":
                tag.Currency = text;
                break;
            case "confidence":
                tag.Confidence = text;
                break;
            case "abuse":
                tag.Abuses = [text];
                break;
            case "actor":
                tag.Actor = text;
                break;
            case "country":
                tag.Country = text;
                break;
        }
    }

    // In packs a word that is not known is counted and taken as `other`; whoever writes rows by hand mistyped
    // it.
    private static string? ProblemOf(TagFields tag)
    {
        if (tag.Categories is null)
            return "has no category";
        foreach (string concept in tag.Categories.Concat(tag.Abuses ?? []))
        {
            if (!TagConcepts.TryFind(concept, currency: "", out _))
                return $"has an unknown category '{concept}'";
        }
        return null;
    }
}
