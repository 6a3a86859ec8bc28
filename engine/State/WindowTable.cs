using System.Buffers.Binary;

namespace Streams.State;

/// <summary>
/// Values by key and time, for windows and whatever else is kept per key for a while of event time. One
/// lookup
/// finds all of a key's values in a stretch of time, so a hopping window's many updates touch one place.
/// </summary>
/// <remarks>
/// A stretch is a segment or a part of one: where a key can have many values in a segment, shorter stretches
/// keep the lists short that are searched from their beginning. Its start then follows the key in the table.
/// An entry whose time is at or before the observed time less the retention is not found any more, exactly,
/// as in Kafka Streams' in-memory stores. In the changelog the key is followed by the time, eight bytes
/// big-endian.
/// </remarks>
internal sealed class WindowTable
{
    private const int TimeBytes = 8;
    private const long ObservedPart = long.MinValue;

    private readonly TimeSegments _segments;
    private readonly long _stretchMs;
    private readonly IUndoLog? _undo;
    private readonly int _undoStore;
    private uint _observedSavepoint;
    private byte[] _changelogKey = new byte[256];
    private byte[] _listKey = new byte[256];

    /// <param name="options">The store's options.</param>
    /// <param name="retentionMs">How far behind the observed time a value is found.</param>
    /// <param name="undo">The undo log, or null.</param>
    /// <param name="undoStore">The store's number there.</param>
    /// <param name="stretchMs">How long the time of one list may be; 0 for a whole segment.</param>
    /// <param name="budget">What memory is taken from; null for the store's own.</param>
    internal WindowTable(
        StoreOptions options, long retentionMs, IUndoLog? undo, int undoStore, long stretchMs = 0,
        StateBudget? budget = null)
    {
        _segments = new TimeSegments(options, retentionMs, undo, undoStore, budget);
        _stretchMs = stretchMs > 0 && stretchMs < _segments.SegmentMs ? stretchMs : 0;
        _undo = undo;
        _undoStore = undoStore;
    }

    internal TimeSegments Segments => _segments;

    /// <summary>Reads the value of a key at exactly a time.</summary>
    internal bool TryGet(ReadOnlySpan<byte> key, long timeMs, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (_segments.IsExpired(timeMs) || _segments.Find(_segments.SegmentOf(timeMs)) is not { } table)
            return false;
        ReadOnlySpan<byte> list = List(table, key, timeMs);
        int at = TimedList.Find(list, timeMs);
        if (at < 0 || (TimedList.Header(list, at).Flags & ElementFlags.Deleted) != 0)
            return false;
        payload = TimedList.Payload(list, at);
        return true;
    }

    /// <summary>A key's elements of a range of time, both ends included, by time: deleted ones, and those
    /// past
    /// their retention, are left out.</summary>
    /// <remarks>The table must not change while the result is read.</remarks>
    internal WindowElements Elements(ReadOnlySpan<byte> key, long fromMs, long toMs) =>
        new(this, key, fromMs, toMs);

