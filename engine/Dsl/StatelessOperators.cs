using Streams.Processing;
using Streams.Records;

namespace Streams.Dsl;

/// <summary>Whether functions of a value are called for records without one.</summary>
internal static class Tombstone<TValue>
{
    /// <summary>True for a type that can be null: the function sees the null. Else a tombstone passes
    /// untouched.</summary>
    internal static readonly bool IsSeen = default(TValue) is null;
}

internal sealed class PassThrough<TKey, TValue> : Operator<TKey, TValue, TKey, TValue>
{
    internal override void Process(in Record<TKey, TValue> record) => Next.Process(record);
}

internal sealed class RequireKey<TKey, TValue> : Operator<TKey, TValue, TKey, TValue>
{
    internal override void Process(in Record<TKey, TValue> record)
    {
        if (record.HasKey)
            Next.Process(record);
        else
            SkipNull(false);
    }
}

internal sealed class Filter<TKey, TValue>(Func<TKey, TValue, bool> predicate, bool keep)
    : Operator<TKey, TValue, TKey, TValue>
{
    internal override void Process(in Record<TKey, TValue> record)
    {
        Enter();
        if ((!record.HasValue && !Tombstone<TValue>.IsSeen) || predicate(record.Key, record.Value) == keep)
            Next.Process(record);
    }
}

internal sealed class Map<TKey, TValue, TNewKey, TNewValue>(
    Func<TKey, TValue, (TNewKey Key, TNewValue Value)> mapper) : Operator<TKey, TValue, TNewKey, TNewValue>
{
    internal override void Process(in Record<TKey, TValue> record)
    {
        Enter();
        (TNewKey key, TNewValue value) = mapper(record.Key, record.Value);
        Next.Process(record.WithKey(key).WithValue(value));
    }
}

internal sealed class MapValues<TKey, TValue, TNewValue>(Func<TKey, TValue, TNewValue> mapper)
    : Operator<TKey, TValue, TKey, TNewValue>
{
    internal override void Process(in Record<TKey, TValue> record)
    {
        Enter();
        if (record.HasValue || Tombstone<TValue>.IsSeen)
            Next.Process(record.WithValue(mapper(record.Key, record.Value)));
        else
            Next.Process(record.WithoutValue<TNewValue>());
    }
}

internal sealed class FlatMap<TKey, TValue, TNewKey, TNewValue> : Operator<TKey, TValue, TNewKey, TNewValue>
{
    private readonly FlatMapper<TKey, TValue, TNewKey, TNewValue> _mapper;
    private readonly Emit<TNewKey, TNewValue> _emit;

    internal FlatMap(FlatMapper<TKey, TValue, TNewKey, TNewValue> mapper)
    {
        _mapper = mapper;
        _emit = Forward;
    }

    internal override void Process(in Record<TKey, TValue> record)
    {
        Enter();
        _mapper(record, _emit);
    }

    private void Forward(in Record<TNewKey, TNewValue> record)
    {
        Next.Process(record);
        Enter();
    }
}

internal sealed class FlatMapValues<TKey, TValue, TNewValue>(
    Func<TKey, TValue, IEnumerable<TNewValue>> mapper)
    : Operator<TKey, TValue, TKey, TNewValue>
{
    internal override void Process(in Record<TKey, TValue> record)
    {
        Enter();
        if (!record.HasValue && !Tombstone<TValue>.IsSeen)
            return;
        foreach (TNewValue value in mapper(record.Key, record.Value))
        {
            Next.Process(record.WithValue(value));
            Enter();
        }
    }
}

internal sealed class SelectKey<TKey, TValue, TNewKey>(Func<TKey, TValue, TNewKey> selector)
    : Operator<TKey, TValue, TNewKey, TValue>
{
    internal override void Process(in Record<TKey, TValue> record)
    {
        Enter();
        Next.Process(record.WithKey(selector(record.Key, record.Value)));
    }
}

internal sealed class Peek<TKey, TValue>(Action<TKey, TValue> action) : Operator<TKey, TValue, TKey, TValue>
{
    internal override void Process(in Record<TKey, TValue> record)
    {
        Enter();
        action(record.Key, record.Value);
        Next.Process(record);
    }
}

internal sealed class ForEach<TKey, TValue>(Action<TKey, TValue> action)
    : Operator<TKey, TValue, TKey, TValue>
{
    internal override void Process(in Record<TKey, TValue> record)
    {
        Enter();
        action(record.Key, record.Value);
    }
}

/// <summary>Sends each record to the first output whose predicate holds, or to the default.</summary>
internal sealed class Branch<TKey, TValue>(
    Func<TKey, TValue, bool>[] predicates, Receiver<TKey, TValue>[] branches,
    Receiver<TKey, TValue>? otherwise)
    : Operator<TKey, TValue, TKey, TValue>
{
    internal override void Process(in Record<TKey, TValue> record)
    {
        Enter();
        for (int i = 0; i < predicates.Length; i++)
        {
            if (!predicates[i](record.Key, record.Value))
                continue;
            branches[i].Process(record);
            return;
        }
        otherwise?.Process(record);
    }
}
