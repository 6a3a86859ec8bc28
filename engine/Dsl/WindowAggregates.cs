using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Telemetry;

namespace Streams.Dsl;

/// <summary>What becomes of records that came after their windows had closed: they are counted, and go to a
/// stream of their own where one was asked for.</summary>
internal sealed class LateRecords<TKey, TValue>(string store, Receiver<TKey, TValue>? receiver)
{
    internal void Add(in Record<TKey, TValue> record)
    {
        EngineMeter.RecordSkipped(store, "late");
        receiver?.Process(record);
    }
}

/// <summary>What aggregates in windows of a fixed size have in common.</summary>
internal abstract class WindowOperator<TKey, TValue, TAggregate>(
    WindowStore<TKey, TAggregate> store, WindowPlan<TKey> plan, Fold<TKey, TValue, TAggregate> fold,
    PendingWindows<TKey>? pending)
    : Operator<TKey, TValue, Windowed<TKey>, Change<TAggregate>>, IDisposable
{
    private TAggregate _current = default!;
    private TAggregate _old = default!;
    private TAggregate _final = default!;
    private TKey _pendingKey = default!;

    protected WindowStore<TKey, TAggregate> Store => store;

    public void Dispose() => pending?.Dispose();

    /// <summary>Adds a record to a window.</summary>
    /// <param name="record">The record.</param>
    /// <param name="startMs">The window's start.</param>
    /// <param name="endMs">Its end, as its key says it.</param>
    protected void Update(in Record<TKey, TValue> record, long startMs, long endMs)
    {
        bool existed = store.TryGet(record.Key, startMs, ref _current, out long storedMs);
        Update(record, startMs, endMs, _current, existed, storedMs);
    }

    /// <summary>Adds a record to a window that begins with an aggregate, which may be changed.</summary>
    protected void Update(
        in Record<TKey, TValue> record, long startMs, long endMs, TAggregate current, bool hasCurrent,
        long currentMs)
    {
        bool hasOld = plan.Old.Wanted && store.TryGet(record.Key, startMs, ref _old, out _);
        long timestampMs = hasCurrent ? Math.Max(currentMs, record.TimestampMs) : record.TimestampMs;
        TAggregate result = fold(record.Key, record.Value, current, hasCurrent);
        bool has = result is not null;
        if (has)
            store.Put(record.Key, startMs, result, timestampMs);
        else
            store.Delete(record.Key, startMs);
        Changed(
            record, startMs, endMs,
            new Change<TAggregate>(result, has, hasOld ? _old : default!, hasOld), timestampMs);
    }

    /// <summary>Emits a window that changed, or notes it for when it closes.</summary>
    protected void Changed(
        in Record<TKey, TValue> record, long startMs, long endMs, in Change<TAggregate> change,
        long timestampMs)
    {
        if (pending is not null)
        {
            pending.Add(record.Key, startMs, startMs);
            return;
        }
        Next.Process(new Record<Windowed<TKey>, Change<TAggregate>>(
            new Windowed<TKey>(record.Key, startMs, endMs), true, change, true, timestampMs, record.Headers));
        Enter();
    }

    /// <summary>Emits the windows that start at or before a time: they are closed. It comes before the record
    /// that closed them is added, for that can move the store's retention past them.</summary>
    protected void EmitClosed(in Record<TKey, TValue> record, long startUntilMs, long sizeMs)
    {
        if (pending is null)
            return;
        while (pending.TryTake(startUntilMs, ref _pendingKey, out long startMs, out _))
        {
            if (!store.TryGet(_pendingKey, startMs, ref _final, out long timestampMs))
                continue;
            var change = new Change<TAggregate>(_final, true, default!, false);
            Next.Process(new Record<Windowed<TKey>, Change<TAggregate>>(
                new Windowed<TKey>(_pendingKey, startMs, startMs + sizeMs), true, change, true, timestampMs,
                record.Headers));
            Enter();
        }
    }
}

/// <summary>Folds each record into the aggregates of its tumbling or hopping windows that are still
/// open.</summary>
internal sealed class TimeWindowAggregate<TKey, TValue, TAggregate>(
    WindowStore<TKey, TAggregate> store, WindowPlan<TKey> plan, Fold<TKey, TValue, TAggregate> fold,
    TimeWindows windows, bool takesNulls, StreamClock streamTime, PendingWindows<TKey>? pending,
    LateRecords<TKey, TValue> late) : WindowOperator<TKey, TValue, TAggregate>(store, plan, fold, pending)
{
    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey || (!record.HasValue && !takesNulls))
        {
            SkipNull(record.HasKey);
            return;
        }
        Enter();
        long closedMs = streamTime.Observe(record.TimestampMs) - windows.GraceMs;
        EmitClosed(record, closedMs - windows.SizeMs, windows.SizeMs);
        bool counted = false;
        for (long start = windows.FirstStart(
            record.TimestampMs); start <= record.TimestampMs; start += windows.AdvanceMs)
        {
            if (start + windows.SizeMs <= closedMs)
                continue;
            counted = true;
            Update(record, start, start + windows.SizeMs);
        }
        if (!counted)
            late.Add(record);
    }
}
