using System.Diagnostics;
using Streams.Log;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>Runs one source and commits what it reads with its cursor.</summary>
internal abstract class SourceRunner : IComponent
{
    public abstract string Name { get; }

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
internal sealed record SourceEnvironment(
    ITopicLog Log, LogRoom Room, TimeProvider Clock, SourceOptions Options, Func<string, long> Lag);

/// <inheritdoc/>
internal sealed class SourceRunner<TKey, TValue>(
    SourceBinding<TKey, TValue> binding, SourceEnvironment environment) : SourceRunner
{
    private static readonly TimeSpan IdleWait = TimeSpan.FromMilliseconds(10);

    private volatile bool _isDone;
    private long _reported;

    public override string Name => binding.Name;

    internal override SourceCounts? Counts => _counts;

    internal override bool IsDone => _isDone;

    private SourceCounts? _counts;

    public override void Run(CancellationToken cancellation)
    {
        using ISource<TKey, TValue> source = binding.Create();
        using ILogWriter writer = environment.Log.OpenWriter($"source-{binding.Name}");
        using var output = new SourceOutput<TKey, TValue>(
            binding, environment.Log, writer, environment.Options.DeadLetterBytesMax);
        _counts = output.Counts;
        _reported = 0;
        source.Open(new SourceContext(binding.Name, environment.Log, environment.Clock));
        long due = long.MaxValue;
        while (!cancellation.IsCancellationRequested)
        {
            WaitForConsumers(cancellation);
            SourceStatus status = Read(source, output, cancellation);
            if (due == long.MaxValue && writer.PendingBytes > 0)
                due = Stopwatch.GetTimestamp() + (long)(
                    environment.Options.CommitInterval.TotalSeconds * Stopwatch.Frequency);
            bool commit = status != SourceStatus.More
                || writer.PendingBytes >= environment.Options.CommitBytesMax
                || Stopwatch.GetTimestamp() >= due;
            if (commit)
            {
                Commit(writer, cancellation);
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
        Commit(writer, CancellationToken.None);
    }

    private static SourceStatus Read(
        ISource<TKey, TValue> source, SourceOutput<TKey, TValue> output, CancellationToken cancellation)
    {
        ValueTask<SourceStatus> reading = source.ReadAsync(output, cancellation);
        return reading.IsCompletedSuccessfully ? reading.Result : reading.AsTask().GetAwaiter().GetResult();
    }

    private void WaitForConsumers(CancellationToken cancellation)
    {
        while (environment.Lag(binding.Topic) > environment.Options.LagRecordsMax
            && !cancellation.IsCancellationRequested)
            cancellation.WaitHandle.WaitOne(IdleWait);
    }

    private void Commit(ILogWriter writer, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        writer.CommitWhenRoom(environment.Options.LogFullRetry, environment.Room, cancellation);
        EngineMeter.RecordCommit(binding.Name, Stopwatch.GetElapsedTime(started));
        EngineMeter.RecordProduced(binding.Name, _counts!.Records - _reported);
        _reported = _counts.Records;
    }
}
