using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>How duplicates are found.</summary>
public sealed record DeduplicateOptions
{
    /// <summary>Name of the node; null for a generated one.</summary>
    public string? Name { get; init; }

    /// <summary>The store's name; null for a generated one.</summary>
    public string? StoreName { get; init; }

    /// <summary>Bound on the store's memory per task, in bytes. Default 8 GiB.</summary>
    public long StateBytesMax { get; init; } = 8L << 30;

    /// <summary>Whether what was seen is rolled back with the task's savepoints. Default false.</summary>
    public bool Savepoints { get; init; }

    /// <summary>Called for each record dropped, to count it.</summary>
    public Action? OnDuplicate { get; init; }
}

/// <summary>Drops records whose key was seen a short time ago.</summary>
internal sealed class Deduplicate<TKey, TValue>(DeduplicateStore seen, Serde<TKey> serde, Action? onDuplicate)
    : Operator<TKey, TValue, TKey, TValue>, IDisposable
{
    private readonly PooledBuffer _key = new();

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey)
        {
            SkipNull(false);
            return;
        }
        Enter();
        _key.Clear();
        serde.Serialize(record.Key, _key);
        if (seen.IsDuplicate(_key.WrittenSpan, record.TimestampMs))
            onDuplicate?.Invoke();
        else
            Next.Process(record);
    }

    public void Dispose() => _key.Dispose();
}

/// <summary>When each key was last let through.</summary>
/// <remarks>
/// A key is forgotten when the highest time seen is twice the stretch ahead of it, so a record that comes
/// late by less than the stretch is still judged right.
/// </remarks>
internal sealed class DeduplicateStore : StateStore
{
    private const int TimeBytes = 8;
    private const long ObservedPart = long.MinValue;

    private readonly TimeSegments _segments;
    private readonly long _withinMs;
    private readonly IUndoLog? _undo;
    private readonly int _undoStore;
    private uint _observedSavepoint;

    internal DeduplicateStore(StoreOptions options, long withinMs, IUndoLog? undo, int undoStore)
        : base(options)
    {
        _segments = new TimeSegments(options, 2 * withinMs, undo, undoStore);
        _withinMs = withinMs;
        _undo = undo;
        _undoStore = undoStore;
    }

    public override long BytesReserved => _segments.BytesReserved;

    public override long Count => _segments.Count;

    internal override long ObservedMs
    {
        get => _segments.ObservedMs;
        set => _segments.ResetObserved(value);
    }

    internal static StoreSpec Spec<TKey>(
        string name, TimeSpan within, Serde<TKey> serde, DeduplicateOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(within, TimeSpan.FromMilliseconds(1));
        var store = new StoreOptions { Name = name, StateBytesMax = options.StateBytesMax };
        return new StoreSpec(
            store, new StoreShape("deduplicate", serde.Name, "")
            {
                RetentionMs = (long)within.TotalMilliseconds,
            },
            (undo, number) => new DeduplicateStore(store, (long)within.TotalMilliseconds, undo, number),
            options.Savepoints);
    }

    /// <summary>Whether the key was let through near that time; if not, it now is.</summary>
    internal bool IsDuplicate(ReadOnlySpan<byte> key, long timeMs)
    {
        Observe(timeMs);
        for (int i = _segments.TableCount - 1; i >= 0; i--)
        {
            TrackedTable found = _segments.Table(i);
            uint entry = found.Find(key);
            if (entry == 0)
                continue;
            long last = BinaryPrimitives.ReadInt64LittleEndian(found.Read(entry));
            if (!_segments.IsExpired(last) && Math.Abs(timeMs - last) < _withinMs)
                return true;
            found.Delete(entry);
            timeMs = Math.Max(timeMs, last);
            break;
        }
        TrackedTable table = _segments.GetOrAdd(_segments.SegmentOf(timeMs));
        BinaryPrimitives.WriteInt64LittleEndian(table.Change(table.Put(key, TimeBytes, out _)), timeMs);
        return false;
    }

    internal override void Flush(IChangelog changelog)
    {
        // Tombstones first: a key that moved to another segment must end as a value.
        for (int i = 0; i < _segments.TableCount; i++)
        {
            TrackedTable table = _segments.Table(i);
            if (!table.IsDirty)
                continue;
            var writer = new ChangeWriter(this, table, changelog);
            table.Flush(ref writer);
        }
    }

    internal override void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        for (int i = 0; i < _segments.TableCount; i++)
            _segments.Table(i).RestoreDeleted(key);
        if (!hasValue)
            return;
        long timeMs = BinaryPrimitives.ReadInt64LittleEndian(value);
        _segments.Observe(timeMs);
        if (!_segments.IsExpired(timeMs))
            value.CopyTo(_segments.GetOrAdd(_segments.SegmentOf(timeMs)).Restore(key, TimeBytes));
    }

    internal override void Undo(long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        if (part == ObservedPart)
        {
            _segments.ResetObserved(BinaryPrimitives.ReadInt64LittleEndian(value));
            return;
        }
        TrackedTable table = _segments.GetOrAdd(part);
        uint entry = table.Find(key);
        if (hasValue)
            value.CopyTo(table.Change(table.Put(key, TimeBytes, out _)));
        else if (entry != 0)
            table.Delete(entry);
    }

    internal override IReadOnlyList<SnapshotPart> SnapshotParts() => _segments.SnapshotParts();

    internal override TrackedTable RestorePart(long part) => _segments.GetOrAdd(part);

    internal override void Clear() => _segments.Clear();

    private void Observe(long timeMs)
    {
        if (timeMs <= _segments.ObservedMs)
            return;
        if (_undo is { Current: > 0 } && _undo.Current != _observedSavepoint)
        {
            Span<byte> old = stackalloc byte[TimeBytes];
            BinaryPrimitives.WriteInt64LittleEndian(old, _segments.ObservedMs);
            _undo.Capture(_undoStore, ObservedPart, default, true, old);
            _observedSavepoint = _undo.Current;
        }
        _segments.Observe(timeMs);
    }

    private readonly struct ChangeWriter(DeduplicateStore owner, TrackedTable table, IChangelog changelog)
        : IChangeVisitor
    {
        public void Changed(ReadOnlySpan<byte> key, Span<byte> value) => changelog.Append(key, true, value);

        // A key that moved has a value in another segment, which is what the changelog must end with.
        public void Deleted(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
            for (int i = 0; i < owner._segments.TableCount; i++)
            {
                TrackedTable other = owner._segments.Table(i);
                if (other != table && other.Find(key) != 0)
                    return;
            }
            changelog.Append(key, false, default);
        }
    }
}
