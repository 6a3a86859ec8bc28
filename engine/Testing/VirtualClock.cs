namespace Streams.Testing;

/// <summary>A clock that stands still until it is moved.</summary>
public sealed class VirtualClock : TimeProvider
{
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

    /// <summary>Moves the clock on.</summary>
    public void Advance(TimeSpan by) => Interlocked.Add(ref _nowTicks, by.Ticks);
}
