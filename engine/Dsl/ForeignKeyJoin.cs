using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>Where rows of the left table subscribe to their foreign keys.</summary>
/// <remarks>Source of the instructions: Kafka Streams' SubscriptionSendProcessorSupplier (KIP-213).</remarks>
internal sealed class ForeignKeySubscribe<TKey, TValue, TForeignKey, TOther, TResult>(
    Serde<TKey> keySerde, Serde<TValue> valueSerde, Serde<TForeignKey> foreignKeySerde,
    Func<TKey, TValue, TForeignKey> foreignKey, LeftJoiner<TKey, TValue, TOther, TResult> joiner, bool left,
    bool versioned, Receiver<TKey, Change<TResult>> results)
    : Operator<TKey, Change<TValue>, TForeignKey, ForeignSubscription>, IDisposable
{
    private readonly ForeignSubscription _message = new();
    private readonly PooledBuffer _bytes = new();
    private readonly PooledBuffer _other = new();

    internal override void Process(in Record<TKey, Change<TValue>> record)
    {
        Change<TValue> change = record.Value;
        if (versioned && !change.IsLatest)
            return;
        Enter();
        TForeignKey before = change.HasOld ? foreignKey(record.Key, change.Old) : default!;
        TForeignKey after = change.HasNew ? foreignKey(record.Key, change.New) : default!;
        bool had = change.HasOld && before is not null;
        bool has = change.HasNew && after is not null;
        Prepare(record);
        bool same = had && has && IsSame(before, after);
        if (left)
        {
            if (had && !same)
                Send(record, before, ForeignInstruction.Unsubscribe);
            if (has)
                Send(record, after, ForeignInstruction.SubscribeAndAnswer);
            else if (change.HasNew || change.HasOld)
                AnswerAtOnce(record);
        }
        else if (had && !has)
        {
            Send(record, before, ForeignInstruction.UnsubscribeAndAnswer);
        }
        else if (has)
        {
            if (had && !same)
                Send(record, before, ForeignInstruction.Unsubscribe);
            Send(record, after, had && !same
                ? ForeignInstruction.SubscribeAndAnswer
                : ForeignInstruction.SubscribeAndAnswerIfFound);
        }
    }

    public void Dispose()
    {
        _message.Key.Dispose();
        _bytes.Dispose();
        _other.Dispose();
    }

    private void Prepare(in Record<TKey, Change<TValue>> record)
    {
        _message.Key.Clear();
        keySerde.Serialize(record.Key, _message.Key);
        _message.Hash = 0;
        if (!record.Value.HasNew)
            return;
        _bytes.Clear();
        valueSerde.Serialize(record.Value.New, _bytes);
        _message.Hash = ValueHash.Of(_bytes.WrittenSpan);
    }

    private bool IsSame(in TForeignKey before, in TForeignKey after)
    {
        _bytes.Clear();
        _other.Clear();
        foreignKeySerde.Serialize(before, _bytes);
        foreignKeySerde.Serialize(after, _other);
        return _bytes.WrittenSpan.SequenceEqual(_other.WrittenSpan);
    }

    private void Send(
        in Record<TKey, Change<TValue>> record, TForeignKey key, ForeignInstruction instruction)
    {
        _message.Instruction = instruction;
        Next.Process(new Record<TForeignKey, ForeignSubscription>(
            key, true, _message, true, record.TimestampMs, record.Headers));
        Enter();
    }

    // A row without a foreign key has nobody to ask.
    private void AnswerAtOnce(in Record<TKey, Change<TValue>> record)
    {
        Change<TValue> change = record.Value;
        TResult result = change.HasNew ? joiner(record.Key, change.New, default!, false) : default!;
        results.Process(new Record<TKey, Change<TResult>>(
            record.Key, true,
            new Change<TResult>(result, change.HasNew && result is not null, default!, false), true,
            record.TimestampMs, record.Headers));
        Enter();
    }
}

/// <summary>The keys of the store of subscriptions: the foreign key with its length in front, then the row's
/// key.</summary>
internal static class SubscriptionKey
{
    private const int LengthBytes = 4;

    /// <summary>Writes what the keys of all subscriptions to a foreign key begin with.</summary>
    internal static void WritePrefix<TForeignKey>(
        PooledBuffer destination, Serde<TForeignKey> serde, in TForeignKey foreignKey)
    {
        destination.Clear();
        destination.Append(LengthBytes);
        serde.Serialize(foreignKey, destination);
        BinaryPrimitives.WriteInt32BigEndian(destination.WrittenMutable, destination.Length - LengthBytes);
    }
}

