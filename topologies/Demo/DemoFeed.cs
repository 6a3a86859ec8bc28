using Streams.Connect;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Topologies.Demo;

/// <summary>
/// The simulated source with a clock beside it: notes when each block was fed, waits for whoever is behind,
/// and ends when it is told to or when its time is over.
/// </summary>
/// <param name="plan">What is fed.</param>
/// <param name="truth">Takes what is injected.</param>
/// <param name="clock">Takes when each block was fed.</param>
/// <param name="isHeldUp">Whether what was fed is to be worked off first.</param>
/// <param name="stop">Ends the feed.</param>
internal sealed class DemoFeed(
    DemoPlan plan, SimulationTruth truth, BlockClock clock, Func<bool> isHeldUp, CancellationToken stop)
    : ISource<Bytes32, ChainTransaction>
{
    private readonly BitcoinSimulatedSource _source = new(plan.Simulation, truth);
    private TimeProvider _time = TimeProvider.System;
    private long _opened;

    /// <inheritdoc/>
    public void Open(SourceContext context)
    {
        _source.Open(context);
        _time = context.Clock;
        _opened = _time.GetTimestamp();
        clock.Start(_time);
    }

    /// <inheritdoc/>
    public async ValueTask<SourceStatus> ReadAsync(
        SourceOutput<Bytes32, ChainTransaction> output, CancellationToken cancellation)
    {
        if (stop.IsCancellationRequested || _time.GetElapsedTime(_opened) >= plan.TimeMax)
            return Ended();
        if (isHeldUp())
            return SourceStatus.Idle;
        long begun = _time.GetTimestamp();
        long before = output.Counts.Records;
        SourceStatus status = await _source.ReadAsync(output, cancellation);
        if (output.Counts.Records > before)
            clock.Fed(begun);
        clock.EndsWhole = status == SourceStatus.Done;
        return status == SourceStatus.Done ? Ended() : status;
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    private SourceStatus Ended()
    {
        clock.Stop();
        return SourceStatus.Done;
    }
}

/// <summary>When each block of a run was fed. Written by the feed, read by any thread.</summary>
/// <remarks>Blocks count from the first of the chain: a demonstration begins there.</remarks>
internal sealed class BlockClock
{
    private readonly Lock _lock = new();
    private readonly List<long> _fed = [];
    private TimeProvider _time = TimeProvider.System;
    private long _started;
    private TimeSpan? _ended;
    private volatile bool _endsWhole;

    /// <summary>Whether every block that was planned was fed.</summary>
    internal bool EndsWhole
    {
        get => _endsWhole;
        set => _endsWhole = value;
    }

    /// <summary>How long blocks have been fed, or were.</summary>
    internal TimeSpan Elapsed
    {
        get
        {
            lock (_lock)
                return _ended ?? (_started == 0 ? TimeSpan.Zero : _time.GetElapsedTime(_started));
        }
    }

    /// <summary>Whether feeding has ended.</summary>
    internal bool IsStopped
    {
        get
        {
            lock (_lock)
                return _ended is not null;
        }
    }

    /// <summary>How long ago a block was fed; absent where it was not.</summary>
    internal TimeSpan? Since(long height)
    {
        lock (_lock)
            return height >= 0 && height < _fed.Count ? _time.GetElapsedTime(_fed[(int)height]) : null;
    }

    internal void Start(TimeProvider time)
    {
        lock (_lock)
        {
            _time = time;
            _started = time.GetTimestamp();
        }
    }

    /// <summary>Notes the next block.</summary>
    /// <param name="begun">When the work on it began: its making is in the time that is measured.</param>
    internal void Fed(long begun)
    {
        lock (_lock)
            _fed.Add(begun);
    }

    internal void Stop()
    {
        lock (_lock)
            _ended ??= _time.GetElapsedTime(_started);
    }
}
