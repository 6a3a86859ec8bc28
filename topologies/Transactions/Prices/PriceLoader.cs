using System.Globalization;
using Streams.Connect;
using Streams.Topologies.Transactions.Tags;

namespace Streams.Topologies.Transactions.Prices;

/// <summary>Loads prices from CSV.</summary>
/// <remarks>
/// Columns, in any order: <c>time</c> (a day in UTC, such as 2026-01-31, or Unix seconds), <c>asset</c> (such
/// as BTC) and <c>usd</c> (dollars for one coin, such as 67432.15). A price holds from its time to the next.
/// </remarks>
public static class PriceLoader
{
    private const string Header = "time,asset,usd";
    private const int WholeDigitsMax = 12;
    private const int AssetLengthMax = 16;

    // Before 2100: a larger number is in milliseconds.
    private const long SecondsMax = 4_102_444_800;

    private static readonly string[] Columns = Header.Split(',');

    /// <summary>Reads the file; without one, the table is empty.</summary>
    /// <exception cref="ConfigurationException">It cannot be read or used; one line says which, where and
    /// what to do about it.</exception>
    public static PriceTable Load(PriceOptions options)
    {
        options.Validate();
        if (options.File is not { } path)
            return PriceTable.Empty;
        TagFile file = Read(path, options.FileBytesMax);
        var rows = new CsvRows(file);
        int[] places = ReadHeader(file, rows);
        var prices = new SortedDictionary<(string Asset, long FromSeconds), Int128>();
        while (rows.TryRead())
            Add(file, rows, places, prices);
        if (!prices.Keys.Any(key => key.Asset == "BTC"))
            throw file.Defect(0, "has no price of BTC", "Add its rows, such as 2026-01-31,BTC,67432.15.");
        return new PriceTable(prices, options.AgeMax);
    }

    private static TagFile Read(string path, long bytesMax)
    {
        try
        {
            if (new FileInfo(path).Length > bytesMax)
                throw new ConfigurationException(
                    $"{path}: is over {bytesMax:N0} bytes. Raise prices.file_bytes_max.");
            return new TagFile(path, File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(
                $"{path}: the prices cannot be read ({e.Message}). Correct prices.file or its rights.", e);
        }
    }

    private static int[] ReadHeader(TagFile file, CsvRows rows)
    {
        if (!rows.TryRead())
            throw file.Defect(0, "is empty", $"Give it a header: {Header}.");
        List<string> names = [.. rows.Fields.Select(field => field.Trim().ToLowerInvariant())];
        if (rows.Problem is not null || names.Count != Columns.Length || !Columns.All(names.Contains))
            throw file.Defect(
                rows.Line, $"starts with '{string.Join(',', rows.Fields)}'", $"Give it a header: {Header}.");
        return [.. Columns.Select(column => names.IndexOf(column))];
    }

    private static void Add(
        TagFile file, CsvRows rows, int[] places,
        SortedDictionary<(string Asset, long FromSeconds), Int128> prices)
    {
        if (rows.Problem is { } problem || rows.Fields.Count != Columns.Length)
            throw file.Defect(
                rows.Line,
                rows.Problem ?? $"has {rows.Fields.Count} fields where {Columns.Length} are needed",
                $"Write it as {Header}.");
        string time = rows.Fields[places[0]].Trim();
        string asset = rows.Fields[places[1]].Trim();
        string usd = rows.Fields[places[2]].Trim();
        if (!TryReadTime(time, out long seconds))
            throw file.Defect(
                rows.Line, $"has the time '{time}'", "Write a day such as 2026-01-31, or Unix seconds.");
        if (asset.Length is 0 or > AssetLengthMax || !asset.All(char.IsAsciiLetterOrDigit))
            throw file.Defect(rows.Line, $"has the asset '{asset}'", "Write its code, such as BTC.");
        if (!TryReadPrice(usd, out Int128 price))
            throw file.Defect(
                rows.Line, $"has the price '{usd}'",
                $"Write dollars for one coin, above 0, with at most {PriceTable.Decimals} decimals, "
                    + "such as 67432.15.");
        string code = TagConcepts.NormalizeCurrency(asset);
        if (!prices.TryAdd((code, seconds), price))
            throw file.Defect(rows.Line, $"has a second price of {code} for {time}", "Remove one.");
    }

    private static bool TryReadTime(string text, out long seconds)
    {
        if (DateOnly.TryParseExact(
            text, "yyyy-MM-dd", CultureInfo.InvariantCulture, default, out DateOnly day))
        {
            seconds = new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero).ToUnixTimeSeconds();
            return seconds is >= 0 and < SecondsMax;
        }
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seconds)
            && seconds < SecondsMax;
    }

    private static bool TryReadPrice(string text, out Int128 price)
    {
        price = 0;
        int point = text.IndexOf('.', StringComparison.Ordinal);
        ReadOnlySpan<char> whole = point < 0 ? text : text.AsSpan(0, point);
        ReadOnlySpan<char> decimals = point < 0 ? "" : text.AsSpan(point + 1);
        if (whole.Length is 0 or > WholeDigitsMax || decimals.Length > PriceTable.Decimals
            || (point >= 0 && decimals.IsEmpty))
            return false;
        foreach (char digit in string.Concat(whole, decimals))
        {
            if (!char.IsAsciiDigit(digit))
                return false;
            price = price * 10 + (digit - '0');
        }
        for (int i = decimals.Length; i < PriceTable.Decimals; i++)
            price *= 10;
        return price > 0;
    }
}
