using Streams.Buffers;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>How the value of a table's key changed.</summary>
internal readonly struct Change<TValue>
{
    internal readonly TValue New;
    internal readonly TValue Old;
    internal readonly bool HasNew;
    internal readonly bool HasOld;

    /// <summary>Whether this is the key's latest version; false for one that went into a versioned table's
    /// history.</summary>
    internal readonly bool IsLatest;

    internal Change(TValue newValue, bool hasNew, TValue oldValue, bool hasOld, bool isLatest = true)
    {
        New = newValue;
        HasNew = hasNew;
        Old = oldValue;
        HasOld = hasOld;
        IsLatest = isLatest;
    }
}

/// <summary>
/// Whether a table must say with each change what was there before. Some operators need it (a regrouping has
/// to subtract it); the others are spared the cost of computing it.
/// </summary>
internal sealed class OldValues(params OldValues[] sources)
{
    private Action? _onWanted;

    /// <summary>For tables that have them at hand.</summary>
    internal static OldValues Given => new() { Wanted = true };

    /// <summary>Whether some operator asked; final when the topology is built.</summary>
    internal bool Wanted { get; private set; }

    /// <summary>Asks this table and those that it is computed from.</summary>
    internal void Want()
    {
        if (Wanted)
            return;
        Wanted = true;
        foreach (OldValues source in sources)
            source.Want();
        _onWanted?.Invoke();
    }

    /// <summary>Calls back at the first request.</summary>
    internal void OnWanted(Action action) => _onWanted = action;
}

/// <summary>How another operator reads a table's current values: from which stores, and how.</summary>
internal sealed record TableView<TKey, TValue>(
    IReadOnlyList<string> Stores, Func<TaskBuilder, TableGetter<TKey, TValue>> Getter,
    bool IsVersioned = false);

/// <summary>What tells when a window of a windowed table is closed.</summary>
/// <param name="EndMs">The end of a key's window.</param>
/// <param name="DelayMs">How much later than the end that is.</param>
internal sealed record WindowClosing<TKey>(Func<TKey, long> EndMs, long DelayMs);

/// <summary>Makes a table of a stream: keeps the last value of each key.</summary>
internal sealed class ToTable<TKey, TValue>(KeyValueStore<TKey, TValue> store)
    : Operator<TKey, TValue, TKey, Change<TValue>>
{
    private TValue _old = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey)
        {
            SkipNull(false);
            return;
        }
        Enter();
        bool hadOld = store.TryGet(record.Key, ref _old, out _);
        if (record.HasValue)
            store.Put(record.Key, record.Value, record.TimestampMs);
        else
            store.Delete(record.Key);
        var change = new Change<TValue>(record.Value, record.HasValue, hadOld ? _old : default!, hadOld);
        Next.Process(new Record<TKey, Change<TValue>>(
            record.Key, true, change, true, record.TimestampMs, record.Headers));
    }
}

/// <summary>Makes a versioned table of a stream: keeps which value was valid when.</summary>
internal sealed class ToVersionedTable<TKey, TValue>(
    VersionedStore<TKey, TValue> store, LateRecords<TKey, TValue> late)
    : Operator<TKey, TValue, TKey, Change<TValue>>
{
    private TValue _old = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey)
        {
            SkipNull(false);
            return;
        }
        Enter();
        bool hadOld = store.TryGet(record.Key, ref _old, out _);
        VersionPut put = record.HasValue
            ? store.Put(record.Key, record.Value, record.TimestampMs)
            : store.Delete(record.Key, record.TimestampMs);
        if (put == VersionPut.TooOld)
        {
            late.Add(record);
            return;
        }
        var change = new Change<TValue>(
            record.Value, record.HasValue, hadOld ? _old : default!, hadOld, put == VersionPut.Latest);
        Next.Process(new Record<TKey, Change<TValue>>(
            record.Key, true, change, true, record.TimestampMs, record.Headers));
    }
}

/// <summary>Makes a stream of a table's changes: the new value, or a tombstone.</summary>
internal sealed class ToStream<TKey, TValue> : Operator<TKey, Change<TValue>, TKey, TValue>
{
    internal override void Process(in Record<TKey, Change<TValue>> record) =>
        Next.Process(new Record<TKey, TValue>(
        record.Key, record.HasKey, record.Value.New, record.Value.HasNew, record.TimestampMs,
        record.Headers));
}

/// <summary>A change on its way through a topic: which of the two values there are, and the two.</summary>
internal sealed class ChangeSerde<TValue>(Serde<TValue> inner) : Serde<Change<TValue>>
{
    private const byte HasNew = 1;
    private const byte HasOld = 2;
    private const int HeadBytes = 5;

    public override string Name => $"change<{inner.Name}>";

    public override void Serialize(in Change<TValue> value, PooledBuffer destination)
    {
        int start = destination.Length;
        destination.WriteByte((byte)((value.HasNew ? HasNew : 0) | (value.HasOld ? HasOld : 0)));
        destination.WriteInt32(0);
        if (value.HasNew)
            inner.Serialize(value.New, destination);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(
            destination.WrittenMutable[(start + 1)..], destination.Length - start - HeadBytes);
        if (value.HasOld)
            inner.Serialize(value.Old, destination);
    }

    public override void Deserialize(ReadOnlySpan<byte> source, ref Change<TValue> value)
    {
        if (source.Length < HeadBytes)
            throw new SerializationException(Name, $"{source.Length} bytes where {HeadBytes} are needed", 0);
        int newBytes = System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(source[1..]);
        ReadOnlySpan<byte> values = source[HeadBytes..];
        if ((uint)newBytes > (uint)values.Length)
            throw new SerializationException(Name, $"a value of {newBytes} bytes runs past the end", 1);
        bool hasNew = (source[0] & HasNew) != 0;
        bool hasOld = (source[0] & HasOld) != 0;
        TValue newValue = value.New;
        TValue oldValue = value.Old;
        if (hasNew)
            inner.Deserialize(values[..newBytes], ref newValue);
        if (hasOld)
            inner.Deserialize(values[newBytes..], ref oldValue);
        value = new Change<TValue>(newValue, hasNew, oldValue, hasOld);
    }
}
