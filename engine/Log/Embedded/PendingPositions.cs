using System.Text;
using Streams.Buffers;
using Streams.Log.Embedded.Catalog;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded;

/// <summary>
/// Offsets of groups and cursors of sources that a commit is going to set; the last word on each counts.
/// </summary>
internal sealed class PendingPositions : IDisposable
{
    // Names come back in every commit and their memory is kept for that; a source with a key per file must
    // not keep all.
    private const int NamesKeptMax = 1024;
    private const int OffsetBytesMax = 3 * Varint.BytesMax;
    private const int LengthBytesMax = 5;

    private readonly Dictionary<string, PendingGroup> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PendingSource> _sources = new(StringComparer.Ordinal);
    private readonly PooledBuffer _scratch = new();

    /// <summary>Bytes that the entries take, at most; 0 when there are none.</summary>
    public int BytesMax { get; private set; }

    /// <summary>Sets a group's next offset.</summary>
    public void SetOffset(string group, TopicPartition partition, long next)
    {
        if (!_groups.TryGetValue(group, out PendingGroup? pending))
        {
            NameLimits.Check(group, "group");
            _groups[group] = pending = new PendingGroup();
        }
        if (pending.Partitions.Count == 0)
            BytesMax += EntryHeader.Bytes + LengthBytesMax + Encoding.UTF8.GetByteCount(group);
        if (!pending.Offsets.Set(partition, next))
            return;
        pending.Partitions.Add(partition);
        BytesMax += OffsetBytesMax;
    }

    /// <summary>Sets a source's cursor; an empty one removes the key.</summary>
    public void SetCursor(string source, string key, ReadOnlySpan<byte> cursor)
    {
        if (!_sources.TryGetValue(source, out PendingSource? pending))
        {
            NameLimits.Check(source, "source's name");
            _sources[source] = pending = new PendingSource();
        }
        if (!pending.Cursors.TryGetValue(key, out PendingCursor? value))
        {
            NameLimits.Check(key, "cursor's key");
            pending.Cursors[key] = value = new PendingCursor();
        }
        if (pending.Keys.Count == 0)
            BytesMax += EntryHeader.Bytes + LengthBytesMax + Encoding.UTF8.GetByteCount(source);
        if (!value.IsSet)
        {
            value.IsSet = true;
            pending.Keys.Add(key);
            BytesMax += 2 * LengthBytesMax + Encoding.UTF8.GetByteCount(key);
        }
        BytesMax += cursor.Length - value.Value.Bytes.Length;
        value.Value.Set(cursor);
    }

    /// <summary>Adds the entries to a frame.</summary>
    public void WriteTo(FrameBuilder frame)
    {
        foreach ((string name, PendingGroup group) in _groups)
        {
            if (group.Partitions.Count == 0)
                continue;
            _scratch.Clear();
            _scratch.WriteText(name);
            foreach (TopicPartition partition in group.Partitions)
                GroupOffsets.WriteOne(_scratch, partition, group.Offsets.Find(partition)!.Value);
            frame.Add(EntryKind.GroupOffsets, 0, _scratch.WrittenSpan);
        }
        foreach ((string name, PendingSource source) in _sources)
        {
            if (source.Keys.Count == 0)
                continue;
            _scratch.Clear();
            _scratch.WriteText(name);
            foreach (string key in source.Keys)
                CursorTable.WriteOne(_scratch, key, source.Cursors[key].Value.Bytes);
            frame.Add(EntryKind.Cursors, 0, _scratch.WrittenSpan);
        }
    }

    /// <summary>Forgets everything but the memory.</summary>
    public void Clear()
    {
        if (BytesMax == 0)
            return;
        BytesMax = 0;
        foreach (PendingGroup group in _groups.Values)
        {
            foreach (TopicPartition partition in group.Partitions)
                group.Offsets.Clear(partition);
            group.Partitions.Clear();
        }
        foreach (PendingSource source in _sources.Values)
        {
            foreach (string key in source.Keys)
                source.Cursors[key].Reset();
            source.Keys.Clear();
            if (source.Cursors.Count > NamesKeptMax)
                source.Cursors.Clear();
        }
        if (_groups.Count > NamesKeptMax)
            _groups.Clear();
        if (_sources.Count > NamesKeptMax)
            _sources.Clear();
    }

    /// <inheritdoc/>
    public void Dispose() => _scratch.Dispose();

    private sealed class PendingGroup
    {
        public GroupOffsets Offsets { get; } = new();

        public List<TopicPartition> Partitions { get; } = [];
    }

    private sealed class PendingSource
    {
        public Dictionary<string, PendingCursor> Cursors { get; } = new(StringComparer.Ordinal);

        public List<string> Keys { get; } = [];
    }

    private sealed class PendingCursor
    {
        public CursorValue Value { get; } = new();

        public bool IsSet { get; set; }

        public void Reset()
        {
            IsSet = false;
            Value.Set(default);
        }
    }
}