/// <summary>Where subscriptions come in, on the other table's side.</summary>
internal sealed class ForeignKeyAnswer<TKey, TForeignKey, TOther>(
    OrderedStore subscriptions, TableGetter<TForeignKey, TOther> table, Serde<TKey> keySerde,
    Serde<TForeignKey> foreignKeySerde, Serde<TOther> valueSerde)
    : Operator<TForeignKey, ForeignSubscription, TKey, ForeignAnswer>, IDisposable
{
    private readonly PooledBuffer _place = new();
    private readonly ForeignAnswer _answer = new();
    private TKey _key = default!;
    private TOther _found = default!;

    internal override void Process(in Record<TForeignKey, ForeignSubscription> record)
    {
        Enter();
        ForeignSubscription message = record.Value;
        SubscriptionKey.WritePrefix(_place, foreignKeySerde, record.Key);
        _place.Write(message.Key.WrittenSpan);
        if (message.Instruction is ForeignInstruction.Unsubscribe or ForeignInstruction.UnsubscribeAndAnswer)
            subscriptions.Delete(_place.WrittenSpan);
        else
            BinaryPrimitives.WriteUInt64LittleEndian(
                subscriptions.Put(_place.WrittenSpan, 8, out _), message.Hash);
        bool has = table.TryGet(record.Key, ref _found, out long foundMs);
        if (message.Instruction == ForeignInstruction.Unsubscribe
            || (message.Instruction == ForeignInstruction.SubscribeAndAnswerIfFound && !has))
            return;
        _answer.Hash = message.Hash;
        _answer.HasValue = has && message.Instruction != ForeignInstruction.UnsubscribeAndAnswer;
        _answer.Value.Clear();
        if (_answer.HasValue)
            valueSerde.Serialize(_found, _answer.Value);
        keySerde.Deserialize(message.Key.WrittenSpan, ref _key);
        long timestampMs = has ? Math.Max(record.TimestampMs, foundMs) : record.TimestampMs;
        Next.Process(new Record<TKey, ForeignAnswer>(
            _key, true, _answer, true, timestampMs, record.Headers));
    }

    public void Dispose()
    {
        _place.Dispose();
        _answer.Value.Dispose();
    }
}

/// <summary>Tells every row that subscribed to a foreign key when the other table's row changes, by
/// key.</summary>
internal sealed class ForeignKeyNotify<TKey, TForeignKey, TOther>(
    OrderedStore subscriptions, Serde<TKey> keySerde, Serde<TForeignKey> foreignKeySerde,
    Serde<TOther> valueSerde, bool versioned)
    : Operator<TForeignKey, Change<TOther>, TKey, ForeignAnswer>, IDisposable
{
    private readonly PooledBuffer _prefix = new();
    private readonly PooledBuffer _place = new();
    private readonly ForeignAnswer _answer = new();
    private TKey _key = default!;

    internal override void Process(in Record<TForeignKey, Change<TOther>> record)
    {
        if (versioned && !record.Value.IsLatest)
            return;
        Enter();
        SubscriptionKey.WritePrefix(_prefix, foreignKeySerde, record.Key);
        _answer.HasValue = record.Value.HasNew;
        _answer.Value.Clear();
        if (record.Value.HasNew)
            valueSerde.Serialize(record.Value.New, _answer.Value);
        _place.Clear();
        _place.Write(_prefix.WrittenSpan);
        while (subscriptions.TryFirstAtOrAfter(
            _place.WrittenSpan, out ReadOnlySpan<byte> place, out ReadOnlySpan<byte> hash)
            && place.StartsWith(_prefix.WrittenSpan))
        {
            _answer.Hash = BinaryPrimitives.ReadUInt64LittleEndian(hash);
            keySerde.Deserialize(place[_prefix.Length..], ref _key);
            _place.Clear();
            _place.Write(place);
            _place.WriteByte(0);
            Next.Process(new Record<TKey, ForeignAnswer>(
                _key, true, _answer, true, record.TimestampMs, record.Headers));
            Enter();
        }
    }

    public void Dispose()
    {
        _prefix.Dispose();
        _place.Dispose();
        _answer.Value.Dispose();
    }
}

/// <summary>Where answers come back: joins them with the row, unless it has changed since it asked.</summary>
internal sealed class ForeignKeyResolve<TKey, TValue, TOther, TResult>(
    TableGetter<TKey, TValue> table, Serde<TValue> valueSerde, Serde<TOther> otherSerde,
    LeftJoiner<TKey, TValue, TOther, TResult> joiner, bool left)
    : Operator<TKey, ForeignAnswer, TKey, Change<TResult>>, IDisposable
{
    private readonly PooledBuffer _bytes = new();
    private TValue _value = default!;
    private TOther _other = default!;

    internal override void Process(in Record<TKey, ForeignAnswer> record)
    {
        Enter();
        ForeignAnswer answer = record.Value;
        bool has = table.TryGet(record.Key, ref _value, out _);
        ulong hash = 0;
        if (has)
        {
            _bytes.Clear();
            valueSerde.Serialize(_value, _bytes);
            hash = ValueHash.Of(_bytes.WrittenSpan);
        }
        if (hash != answer.Hash)
            return;
        bool joins = has && (answer.HasValue || left);
        if (answer.HasValue)
            otherSerde.Deserialize(answer.Value.WrittenSpan, ref _other);
        TResult result = joins
            ? joiner(record.Key, _value, answer.HasValue ? _other : default!, answer.HasValue)
            : default!;
        Next.Process(new Record<TKey, Change<TResult>>(
            record.Key, true, new Change<TResult>(result, joins && result is not null, default!, false), true,
            record.TimestampMs, record.Headers));
    }

    public void Dispose() => _bytes.Dispose();
}
