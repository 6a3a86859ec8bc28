using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>
/// Folds each record into the sliding windows of its key. A record makes at most three windows: the one that
/// ends at it, the one that starts just after it where a later record is in reach, and the one that starts
/// just after the record before it.
/// </summary>
/// <remarks>
/// Source: Kafka Streams' KStreamSlidingWindowAggregate. Records earlier than the difference share one window
/// from 0, for no window starts before 1970.
/// </remarks>
internal sealed class SlidingWindowAggregate<TKey, TValue, TAggregate>(
    WindowStore<TKey, TAggregate> store, WindowPlan<TKey> plan, Fold<TKey, TValue, TAggregate> fold,
    SlidingWindows windows, StreamClock streamTime, PendingWindows<TKey>? pending,
    LateRecords<TKey, TValue> late) : WindowOperator<TKey, TValue, TAggregate>(store, plan, fold, pending)
{
    private readonly long _differenceMs = windows.DifferenceMs;
    private WindowTime[] _found = new WindowTime[16];
    private TAggregate _right = default!;
    private TAggregate _earlier = default!;
    private long _closedMs;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey || !record.HasValue)
        {
            SkipNull(record.HasKey);
            return;
        }
        Enter();
        long timeMs = record.TimestampMs;
        _closedMs = streamTime.Observe(timeMs) - windows.GraceMs;
        if (timeMs + _differenceMs < _closedMs)
        {
            late.Add(record);
            return;
        }
        if (timeMs < _differenceMs)
        {
            ProcessEarly(record);
            return;
        }
        EmitClosed(record, _closedMs - _differenceMs - 1, _differenceMs);
        ProcessLatestFirst(record);
    }

    private void ProcessLatestFirst(in Record<TKey, TValue> record)
    {
        long timeMs = record.TimestampMs;
        int count = Store.Find(
            record.Key, Math.Max(0, timeMs - 2 * _differenceMs), timeMs + 1, ref _found);
        bool hasRightWindow = count > 0 && _found[count - 1].StartMs == timeMs + 1;
        bool hasLeftWindow = false;
        long rightMs = long.MinValue;
        long earlierMs = 0;
        long? previousMs = null;
        for (int i = count - (hasRightWindow ? 2 : 1); i >= 0; i--)
        {
            WindowTime window = _found[i];
            long endMs = window.StartMs + _differenceMs;
            if (endMs < timeMs)
            {
                Store.TryGet(record.Key, window.StartMs, ref _earlier, out earlierMs);
                previousMs = window.TimestampMs;
                break;
            }
            if (endMs > timeMs && rightMs == long.MinValue)
                rightMs = ReadRight(record, window);
            UpdateOpen(record, window.StartMs);
            if (endMs != timeMs)
                continue;
            hasLeftWindow = true;
            // A record of this time is in all windows already: the new one makes no more.
            if (window.TimestampMs >= timeMs)
                return;
            previousMs = window.TimestampMs;
        }
        if (previousMs is { } previous && previous + 1 + _differenceMs >= timeMs
            && !IsFound(count, previous + 1))
            MakeOpen(record, previous + 1);
        if (!hasLeftWindow)
            MakeLeft(record, previousMs, earlierMs);
        if (!hasRightWindow && rightMs > timeMs)
            MakeRight(record, rightMs);
    }

    private void ProcessEarly(in Record<TKey, TValue> record)
    {
        long timeMs = record.TimestampMs;
        int count = Store.Find(record.Key, 0, timeMs + 1, ref _found);
        bool hasRightWindow = count > 0 && _found[count - 1].StartMs == timeMs + 1;
        bool hasCombined = count > 0 && _found[0].StartMs == 0;
        long rightMs = long.MinValue;
        for (int i = hasCombined ? 1 : 0; i < count - (hasRightWindow ? 1 : 0); i++)
        {
            rightMs = ReadRight(record, _found[i]);
            UpdateOpen(record, _found[i].StartMs);
        }
        if (rightMs == long.MinValue && hasCombined && _found[0].TimestampMs > timeMs)
            rightMs = ReadRight(record, _found[0]);
        if (!hasRightWindow && rightMs > timeMs)
            MakeRight(record, rightMs);
        if (hasCombined && _found[0].TimestampMs < timeMs && !IsFound(count, _found[0].TimestampMs + 1))
            MakeOpen(record, _found[0].TimestampMs + 1);
        if (hasCombined)
            UpdateOpen(record, 0);
        else
            MakeOpen(record, 0);
    }

    private long ReadRight(in Record<TKey, TValue> record, WindowTime window)
    {
        Store.TryGet(record.Key, window.StartMs, ref _right, out long rightMs);
        return rightMs;
    }

    private void UpdateOpen(in Record<TKey, TValue> record, long startMs)
    {
        if (startMs + _differenceMs >= _closedMs)
            Update(record, startMs, startMs + _differenceMs);
    }

    private void MakeOpen(in Record<TKey, TValue> record, long startMs)
    {
        if (startMs + _differenceMs >= _closedMs)
            Update(record, startMs, startMs + _differenceMs, default!, false, 0);
    }

    // The window that ends at the record holds what was in the one before it, where that reaches into it.
    private void MakeLeft(in Record<TKey, TValue> record, long? previousMs, long earlierMs)
    {
        long startMs = record.TimestampMs - _differenceMs;
        if (previousMs is null || previousMs < startMs)
            MakeOpen(record, startMs);
        else if (record.TimestampMs >= _closedMs)
            Update(record, startMs, record.TimestampMs, _earlier, true, earlierMs);
    }

    // The window that starts just after the record holds what the record's other windows held after it.
    private void MakeRight(in Record<TKey, TValue> record, long rightMs)
    {
        long startMs = record.TimestampMs + 1;
        Store.Put(record.Key, startMs, _right, rightMs);
        Changed(
            record, startMs, startMs + _differenceMs, new Change<TAggregate>(_right, true, default!, false),
            rightMs);
    }

    private bool IsFound(int count, long startMs)
    {
        foreach (WindowTime window in _found.AsSpan(0, count))
        {
            if (window.StartMs == startMs)
                return true;
        }
        return false;
    }
}
