namespace Streams.Testing;

/// <summary>A clock that stands still until it is moved; timers made of it fire while it is.</summary>
public sealed class VirtualClock : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<VirtualTimer> _timers = [];
    private long _nowTicks;

    /// <summary>A clock that shows an instant.</summary>
    public VirtualClock(DateTimeOffset start) => _nowTicks = start.UtcTicks;

    /// <summary>A clock that shows 1970-01-01T00:00Z.</summary>
    public VirtualClock()
        : this(DateTimeOffset.UnixEpoch)
    {
    }

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _nowTicks), TimeSpan.Zero);

    /// <inheritdoc/>
    public override long GetTimestamp() => Interlocked.Read(ref _nowTicks);

    /// <summary>Moves the clock on, and fires the timers that are due on the way, each at its own instant, in
    /// order, on the calling thread.</summary>
    public void Advance(TimeSpan by)
    {
        long target = Interlocked.Read(ref _nowTicks) + by.Ticks;
        while (TakeDue(target) is { } timer)
            timer.Fire();
        Interlocked.Exchange(ref _nowTicks, target);
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(
        TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    // The first of those that are due earliest.
    private VirtualTimer? TakeDue(long targetTicks)
    {
        lock (_lock)
        {
            VirtualTimer? next = null;
            foreach (VirtualTimer timer in _timers)
            {
                if (timer.DueTicks <= targetTicks && (next is null || timer.DueTicks < next.DueTicks))
                    next = timer;
            }
            if (next is null)
                return null;
            Interlocked.Exchange(ref _nowTicks, Math.Max(next.DueTicks, Interlocked.Read(ref _nowTicks)));
            if (next.PeriodTicks > 0)
                next.DueTicks += next.PeriodTicks;
            else
                _timers.Remove(next);
            return next;
        }
    }

    /// <summary>A timer that fires when its clock is moved.</summary>
    private sealed class VirtualTimer(VirtualClock clock, TimerCallback callback, object? state) : ITimer
    {
        internal long DueTicks { get; set; }

        internal long PeriodTicks { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                clock._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                DueTicks = Interlocked.Read(ref clock._nowTicks) + dueTime.Ticks;
                PeriodTicks = Math.Max(period.Ticks, 0);
                clock._timers.Add(this);
            }
            return true;
        }

        public void Dispose()
        {
            lock (clock._lock)
                clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        internal void Fire() => callback(state);
    }
}
