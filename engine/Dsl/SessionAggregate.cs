using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>
/// Folds each record into the session of its key that it falls into, extends or begins; sessions that it
/// connects become one. What a merge replaces is deleted downstream.
/// </summary>
/// <remarks>Source: Kafka Streams' KStreamSessionWindowAggregate.</remarks>
internal sealed class SessionAggregate<TKey, TValue, TAggregate>(
    SessionStore<TKey, TAggregate> store, WindowPlan<TKey> plan, Fold<TKey, TValue, TAggregate> fold,
    SessionMerge<TKey, TAggregate> merge, bool takesNulls, StreamClock streamTime,
    PendingWindows<TKey>? pending, LateRecords<TKey, TValue> late)
    : Operator<TKey, TValue, Windowed<TKey>, Change<TAggregate>>, IDisposable
{
    private readonly SessionWindows _windows = plan.Shape.Sessions!;
    private SessionSpan[] _found = new SessionSpan[4];
    private TAggregate _session = default!;
    private TAggregate _old = default!;
    private TKey _pendingKey = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey || (!record.HasValue && !takesNulls))
        {
            SkipNull(record.HasKey);
            return;
        }
        Enter();
        long timeMs = record.TimestampMs;
        long closedMs = streamTime.Observe(timeMs) - _windows.GraceMs - _windows.GapMs;
        EmitClosed(record, closedMs - 1);
        int count = store.Find(record.Key, timeMs - _windows.GapMs, timeMs + _windows.GapMs, ref _found);
        SessionSpan merged = Span(count, timeMs);
        if (merged.EndMs < closedMs)
        {
            late.Add(record);
            return;
        }
        TAggregate current = Merge(record, count, out bool hasCurrent);
        if (merged.StartMs != timeMs || merged.EndMs != timeMs)
            Replace(record, count);
        TAggregate result = fold(record.Key, record.Value, current, hasCurrent);
        bool has = result is not null;
        if (has)
            store.Put(record.Key, merged, result);
        else
            store.Delete(record.Key, merged);
        pending?.Add(record.Key, merged.EndMs, merged.StartMs);
        Forward(record, merged, new Change<TAggregate>(result, has, default!, false));
    }

    public void Dispose() => pending?.Dispose();

    private SessionSpan Span(int count, long timeMs)
    {
        var span = new SessionSpan(timeMs, timeMs);
        foreach (SessionSpan found in _found.AsSpan(0, count))
            span = new SessionSpan(
                Math.Min(span.StartMs, found.StartMs), Math.Max(span.EndMs, found.EndMs));
        return span;
    }

    private TAggregate Merge(in Record<TKey, TValue> record, int count, out bool hasCurrent)
    {
        hasCurrent = merge.Initializer is not null;
        TAggregate current = hasCurrent ? merge.Initializer!() : default!;
        for (int i = 0; i < count; i++)
        {
            store.TryGet(record.Key, _found[i], ref _session);
            current = hasCurrent ? merge.Merger(record.Key, current, _session) : _session;
            hasCurrent = true;
            // The instance is the aggregate's now: the next session is read into another one.
            if (!typeof(TAggregate).IsValueType && ReferenceEquals(current, _session))
                _session = default!;
        }
        return current;
    }

    private void Replace(in Record<TKey, TValue> record, int count)
    {
        for (int i = 0; i < count; i++)
        {
            SessionSpan session = _found[i];
            bool hasOld = plan.Old.Wanted && store.TryGet(record.Key, session, ref _old);
            store.Delete(record.Key, session);
            pending?.Remove(record.Key, session.EndMs, session.StartMs);
            Forward(record, session, new Change<TAggregate>(default!, false, hasOld ? _old : default!,
                hasOld));
        }
    }

    private void Forward(in Record<TKey, TValue> record, SessionSpan session, in Change<TAggregate> change)
    {
        if (pending is not null)
            return;
        Next.Process(new Record<Windowed<TKey>, Change<TAggregate>>(
            new Windowed<TKey>(record.Key, session.StartMs, session.EndMs), true, change, true, session.EndMs,
            record.Headers));
        Enter();
    }

    // Before the record is added, for that can move the store's retention past what is to be emitted.
    private void EmitClosed(in Record<TKey, TValue> record, long endUntilMs)
    {
        if (pending is null)
            return;
        while (pending.TryTake(endUntilMs, ref _pendingKey, out long endMs, out long startMs))
        {
            if (!store.TryGet(_pendingKey, new SessionSpan(startMs, endMs), ref _old))
                continue;
            Next.Process(new Record<Windowed<TKey>, Change<TAggregate>>(
                new Windowed<TKey>(_pendingKey, startMs, endMs), true,
                new Change<TAggregate>(_old, true, default!, false), true, endMs, record.Headers));
            Enter();
        }
    }
}
