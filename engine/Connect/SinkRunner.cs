using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Streams.Log;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>What the sinks of an application share.</summary>
/// <param name="Log">Where they read.</param>
/// <param name="Room">Told when a commit waits for room.</param>
/// <param name="Options">How they are run.</param>
/// <param name="Times">Knows when records were committed.</param>
/// <param name="Logger">Told what operators should know.</param>
internal sealed record SinkEnvironment(
    ITopicLog Log, LogRoom Room, SinkOptions Options, CommitTimes Times, ILogger Logger)
{
    /// <summary>Says which lanes this process has.</summary>
    internal LaneBoard Board { get; init; } = LaneBoard.All(1, 1);

    /// <summary>How far the topics went before anything of this process wrote to them; null where that says
    /// nothing, because others write too, or the sink has written since.</summary>
    internal IReadOnlyDictionary<TopicPartition, long>? StartEnds { get; init; }
}

/// <summary>Runs one sink: delivers what is durable, and commits at intervals.</summary>
internal sealed class SinkRunner(SinkBinding binding, SinkEnvironment environment) : IComponent
{
    private static readonly TimeSpan IdleWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan MeasureInterval = TimeSpan.FromMinutes(1);

    private readonly SinkOptions _options = environment.Options;
    private volatile bool _isReady;
    private bool _hasOpened;
    private long _written;
    private long _storedBytes = -1;
    private long? _measured;

    public string Name => binding.Name;

    public bool IsReady => _isReady;

    /// <summary>Records committed to the target since this process started.</summary>
    internal long Written => Interlocked.Read(ref _written);

    /// <summary>Bytes that the target held when it was asked last; null where it does not say.</summary>
    internal long? StoredBytes => Interlocked.Read(ref _storedBytes) is >= 0 and var bytes ? bytes : null;

    public void Run(CancellationToken cancellation)
    {
        using LaneHolder holder = environment.Board.Join(Name);
        try
        {
            while (!cancellation.IsCancellationRequested)
            {
                Lanes lanes = holder.Current;
                if (!holder.Acknowledge(lanes))
                    continue;
                if (lanes.Owned.Any())
                    Run(holder, lanes, cancellation);
                else
                    WaitForChange(holder, lanes, cancellation);
            }
        }
        finally
        {
            _isReady = false;
        }
    }

    private void WaitForChange(LaneHolder holder, Lanes lanes, CancellationToken cancellation)
    {
        _isReady = lanes.Version > 0;
        while (holder.Current == lanes && !cancellation.IsCancellationRequested)
            cancellation.WaitHandle.WaitOne(IdleWait);
        _isReady = false;
    }

    private void Run(LaneHolder holder, Lanes lanes, CancellationToken cancellation)
    {
        try
        {
            RunOnce(holder, lanes, cancellation);
        }
        catch (SinkFencedException) when (holder.Current != lanes)
        {
            // The lanes went to another process, which writes on from the last commit.
        }
        catch (SinkFencedException e) when (environment.Log.SharesWork)
        {
            // Who has lost its lanes may not know it yet, or have taken over too late what was another's:
            // the group decides, and whoever has the lanes then goes on.
            throw new UnavailableException(e.Message, e);
        }
    }

    private void RunOnce(LaneHolder holder, Lanes lanes, CancellationToken cancellation)
    {
        using var delivery = new SinkDelivery(
            binding, _hasOpened ? environment with { StartEnds = null } : environment, lanes, cancellation);
        _hasOpened = true;
        _isReady = true;
        long due = long.MaxValue;
        while (!cancellation.IsCancellationRequested && holder.Current == lanes)
        {
            int read = delivery.Read();
            bool moved = delivery.Waiting > 0 || delivery.HasMoved();
            if (due == long.MaxValue && moved)
                due = Stopwatch.GetTimestamp() + (long)(
                    _options.CommitInterval.TotalSeconds * Stopwatch.Frequency);
            if (moved && (read == 0 || delivery.Waiting >= _options.CommitRecordsMax
                || (Stopwatch.GetTimestamp() >= due && !delivery.IsFarBehind())))
            {
                Interlocked.Add(ref _written, delivery.Commit(cancellation));
                due = long.MaxValue;
                Measure(delivery);
            }
            if (read == 0)
                cancellation.WaitHandle.WaitOne(IdleWait);
        }
        if (delivery.Waiting > 0 && !holder.Current.IsLost)
            Interlocked.Add(ref _written, delivery.Commit(cancellation));
    }

    private void Measure(SinkDelivery delivery)
    {
        if (_measured is { } last && Stopwatch.GetElapsedTime(last) < MeasureInterval)
            return;
        _measured = Stopwatch.GetTimestamp();
        Interlocked.Exchange(ref _storedBytes, delivery.StoredBytes() ?? -1);
    }
}
