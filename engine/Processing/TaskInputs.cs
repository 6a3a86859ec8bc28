using Streams.Log;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>
/// Chooses which of a task's partitions is next: the one whose record is oldest. A partition that has none
/// could get an older one, so the others wait for it: as long as the log knows of records that were not
/// fetched yet, and else for a bounded time, after which the partition counts as idle until it has a record
/// again.
/// </summary>
/// <remarks>Source: Kafka Streams' max.task.idle.ms (KIP-353, KIP-695); where this differs:
/// docs/decisions/0021-waiting-for-silent-partitions.md.</remarks>
internal sealed class TaskInputs(TaskInput[] inputs, TimeSpan maxIdle, TimeProvider clock)
{
    /// <summary>The partition whose record is to be processed now; null where there is none, or where it
    /// waits for another partition.</summary>
    internal TaskInput? Next(ILogReader reader)
    {
        if (inputs.Length == 1)
            return inputs[0].Prepare(reader) ? inputs[0] : null;
        TaskInput? oldest = null;
        bool isAnyEmpty = false;
        foreach (TaskInput input in inputs)
        {
            if (!input.Prepare(reader))
            {
                isAnyEmpty = true;
                continue;
            }
            input.Figures.IsIdle = false;
            EndHold(input);
            // The first of them where two are equally old.
            if (oldest is null || input.HeadTimestampMs < oldest.HeadTimestampMs)
                oldest = input;
        }
        return isAnyEmpty && IsHeld(reader, oldest is not null) ? null : oldest;
    }

    private bool IsHeld(ILogReader reader, bool hasRecords)
    {
        bool isHeld = false;
        foreach (TaskInput input in inputs)
        {
            if (input.HasHead)
                continue;
            if (!hasRecords)
                EndHold(input);
            else
                isHeld |= Holds(reader, input);
        }
        return isHeld;
    }

    private bool Holds(ILogReader reader, TaskInput input)
    {
        if (maxIdle < TimeSpan.Zero)
            return false;
        InputFigures figures = input.Figures;
        if (reader.Lag(input.Partition, input.FetchOffset) is not 0)
        {
            // Its next record is on its way: what is known to exist is waited for without a bound.
            figures.IsIdle = false;
            figures.HoldsSince ??= clock.GetTimestamp();
            return true;
        }
        if (figures.IsIdle || maxIdle == TimeSpan.Zero)
        {
            EndHold(input);
            return false;
        }
        figures.HoldsSince ??= clock.GetTimestamp();
        if (clock.GetElapsedTime(figures.HoldsSince.Value) < maxIdle)
            return true;
        figures.IsIdle = true;
        EndHold(input);
        return false;
    }

    private void EndHold(TaskInput input)
    {
        if (input.Figures.HoldsSince is not { } since)
            return;
        EngineMeter.RecordInputWait(input.Figures.Topic, clock.GetElapsedTime(since));
        input.Figures.HoldsSince = null;
    }
}
