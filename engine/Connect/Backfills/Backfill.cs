using Microsoft.Extensions.Logging;
using Streams.Connect.Evolution;
using Streams.Log;
using Streams.Processing;
using Streams.Telemetry;

namespace Streams.Connect.Backfills;

/// <summary>
/// Processes a range of input again: positions are set back and the state behind them is emptied, in one
/// commit; the application then makes the state anew, writes the outputs of the range again, and leaves out
/// those that are delivered once and were.
/// </summary>
/// <remarks>docs/decisions/0017-backfill.md.</remarks>
public static class Backfill
{
    private static readonly TimeSpan CatchUpWait = TimeSpan.FromMilliseconds(20);

    /// <summary>What a request would come to. Changes nothing; the log may be in use.</summary>
    public static BackfillPlan Plan(
        ApplicationDefinition definition, ILogContents log, BackfillRequest request) =>
        BackfillPlanner.Make(definition, log, request);

    /// <summary>How far the backfill of an application has come that was begun last.</summary>
    /// <returns>Null where none was begun.</returns>
    public static BackfillStatus? Status(string application, ILogContents log)
    {
        if (BackfillRecord.Read(log, application) is not { } record)
            return null;
        string[] sources = [.. record.IsDone ? [] : record.SourcesLeft(log).Select(s => s.Name)];
        return new BackfillStatus(
            record.Words, record.IsDone ? 0 : record.Left(log, application), sources);
    }

    /// <summary>
    /// Begins a backfill: processes what waits, as any run would, then sets positions back and empties state.
    /// The application goes on from there whenever it runs, also after a crash at any instant.
    /// </summary>
    /// <param name="definition">The application, which must not run.</param>
    /// <param name="log">Its log.</param>
    /// <param name="request">What is to be processed again.</param>
    /// <param name="logger">Told what happens.</param>
    /// <param name="cancellation">Ends the processing of what waits; nothing is set back then.</param>
    /// <exception cref="BackfillRefusedException">It cannot begin; no position was set back.</exception>
    /// <exception cref="LogUnavailableException">A process of the application runs.</exception>
    public static BackfillPlan Begin(
        ApplicationDefinition definition, ITopicLog log, BackfillRequest request, ILogger logger,
        CancellationToken cancellation = default)
    {
        StateEpoch.RequireNoProcess(definition.Id, log);
        var contents = new OpenLogContents(log);
        // What cannot be refused any later is refused before anything is processed.
        Require(Plan(definition, contents, request));
        CatchUp(definition with { Sinks = [] }, log, logger, cancellation);
        BackfillPlan plan = Require(Plan(definition, contents, request));
        // What waits can take long enough for somebody to start another process.
        StateEpoch.RequireNoProcess(definition.Id, log);
        SetBack(definition, log, plan);
        new ShapeKeeper(definition, log, logger).Settle();
        return plan;
    }

    /// <summary>The backfill that tasks and sources have to know of; null for none.</summary>
    internal static BackfillRun? UnderWay(ApplicationDefinition definition, ITopicLog log, ILogger logger)
    {
        var contents = new OpenLogContents(log);
        if (BackfillRecord.Read(contents, definition.Id) is not { IsDone: false } record)
            return null;
        long left = record.Left(contents, definition.Id);
        if (left > 0 || record.SourcesLeft(contents).Any() || HoldsCalls(definition, log))
        {
            logger.BackfillUnderWay(definition.Id, record.Words, left);
            return record.Run(log, definition.Runtime.BackfillRecordsMax);
        }
        using ILogWriter writer = log.OpenWriter($"{definition.Id}-backfill");
        writer.CommitCursor(
            BackfillRecord.CursorSource, definition.Id, (record with { IsDone = true }).Write());
        writer.Commit();
        logger.BackfillDone(definition.Id, record.Words);
        return null;
    }

