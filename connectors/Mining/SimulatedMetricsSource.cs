using System.Buffers.Binary;
using Streams.Connect;
using Streams.Records;

namespace Streams.Connectors.Mining;

/// <summary>Feeds samples of simulated machines, each a pure function of seed, machine and round.</summary>
/// <remarks>The cursor is the number of samples taken, so that a restart goes on behind the last one
/// committed. Time begins at 2025-01-01T00:00Z.</remarks>
public sealed class SimulatedMetricsSource : ISource<Text, MachineMetric>
{
    /// <summary>What configuration calls this source.</summary>
    public const string Kind = "mining-simulated";

    private const string PositionKey = "position";
    private const int SamplesPerRead = 256;
    private const long StartNs = 1_735_689_600_000_000_000;
    private const long NanosecondsPerTick = 100;

    private readonly SimulatedMetricsOptions _options;
    private readonly Text[] _machines;
    private readonly MachineMetric _metric = new()
    {
        Site = new Text("site-1"),
        PoolUrl = new Text("stratum+tcp://pool.example:3333"),
    };

    private readonly byte[] _position = new byte[sizeof(long)];
    private TimeProvider _clock = TimeProvider.System;
    private long _opened;
    private long _first;
    private long _next;

    /// <summary>Prepares the source.</summary>
    /// <exception cref="ConfigurationException">An option is out of its range.</exception>
    public SimulatedMetricsSource(SimulatedMetricsOptions options)
    {
        options.Validate();
        _options = options;
        _machines = [.. Enumerable.Range(0, options.Machines).Select(i => new Text($"miner-{i:00000}"))];
    }

    /// <inheritdoc/>
    public void Open(SourceContext context)
    {
        _clock = context.Clock;
        if (context.Cursor(PositionKey) is { Length: sizeof(long) } position)
            _next = BinaryPrimitives.ReadInt64LittleEndian(position);
        _first = _next;
        _opened = _clock.GetTimestamp();
    }

    /// <inheritdoc/>
    public ValueTask<SourceStatus> ReadAsync(
        SourceOutput<Text, MachineMetric> output, CancellationToken cancellation)
    {
        long end = _options.RoundsMax == 0 ? long.MaxValue : _options.RoundsMax * _options.Machines;
        if (_next >= end)
            return ValueTask.FromResult(SourceStatus.Done);
        long due = _options.SamplesPerSecond == 0 ? end
            : _first + (long)(_clock.GetElapsedTime(_opened).TotalSeconds * _options.SamplesPerSecond);
        long until = Math.Min(Math.Min(end, due), _next + SamplesPerRead);
        if (until <= _next)
            return ValueTask.FromResult(SourceStatus.Idle);
        for (; _next < until; _next++)
        {
            Sample(_next);
            output.Emit(new Record<Text, MachineMetric>(
                _metric.Machine, _metric, _metric.Time / 1_000_000));
        }
        BinaryPrimitives.WriteInt64LittleEndian(_position, _next);
        output.SetCursor(PositionKey, _position);
        return ValueTask.FromResult(SourceStatus.More);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // It holds nothing.
    }

    private void Sample(long number)
    {
        (long round, long machine) = Math.DivRem(number, _options.Machines);
        ulong noise = Mix((ulong)_options.Seed ^ Mix((ulong)number));
        _metric.Machine = _machines[machine];
        _metric.Time = StartNs + round * _options.Interval.Ticks * NanosecondsPerTick;
        // A day's swing of the air, the machine's own level, and noise.
        double swing = Math.Sin(round * _options.Interval.TotalHours / 24 * Math.Tau);
        _metric.HashRate = 95 + machine % 10 + Part(noise, 0) * 4;
        _metric.PowerConsumption = 3000 + machine % 10 * 30 + Part(noise, 1) * 120;
        _metric.Temperature = 65 + swing * 6 + Part(noise, 2) * 3;
    }

    private static double Part(ulong noise, int at) => ((noise >> (at * 20)) & 0xFFFFF) / (double)0xFFFFF;

    // Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (SplitMix64).
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