    /// <summary>The keys of a range that have elements, in order, once each; copied, so not for the record
    /// path.</summary>
    internal IReadOnlyCollection<byte[]> Keys(KeyRange range)
    {
        var keys = new SortedSet<byte[]>(
            Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));
        for (int i = 0; i < _segments.TableCount; i++)
        {
            TrackedTable table = _segments.Table(i);
            foreach (uint entry in table.LiveEntriesByKey())
            {
                ReadOnlySpan<byte> key = OwnKey(table.Key(entry));
                if (range.Contains(key))
                    keys.Add(key.ToArray());
            }
        }
        return keys;
    }

    /// <summary>Elements that somebody outside asks for, by key and time.</summary>
    internal IEnumerable<(byte[] Key, long TimeMs, byte[] Payload)> Query(StateQuery query)
    {
        IEnumerable<byte[]> keys = query.Range.IsOne(out byte[]? one) ? [one!]
            : query.Descending ? Keys(query.Range).Reverse() : Keys(query.Range);
        foreach (byte[] key in keys)
        {
            foreach ((long timeMs, byte[] payload) in Copy(key, query.FromMs, query.ToMs, query.Descending))
                yield return (key, timeMs, payload);
        }
    }

    private List<(long TimeMs, byte[] Payload)> Copy(byte[] key, long fromMs, long toMs, bool descending)
    {
        var found = new List<(long, byte[])>();
        WindowElements elements = Elements(key, fromMs, toMs);
        while (elements.MoveNext())
            found.Add((elements.TimeMs, elements.Payload.ToArray()));
        if (descending)
            found.Reverse();
        return found;
    }

    /// <summary>The list of a key that holds a time.</summary>
    internal ReadOnlySpan<byte> List(TrackedTable table, ReadOnlySpan<byte> key, long timeMs)
    {
        uint entry = table.Find(ListKey(key, timeMs));
        return entry == 0 ? default : table.Read(entry);
    }

    /// <summary>The first time after the list that holds a time.</summary>
    internal long EndOfList(long timeMs)
    {
        long segment = _segments.SegmentOf(timeMs);
        long segmentEndMs = (segment + 1) * _segments.SegmentMs;
        return _stretchMs == 0 ? segmentEndMs : Math.Min(StretchStart(timeMs) + _stretchMs, segmentEndMs);
    }

    /// <summary>Opens the value of a key at a time for filling.</summary>
    /// <param name="key">The key.</param>
    /// <param name="timeMs">The time.</param>
    /// <param name="payloadBytes">The value's length; an existing value of another length is
    /// replaced.</param>
    /// <param name="payload">What to fill: the old bytes where <paramref name="existed"/> and the length is
    /// the same.</param>
    /// <param name="existed">Whether there was a value.</param>
    /// <returns>False where the time is past its retention: nothing is stored.</returns>
    internal bool TryPut(
        ReadOnlySpan<byte> key, long timeMs, int payloadBytes, out Span<byte> payload, out bool existed)
    {
        Observe(timeMs);
        existed = false;
        payload = default;
        if (_segments.IsExpired(timeMs))
            return false;
        TrackedTable table = _segments.GetOrAdd(_segments.SegmentOf(timeMs));
        ReadOnlySpan<byte> listKey = ListKey(key, timeMs);
        uint entry = table.Find(listKey);
        if (entry == 0)
            entry = table.Put(listKey, 0, out _);
        Span<byte> list = table.Change(entry);
        int at = TimedList.FirstAtOrAfter(list, timeMs);
        bool sameTime = at < list.Length && TimedList.Header(list, at).TimeMs == timeMs;
        if (sameTime && TimedList.Header(list, at).PayloadBytes == payloadBytes)
        {
            ref ElementHeader header = ref TimedList.Header(list, at);
            existed = (header.Flags & ElementFlags.Deleted) == 0;
            header.Flags = (header.Flags & ElementFlags.New) | ElementFlags.Dirty;
            payload = TimedList.Payload(list, at);
            return true;
        }
        existed = sameTime && (TimedList.Header(list, at).Flags & ElementFlags.Deleted) == 0;
        if (!sameTime)
            at = DropDeleted(table, ref entry, at);
        payload = Splice(table, entry, at, sameTime, timeMs, payloadBytes);
        return true;
    }

    /// <summary>Deletes the value of a key at a time.</summary>
    internal bool Delete(ReadOnlySpan<byte> key, long timeMs)
    {
        TrackedTable? table = _segments.Find(_segments.SegmentOf(timeMs));
        uint entry = table is null ? 0 : table.Find(ListKey(key, timeMs));
        int at = entry == 0 ? -1 : TimedList.Find(table!.Read(entry), timeMs);
        if (at < 0 || (TimedList.Header(table!.Read(entry), at).Flags & ElementFlags.Deleted) != 0)
            return false;
        TimedList.Header(table!.Change(entry), at).Flags |= ElementFlags.Deleted | ElementFlags.Dirty;
        return true;
    }

    /// <summary>Moves the observed time on, keeping the old one for the open savepoint.</summary>
    internal void Observe(long timeMs)
    {
        if (timeMs <= _segments.ObservedMs)
            return;
        if (_undo is { Current: > 0 } && _undo.Current != _observedSavepoint)
        {
            Span<byte> old = stackalloc byte[TimeBytes];
            BinaryPrimitives.WriteInt64BigEndian(old, _segments.ObservedMs);
            _undo.Capture(_undoStore, ObservedPart, default, true, old);
            _observedSavepoint = _undo.Current;
        }
        _segments.Observe(timeMs);
    }

    internal void Flush(IChangelog changelog)
    {
        for (int i = 0; i < _segments.TableCount; i++)
        {
            TrackedTable table = _segments.Table(i);
            if (!table.IsDirty)
                continue;
            var writer = new ElementWriter(this, changelog);
            table.Flush(ref writer);
        }
    }

    /// <summary>Writes all elements, changed or not.</summary>
    internal void WriteAll(IChangelog changelog)
    {
        for (int i = 0; i < _segments.TableCount; i++)
        {
            TrackedTable table = _segments.Table(i);
            foreach (uint entry in table.LiveEntriesByKey())
                WriteAll(OwnKey(table.Key(entry)), table.Read(entry), changelog);
        }
    }

    private void WriteAll(ReadOnlySpan<byte> key, ReadOnlySpan<byte> list, IChangelog changelog)
    {
        for (int at = 0; at < list.Length; at += TimedList.ElementBytes(
            TimedList.Header(list, at).PayloadBytes))
        {
            ref readonly ElementHeader header = ref TimedList.Header(list, at);
            if ((header.Flags & ElementFlags.Deleted) == 0)
                changelog.Append(ChangelogKey(key, header.TimeMs), true, TimedList.Payload(list, at));
        }
    }

    internal void Restore(ReadOnlySpan<byte> changelogKey, bool hasValue, ReadOnlySpan<byte> value)
    {
        long timeMs = BinaryPrimitives.ReadInt64BigEndian(changelogKey[^TimeBytes..]);
        ReadOnlySpan<byte> key = changelogKey[..^TimeBytes];
        if (hasValue)
        {
            if (TryPut(key, timeMs, value.Length, out Span<byte> payload, out _))
                value.CopyTo(payload);
        }
        else
        {
            Delete(key, timeMs);
        }
    }

    internal void Undo(long part, ReadOnlySpan<byte> listKey, bool hasValue, ReadOnlySpan<byte> list)
    {
        if (part == ObservedPart)
        {
            _segments.ResetObserved(BinaryPrimitives.ReadInt64BigEndian(list));
            return;
        }
        TrackedTable table = _segments.GetOrAdd(part);
        ReadOnlySpan<byte> key = OwnKey(listKey);
        while (table.Find(listKey) is not 0 and uint entry
            && FirstLive(table.Read(entry)) is >= 0 and int live)
            Delete(key, TimedList.Header(table.Read(entry), live).TimeMs);
        for (int at = 0; hasValue
            && at < list.Length; at += TimedList.ElementBytes(TimedList.Header(list, at).PayloadBytes))
        {
            ref readonly ElementHeader header = ref TimedList.Header(list, at);
            if ((header.Flags & ElementFlags.Deleted) == 0
                && TryPut(key, header.TimeMs, header.PayloadBytes, out Span<byte> payload, out _))
                TimedList.Payload(list, at).CopyTo(payload);
        }
    }

    private static int FirstLive(ReadOnlySpan<byte> list)
    {
        int at = 0;
        for (; at < list.Length; at += TimedList.ElementBytes(TimedList.Header(list, at).PayloadBytes))
        {
            if ((TimedList.Header(list, at).Flags & ElementFlags.Deleted) == 0)
                return at;
        }
        return -1;
    }

    // Takes back the room of elements whose deletion the changelog knows of, or needs not know of; a session
    // that grows leaves one behind at every record.
    private static int DropDeleted(TrackedTable table, ref uint entry, int at)
    {
        Span<byte> list = table.Change(entry);
        int kept = 0;
        int place = at;
        for (int from = 0; from < list.Length;)
        {
            ref ElementHeader header = ref TimedList.Header(list, from);
            int bytes = TimedList.ElementBytes(header.PayloadBytes);
            bool known = (header.Flags & ElementFlags.Dirty) == 0 || (header.Flags & ElementFlags.New) != 0;
            if ((header.Flags & ElementFlags.Deleted) != 0 && known)
            {
                if (from < at)
                    place -= bytes;
            }
            else
            {
                if (kept != from)
                    Move(list, from, kept, bytes);
                kept += bytes;
            }
            from += bytes;
        }
        if (kept < list.Length)
            entry = table.Resize(entry, kept);
        return place;
    }

    // Makes room for an element at a place; one of the same time and another length is replaced.
    private static Span<byte> Splice(
        TrackedTable table, uint entry, int at, bool replace, long timeMs, int payloadBytes)
    {
        ReadOnlySpan<byte> before = table.Read(entry);
        int oldBytes = replace ? TimedList.ElementBytes(TimedList.Header(before, at).PayloadBytes) : 0;
        ElementFlags kept = replace ? TimedList.Header(before, at).Flags & ElementFlags.New
            : ElementFlags.New;
        int newBytes = TimedList.ElementBytes(payloadBytes);
        int tail = before.Length - at - oldBytes;
        int total = before.Length - oldBytes + newBytes;
        if (newBytes < oldBytes)
            Move(table.Change(entry), at + oldBytes, at + newBytes, tail);
        entry = table.Resize(entry, total);
        Span<byte> list = table.Change(entry);
        if (newBytes > oldBytes)
            Move(list, at + oldBytes, at + newBytes, tail);
        TimedList.Header(list, at) = new ElementHeader
        {
            TimeMs = timeMs,
            PayloadBytes = payloadBytes,
            Flags = kept | ElementFlags.Dirty,
        };
        return TimedList.Payload(list, at);
    }

    private static void Move(Span<byte> list, int from, int to, int count) =>
        list.Slice(from, count).CopyTo(list.Slice(to, count));

    private long StretchStart(long timeMs)
    {
        long segmentMs = _segments.SegmentOf(timeMs) * _segments.SegmentMs;
        return segmentMs + (timeMs - segmentMs) / _stretchMs * _stretchMs;
    }

    private ReadOnlySpan<byte> ListKey(ReadOnlySpan<byte> key, long timeMs)
    {
        if (_stretchMs == 0)
            return key;
        int length = key.Length + TimeBytes;
        if (_listKey.Length < length)
            _listKey = new byte[length * 2];
        key.CopyTo(_listKey);
        BinaryPrimitives.WriteInt64LittleEndian(_listKey.AsSpan(key.Length), StretchStart(timeMs));
        return _listKey.AsSpan(0, length);
    }

    private ReadOnlySpan<byte> OwnKey(ReadOnlySpan<byte> listKey) =>
        _stretchMs == 0 ? listKey : listKey[..^TimeBytes];

    private ReadOnlySpan<byte> ChangelogKey(ReadOnlySpan<byte> key, long timeMs)
    {
        int length = key.Length + TimeBytes;
        if (_changelogKey.Length < length)
            _changelogKey = new byte[length * 2];
        key.CopyTo(_changelogKey);
        BinaryPrimitives.WriteInt64BigEndian(_changelogKey.AsSpan(key.Length), timeMs);
        return _changelogKey.AsSpan(0, length);
    }

    private readonly struct ElementWriter(WindowTable owner, IChangelog changelog) : IChangeVisitor
    {
        public void Changed(ReadOnlySpan<byte> key, Span<byte> list)
        {
            for (int at = 0; at < list.Length;)
            {
                ref ElementHeader header = ref TimedList.Header(list, at);
                ElementFlags flags = header.Flags;
                if ((flags & ElementFlags.Dirty) != 0)
                {
                    bool live = (flags & ElementFlags.Deleted) == 0;
                    if (live || (flags & ElementFlags.New) == 0)
                        changelog.Append(
                            owner.ChangelogKey(owner.OwnKey(key), header.TimeMs), live, live
                                ? TimedList.Payload(list, at)
                                : default);
                    // What never reached the changelog and is deleted stays New: it needs no tombstone later
                    // either.
                    header.Flags = flags & (
                        live ? ElementFlags.None : ElementFlags.Deleted | ElementFlags.New);
                }
                at += TimedList.ElementBytes(header.PayloadBytes);
            }
        }

        // Lists are never deleted as a whole: their elements are.
        public void Deleted(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
        }
    }
}