    // A record that waits for a call is behind the positions, and is still what the backfill made of it.
    private static bool HoldsCalls(ApplicationDefinition definition, ITopicLog log)
    {
        foreach (StoreSpec spec in definition.Topology.Parts.SelectMany(p => p.Stores)
            .Where(s => s.HoldsCalls))
        {
            if (log.FindTopic($"{definition.Id}-{spec.Name}-changelog") is not { } changelog)
                continue;
            for (int p = 0; p < changelog.Partitions; p++)
            {
                using var stopped = new StoppedStore(
                    definition, log, spec.Create(null, 0), changelog[p], definition.Runtime.IsOnDisk(spec),
                    default);
                if (stopped.Store.Count > 0)
                    return true;
            }
        }
        return false;
    }

    private static BackfillPlan Require(BackfillPlan plan) =>
        plan.CanBegin ? plan : throw new BackfillRefusedException(plan);

    // What waits between parts would be lost with the positions; what waits in front is no backfill's matter.
    private static void CatchUp(
        ApplicationDefinition definition, ITopicLog log, ILogger logger, CancellationToken cancellation)
    {
        using var application = new StreamsApplication(definition, log, logger);
        application.StartTasks();
        while (!application.Progress.IsCaughtUp() && application.Failure is null)
        {
            if (cancellation.WaitHandle.WaitOne(CatchUpWait))
                break;
        }
        application.Stop();
        if (application.Failure is { } failure)
            throw new ConfigurationException(
                "What waits has to be processed before anything is processed again, and that failed: "
                + failure.Message, failure);
        cancellation.ThrowIfCancellationRequested();
    }

    private static void SetBack(ApplicationDefinition definition, ITopicLog log, BackfillPlan plan)
    {
        using ILogWriter writer = log.OpenWriter($"{definition.Id}-backfill");
        foreach (BackfillInput input in plan.Inputs)
            writer.CommitOffset(definition.Id, log.FindTopic(input.Topic)![input.Partition], input.Start);
        foreach (BackfillSource source in plan.Sources)
        {
            foreach (string name in new[] { source.Name, SourceCursors.Of(source.Name) })
            {
                foreach ((string key, _) in log.Cursors(name))
                    writer.CommitCursor(name, key, default);
            }
        }
        Removal[] removals = [.. plan.Stores.Select(s => new Removal($"{definition.Id}-{s}-changelog", s))
            .Where(r => log.FindTopic(r.Topic) is not null)];
        new StreamTimes(definition.Id, log).Forget(writer, removals, plan.TimeKeys);
        TopologyShape shape = TopologyShape.Read(log.Cursor(ShapeComparison.CursorSource, definition.Id)!);
        writer.CommitCursor(
            ShapeComparison.CursorSource, definition.Id, (shape with { Removals = removals }).Write());
        writer.CommitCursor(
            BackfillRecord.CursorSource, definition.Id, RecordOf(log, plan).Write());
        log.WaitDurable(writer.Commit(), CancellationToken.None);
    }

    private static BackfillRecord RecordOf(ITopicLog log, BackfillPlan plan) => new()
    {
        Words = plan.Request.ToString(),
        Inputs = plan.Inputs,
        Sources = plan.Sources,
        Marked = [.. plan.Internal, .. plan.Sources.Select(s => s.Topic).Distinct()],
        Ends = plan.Outputs.Distinct().Select(log.FindTopic).OfType<Topic>().ToDictionary(
            t => t.Name,
            t => Enumerable.Range(0, t.Partitions)
                .Select(p => log.HighWatermark(t[p])).ToArray()),
    };
}

/// <summary>How far a backfill has come.</summary>
/// <param name="Words">What was asked for.</param>
/// <param name="RecordsLeft">Records in topics that are still to be read again.</param>
/// <param name="SourcesLeft">Sources that have not emitted anything new yet.</param>
public sealed record BackfillStatus(string Words, long RecordsLeft, IReadOnlyList<string> SourcesLeft)
{
    /// <summary>Whether all of it was processed.</summary>
    public bool IsDone => RecordsLeft == 0 && SourcesLeft.Count == 0;
}
