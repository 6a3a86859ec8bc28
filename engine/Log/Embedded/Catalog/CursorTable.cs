using Streams.Buffers;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded.Catalog;

/// <summary>How far sources have read, by source and key.</summary>
internal sealed class CursorTable
{
    // A source may have a key per file it follows; an entry of a snapshot stays of a size that is easy to
    // salvage.
    private const int EntryBytesMax = 64 * 1024;

    private readonly NameTable<NameTable<CursorValue>> _sources = new();

    /// <summary>The sources that have cursors, in ordinal order.</summary>
    public IReadOnlyList<string> Sources => _sources.SortedNames();

    /// <summary>A copy of the cursor, or null.</summary>
    public byte[]? Find(string source, string key) =>
        _sources.Find(source)?.Find(key) is { } value ? value.Bytes.ToArray() : null;

    /// <summary>Copies of a source's cursors, by key in ordinal order.</summary>
    public KeyValuePair<string, byte[]>[] All(string source)
    {
        if (_sources.Find(source) is not { } cursors)
            return [];
        string[] keys = cursors.SortedNames();
        var all = new KeyValuePair<string, byte[]>[keys.Length];
        for (int i = 0; i < keys.Length; i++)
            all[i] = new(keys[i], cursors.Find(keys[i])!.Bytes.ToArray());
        return all;
    }

    /// <summary>Takes in an entry.</summary>
    /// <returns>Whether it made sense.</returns>
    public bool Apply(ReadOnlySpan<byte> payload)
    {
        var reader = new EntryReader(payload);
        ReadOnlySpan<byte> source = reader.ReadBytes();
        if (reader.Failed || source.Length > NameLimits.BytesMax)
            return false;
        NameTable<CursorValue> cursors = _sources.GetOrAdd(source);
        while (reader.HasMore)
        {
            ReadOnlySpan<byte> key = reader.ReadBytes();
            ReadOnlySpan<byte> cursor = reader.ReadBytes();
            if (reader.Failed || key.Length > NameLimits.BytesMax)
                return false;
            if (cursor.IsEmpty)
                cursors.Remove(key);
            else
                cursors.GetOrAdd(key).Set(cursor);
        }
        if (cursors.Count == 0)
            _sources.Remove(source);
        return !reader.Failed;
    }

    /// <summary>Adds entries with all cursors to a snapshot.</summary>
    public void Write(FrameBuilder frame, PooledBuffer scratch)
    {
        foreach (string source in _sources.SortedNames())
        {
            NameTable<CursorValue> cursors = _sources.Find(source)!;
            scratch.Clear();
            scratch.WriteText(source);
            foreach (string key in cursors.SortedNames())
            {
                WriteOne(scratch, key, cursors.Find(key)!.Bytes);
                if (scratch.Length < EntryBytesMax)
                    continue;
                frame.Add(EntryKind.Cursors, 0, scratch.WrittenSpan);
                scratch.Clear();
                scratch.WriteText(source);
            }
            frame.Add(EntryKind.Cursors, 0, scratch.WrittenSpan);
        }
    }

    /// <summary>Appends one cursor to an entry.</summary>
    public static void WriteOne(PooledBuffer destination, string key, ReadOnlySpan<byte> cursor)
    {
        destination.WriteText(key);
        destination.WriteBytes(cursor);
    }
}

/// <summary>A cursor, in memory that the next one reuses.</summary>
internal sealed class CursorValue
{
    private byte[] _bytes = [];
    private int _length;

    /// <summary>The cursor.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>Replaces it.</summary>
    public void Set(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _bytes.Length)
            _bytes = new byte[Math.Max(bytes.Length, 2 * _bytes.Length)];
        bytes.CopyTo(_bytes);
        _length = bytes.Length;
    }
}
