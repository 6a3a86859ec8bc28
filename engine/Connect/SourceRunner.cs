using System.Diagnostics;
using System.Text;
using Streams.Log;
using Streams.Processing;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>Runs one source and commits what it reads with its cursor.</summary>
internal abstract class SourceRunner : IComponent
{
    public abstract string Name { get; }

    public abstract bool IsReady { get; }

    /// <summary>The topic that it writes.</summary>
    internal abstract string Topic { get; }

    /// <summary>Whether it waits for the consumers of its topic.</summary>
    internal abstract bool IsWaiting { get; }

    /// <summary>What it has taken in since this process started.</summary>
    internal abstract SourceCounts? Counts { get; }

    /// <summary>Whether the source said that it is exhausted, and all of it is committed.</summary>
    internal abstract bool IsDone { get; }

    public abstract void Run(CancellationToken cancellation);
}

/// <summary>What the sources of an application share.</summary>
/// <param name="Log">Where they write.</param>
/// <param name="Room">Told when a commit waits for room.</param>
/// <param name="Clock">The clock they go by.</param>
/// <param name="Options">How they are run.</param>
/// <param name="Lag">How many records of a topic its consumers have not processed.</param>
/// <param name="SinkLag">How many records the sink that is furthest behind has not written.</param>
/// <param name="Times">Told when records are committed.</param>
internal sealed record SourceEnvironment(
    ITopicLog Log, LogRoom Room, TimeProvider Clock, SourceOptions Options, Func<string, long> Lag,
    Func<long> SinkLag, CommitTimes Times)
{
    /// <summary>The backfill that is under way; null for none.</summary>
    internal BackfillRun? Backfill { get; init; }

    /// <summary>Says which lanes this process has.</summary>
    internal LaneBoard Board { get; init; } = LaneBoard.All(1, 1);
}

/// <inheritdoc/>
internal sealed class SourceRunner<TKey, TValue>(
    SourceBinding<TKey, TValue> binding, SourceEnvironment environment) : SourceRunner
{
    private static readonly TimeSpan IdleWait = TimeSpan.FromMilliseconds(10);

    private readonly SourceCounts _counts = new();
    private volatile bool _hasOpened;
    private volatile bool _isDone;
    private volatile bool _isReady;
    private volatile bool _isWaiting;

    public override string Name => binding.Name;

    public override bool IsReady => _isReady;

    internal override string Topic => binding.Topic;

    internal override bool IsWaiting => _isWaiting;

    internal override SourceCounts? Counts => _hasOpened ? _counts : null;

    internal override bool IsDone => _isDone;

    public override void Run(CancellationToken cancellation)
    {
        using LaneHolder holder = environment.Board.Join(Name);
        try
        {
            while (!cancellation.IsCancellationRequested && !_isDone)
            {
                Lanes lanes = holder.Current;
                if (!holder.Acknowledge(lanes))
                    continue;
                if (IsMine(lanes))
                    RunOnce(holder, lanes, cancellation);
                else
                    WaitForChange(holder, lanes, cancellation);
            }
        }
        finally
        {
            _isReady = false;
        }
    }

    // A source runs in one process: the one that has the lane that its name leads to.
    private bool IsMine(Lanes lanes) =>
        lanes.Owns(Murmur2.Partition(Encoding.UTF8.GetBytes(binding.Name), lanes.Total));

    private void WaitForChange(LaneHolder holder, Lanes lanes, CancellationToken cancellation)
    {
        _isReady = lanes.Version > 0;
        while (holder.Current == lanes && !cancellation.IsCancellationRequested)
            cancellation.WaitHandle.WaitOne(IdleWait);
        _isReady = false;
    }

    private void RunOnce(LaneHolder holder, Lanes lanes, CancellationToken cancellation)
    {
        using var feed = new SourceFeed<TKey, TValue>(binding, environment, _counts);
        _hasOpened = true;
        _isReady = true;
        long due = long.MaxValue;
        while (!cancellation.IsCancellationRequested && holder.Current == lanes)
        {
            WaitForConsumers(holder, lanes, cancellation);
            if (holder.Current != lanes)
                break;
            SourceStatus status = feed.Read(cancellation);
            if (due == long.MaxValue && feed.PendingBytes > 0)
                due = Stopwatch.GetTimestamp() + (long)(
                    environment.Options.CommitInterval.TotalSeconds * Stopwatch.Frequency);
            bool commit = status == SourceStatus.Done
                || (status == SourceStatus.Idle && !environment.Log.SharesWork)
                || feed.PendingBytes >= environment.Options.CommitBytesMax
                || Stopwatch.GetTimestamp() >= due;
            if (commit)
            {
                feed.Commit(cancellation);
                due = long.MaxValue;
            }
            if (status == SourceStatus.Done)
            {
                _isDone = true;
                return;
            }
            if (status == SourceStatus.Idle)
                cancellation.WaitHandle.WaitOne(IdleWait);
        }
        // On a full disk it does not wait any more: what is not committed is read again.
        feed.Commit(cancellation);
    }

    // Not beyond a change of lanes: consumers in another process may wait for it.
    private void WaitForConsumers(LaneHolder holder, Lanes lanes, CancellationToken cancellation)
    {
        SourceOptions options = environment.Options;
        while ((environment.Lag(binding.Topic) > options.LagRecordsMax
                || environment.SinkLag() > options.SinkLagRecordsMax)
            && holder.Current == lanes && !cancellation.IsCancellationRequested)
        {
            _isWaiting = true;
            cancellation.WaitHandle.WaitOne(IdleWait);
        }
        _isWaiting = false;
    }
}
