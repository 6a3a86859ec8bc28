using System.Diagnostics;
using Streams.Log;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>A task on its way to the last commit, on a thread of its own: those that are at work do not wait
/// for it.</summary>
internal sealed class TaskOpening : IDisposable
{
    private StreamTask? _task;
    private readonly CancellationTokenSource _stop;
    private readonly Task _restoring;
    private readonly long _started = Stopwatch.GetTimestamp();

    /// <param name="id">The task.</param>
    /// <param name="find">Makes it, or waits for the standby that it was.</param>
    /// <param name="log">What it is restored from.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    internal TaskOpening(
        TaskId id, Func<StreamTask> find, ITopicLog log, CancellationToken cancellation)
    {
        Id = id;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _restoring = Task.Factory.StartNew(
            () => Restore(find, log), CancellationToken.None, TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
    }

    internal TaskId Id { get; }

    /// <summary>Whether it is over, well or badly.</summary>
    internal bool IsDone => _restoring.IsCompleted;

    /// <summary>The task, whose owner is now the caller.</summary>
    internal StreamTask Take()
    {
        try
        {
            _restoring.GetAwaiter().GetResult();
        }
        catch
        {
            Dispose();
            throw;
        }
        _stop.Dispose();
        EngineMeter.RecordTaskStart(Id.SubTopology, Stopwatch.GetElapsedTime(_started));
        return _task!;
    }

    /// <summary>Gives it up.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        try
        {
            _restoring.Wait();
        }
        catch (AggregateException)
        {
            // It is given up, whatever it had come to.
        }
        _task?.Dispose();
        _stop.Dispose();
    }

    private void Restore(Func<StreamTask> find, ITopicLog log)
    {
        _task = find();
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        _task.Restore(log, reader, _stop.Token);
    }
}
