using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Records;

namespace Streams.State;

/// <summary>Start and end of a session, both included.</summary>
/// <param name="StartMs">Time of its first record.</param>
/// <param name="EndMs">Time of its last record.</param>
public readonly record struct SessionSpan(long StartMs, long EndMs);

/// <summary>A store of typed aggregates by key and session.</summary>
/// <remarks>
/// What ends at or before the highest end seen less the retention is gone, exactly. Source: Kafka Streams'
/// in-memory session store.
/// </remarks>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TAggregate">The aggregate's type.</typeparam>
public sealed class SessionStore<TKey, TAggregate> : StateStore, IReadOnlySessionStore<TKey, TAggregate>
{
    private const int StartBytes = 8;

    private readonly WindowTable _table;
    private readonly Serde<TKey> _keySerde;
    private readonly Serde<TAggregate> _valueSerde;
    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _value = new();

    internal SessionStore(
        StoreOptions options, long retentionMs, Serde<TKey> keySerde, Serde<TAggregate> valueSerde,
        IUndoLog? undo, int undoStore, long stretchMs = 0)
        : base(options)
    {
        _table = new WindowTable(options, retentionMs, undo, undoStore, stretchMs);
        _keySerde = keySerde;
        _valueSerde = valueSerde;
    }

    /// <inheritdoc/>
    public override long BytesReserved => _table.Segments.BytesReserved;

    /// <summary>Number of keys with a session, counted once per segment.</summary>
    public override long Count => _table.Segments.Count;

    internal override long ObservedMs
    {
        get => _table.Segments.ObservedMs;
        set => _table.Segments.ResetObserved(value);
    }

    /// <summary>Reads the aggregate of a session, refilling <paramref name="value"/> where its type allows
    /// that.</summary>
    public bool TryGet(in TKey key, SessionSpan session, ref TAggregate value)
    {
        if (!_table.TryGet(Encode(key), session.EndMs, out ReadOnlySpan<byte> payload)
            || BinaryPrimitives.ReadInt64LittleEndian(payload) != session.StartMs)
            return false;
        _valueSerde.Deserialize(payload[StartBytes..], ref value);
        return true;
    }

    /// <summary>Sets the aggregate of a session.</summary>
    /// <returns>False where the session is past the retention: nothing is stored.</returns>
    public bool Put(in TKey key, SessionSpan session, in TAggregate value)
    {
        _value.Clear();
        _valueSerde.Serialize(value, _value);
        if (!_table.TryPut(
            Encode(key), session.EndMs, StartBytes + _value.Length, out Span<byte> payload, out _))
            return false;
        BinaryPrimitives.WriteInt64LittleEndian(payload, session.StartMs);
        _value.WrittenSpan.CopyTo(payload[StartBytes..]);
        return true;
    }

    /// <summary>Deletes a session.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Delete(in TKey key, SessionSpan session) => _table.Delete(Encode(key), session.EndMs);

    /// <summary>The sessions of a key that touch a stretch of time, by end; not for the record
    /// path.</summary>
    /// <param name="key">The key.</param>
    /// <param name="earliestEndMs">They end then or later.</param>
    /// <param name="latestStartMs">They start then or earlier.</param>
    public IReadOnlyList<(SessionSpan Session, TAggregate Value)> Fetch(
        TKey key, long earliestEndMs, long latestStartMs)
    {
        SessionSpan[] found = new SessionSpan[4];
        int count = Find(key, earliestEndMs, latestStartMs, ref found);
        var sessions = new List<(SessionSpan, TAggregate)>();
        foreach (SessionSpan session in found.AsSpan(0, count))
        {
            TAggregate value = default!;
            TryGet(key, session, ref value);
            sessions.Add((session, value));
        }
        return sessions;
    }

    internal override IEnumerable<StateEntry> Query(StateQuery query) =>
        _table.Query(query with { FromMs = long.MinValue, ToMs = long.MaxValue })
            .Where(e => e.TimeMs >= query.FromMs
                && BinaryPrimitives.ReadInt64LittleEndian(e.Payload) <= query.ToMs)
            .Select(e => new StateEntry(
                StateText.Of(_keySerde, e.Key), e.Key,
                StateText.Of(_valueSerde, e.Payload.AsSpan(StartBytes)))
            {
                StartMs = BinaryPrimitives.ReadInt64LittleEndian(e.Payload),
                EndMs = e.TimeMs,
            });

    internal override byte[] QueryKey(string text) => StateText.KeyOf(_keySerde, text);

    /// <summary>Finds the sessions of a key that touch a stretch of time, by end.</summary>
    /// <returns>How many there are in <paramref name="found"/>, which grows where it must.</returns>
    internal int Find(in TKey key, long earliestEndMs, long latestStartMs, ref SessionSpan[] found)
    {
        int count = 0;
        WindowElements elements = _table.Elements(Encode(key), earliestEndMs, long.MaxValue);
        while (elements.MoveNext())
        {
            // A key's sessions never overlap: by end they are by start too.
            long startMs = BinaryPrimitives.ReadInt64LittleEndian(elements.Payload);
            if (startMs > latestStartMs)
                break;
            if (count == found.Length)
                Array.Resize(ref found, count * 2);
            found[count++] = new SessionSpan(startMs, elements.TimeMs);
        }
        return count;
    }

    internal override void Flush(IChangelog changelog) => _table.Flush(changelog);

    internal override void WriteAll(IChangelog changelog) => _table.WriteAll(changelog);

    internal override void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
        _table.Restore(key, hasValue, value);

    internal override void Undo(long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
        _table.Undo(part, key, hasValue, value);

    internal override IReadOnlyList<SnapshotPart> SnapshotParts() => _table.Segments.SnapshotParts();

    internal override TrackedTable RestorePart(long part) => _table.Segments.GetOrAdd(part);

    internal override void Clear() => _table.Segments.Clear();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _key.Dispose();
        _value.Dispose();
    }

    private ReadOnlySpan<byte> Encode(in TKey key)
    {
        _key.Clear();
        _keySerde.Serialize(key, _key);
        return _key.WrittenSpan;
    }
}

/// <summary>What a session store lets others read.</summary>
public interface IReadOnlySessionStore<TKey, TAggregate>
{
    /// <summary>The sessions of a key that touch a stretch of time, by end.</summary>
    /// <param name="key">The key.</param>
    /// <param name="earliestEndMs">They end then or later.</param>
    /// <param name="latestStartMs">They start then or earlier.</param>
    IReadOnlyList<(SessionSpan Session, TAggregate Value)> Fetch(
        TKey key, long earliestEndMs, long latestStartMs);
}
