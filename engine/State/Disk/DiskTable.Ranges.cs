namespace Streams.State.Disk;

/// <content>Reads by range.</content>
internal sealed partial class DiskTable
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<byte[], byte[]>> Read(
        KeyRange range, bool descending = false, int limit = int.MaxValue)
    {
        // First what is in memory, then the database: what goes over between the two is seen twice, not
        // never.
        List<KeyValuePair<byte[], byte[]?>> newer = Unwritten(range, descending);
        using RocksCursor cursor = Database.OpenCursor();
        Seek(cursor, range, descending);
        for (int next = 0; ;)
        {
            byte[]? key = KeyAt(cursor, range);
            if (key is null && next == newer.Count)
                yield break;
            int order = key is null ? 1 : next == newer.Count ? -1
                : key.AsSpan().SequenceCompareTo(newer[next].Key) * (descending ? -1 : 1);
            if (order < 0)
                yield return new(key!, cursor.Value.ToArray());
            else if (newer[next].Value is { } value)
                yield return new(newer[next].Key, value);
            if (order >= 0)
                next++;
            if (order <= 0)
                Move(cursor, descending);
        }
    }

    private List<KeyValuePair<byte[], byte[]?>> Unwritten(KeyRange range, bool descending)
    {
        IsWritten(0);
        var found = new SortedDictionary<byte[], byte[]?>(KeyOrder.Instance);
        Collect(_young, _dirty.AsSpan(0, _dirtyCount), range, found);
        foreach (DiskBatch batch in _pending)
            Collect(batch.Table!, batch.Names.Items.AsSpan(0, batch.Names.Count), range, found);
        return descending ? [.. found.Reverse()] : [.. found];
    }

    private void Collect(
        FlatTable table, ReadOnlySpan<uint> names, KeyRange range, SortedDictionary<byte[], byte[]?> found)
    {
        foreach (uint name in names)
        {
            if ((table.Header(name).Flags & EntryFlags.Free) != 0 || !range.Contains(table.Key(name)))
                continue;
            byte[] key = table.Key(name).ToArray();
            if (found.ContainsKey(key))
                continue;
            FlatTable holder = _young.Find(key) != 0 ? _young : _old;
            uint entry = holder.Find(key);
            if (entry != 0)
                found.Add(key, (holder.Header(entry).Flags & EntryFlags.Deleted) == 0
                    ? holder.Value(entry).ToArray() : null);
        }
    }

    private void Seek(RocksCursor cursor, KeyRange range, bool descending)
    {
        if (!descending)
        {
            cursor.SeekAtOrAfter(Stored(range.From));
            return;
        }
        if (range.Before is null)
        {
            cursor.SeekLast();
            return;
        }
        cursor.SeekAtOrBefore(Stored(range.Before));
        if (cursor.IsValid && cursor.Key.SequenceEqual(Stored(range.Before)))
            cursor.Previous();
    }

    private static void Move(RocksCursor cursor, bool descending)
    {
        if (descending)
            cursor.Previous();
        else
            cursor.Next();
    }

    private static byte[]? KeyAt(RocksCursor cursor, KeyRange range)
    {
        if (!cursor.IsValid)
        {
            cursor.ThrowIfFailed();
            return null;
        }
        ReadOnlySpan<byte> key = cursor.Key;
        return key[0] == EntryTag && range.Contains(key[1..]) ? key[1..].ToArray() : null;
    }

    private sealed class KeyOrder : IComparer<byte[]>
    {
        internal static readonly KeyOrder Instance = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
