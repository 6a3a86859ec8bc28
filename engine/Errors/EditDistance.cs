namespace Streams.Errors;

/// <summary>How many letters to insert, drop or exchange between two words, to name the nearest one of what
/// there is.</summary>
/// <remarks>Source: Levenshtein's distance, by Wagner and Fischer's table, one row at a time.</remarks>
public static class EditDistance
{
    /// <summary>The distance of two words; 0 for the same.</summary>
    public static int Between(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int exchange = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(exchange, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[to.Length];
    }
}
