namespace Streams.Topologies.Transactions.Tags;

/// <summary>A file that tags come from, and what holds for all of them.</summary>
internal sealed class TagSource
{
    internal TagSource(TagFile file, TagFields header, bool isSanctionList)
    {
        File = file;
        IsSanctionList = isSanctionList || IsNamedOfac(file.Name);
        // The date is the file's own word; the time of the file on disk would differ from copy to copy.
        string? date = header.LastModified?.Trim().Split(' ', 'T')[0];
        ListVersion = string.IsNullOrEmpty(date)
            ? $"{file.Name}#{file.ShortDigest}"
            : $"{file.Name}@{date}#{file.ShortDigest}";
    }

    /// <summary>The file.</summary>
    internal TagFile File { get; }

    /// <summary>Whether every entry is sanctioned, whatever it says itself.</summary>
    internal bool IsSanctionList { get; }

    /// <summary>What its entries of a sanctions list are recorded with.</summary>
    internal string ListVersion { get; }

    // The OFAC pack of GraphSense calls its addresses no more than `user`.
    private static bool IsNamedOfac(string name)
    {
        foreach (string word in name.Split('.', '_', '-', ' '))
        {
            if (word.Equals("ofac", StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }
}
