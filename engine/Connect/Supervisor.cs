using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>A part of an application that runs on a thread of its own and can be run again after a failure.</summary>
internal interface IComponent
{
    /// <summary>Its name, for messages and metrics.</summary>
    string Name { get; }

    /// <summary>Runs until it is done or cancelled. What it throws loses nothing: the next run begins at the last commit.</summary>
    void Run(CancellationToken cancellation);
}

/// <summary>How components that fail are started again.</summary>
public sealed record RestartPolicy
{
    /// <summary>Failures in a row before the application gives up. Default 10.</summary>
    public int RestartsMax { get; init; } = 10;

    /// <summary>The wait before the first restart; it doubles from one to the next, with jitter. Default 200 ms.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest wait. Default 30 s.</summary>
    public TimeSpan DelayMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A component that ran this long before it failed begins its count anew. Default 1 min.</summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromMinutes(1);
}

/// <summary>Runs components, starts those again that fail for a passing reason, and stops all when one fails for good.</summary>
internal sealed class Supervisor : IDisposable
{
    private readonly RestartPolicy _policy;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Thread> _threads = [];
    private readonly Lock _lock = new();
    private int _running;
    private Exception? _failure;

    internal Supervisor(RestartPolicy policy, ILogger logger)
    {
        _policy = policy;
        _logger = logger;
    }

    /// <summary>What ended the application; null while nothing did.</summary>
    internal Exception? Failure
    {
        get
        {
            lock (_lock)
                return _failure;
        }
    }

    /// <summary>Cancelled when the components are to stop.</summary>
    internal CancellationToken Stopping => _stop.Token;

    /// <summary>Components that have not ended.</summary>
    internal int Running => Volatile.Read(ref _running);

    /// <summary>Starts a component on a thread of its own.</summary>
    internal void Start(IComponent component)
    {
        Interlocked.Increment(ref _running);
        var thread = new Thread(() => Supervise(component)) { Name = component.Name, IsBackground = true };
        lock (_lock)
            _threads.Add(thread);
        thread.Start();
    }

    /// <summary>Asks all components to commit and end, and waits for them.</summary>
    internal void Stop()
    {
        _stop.Cancel();
        Thread[] threads;
        lock (_lock)
            threads = [.. _threads];
        foreach (Thread thread in threads)
            thread.Join();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        _stop.Dispose();
    }

    // The one place, beside the guard of user code, where every exception is caught.
    private void Supervise(IComponent component)
    {
        try
        {
            RunWithRestarts(component);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped while it waited.
        }
        catch (Exception e)
        {
            Fail(component, e);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    private void RunWithRestarts(IComponent component)
    {
        ResiliencePipeline pipeline = Pipeline(component);
        while (true)
        {
            long started = Stopwatch.GetTimestamp();
            try
            {
                pipeline.Execute(
                    cancellation =>
                    {
                        started = Stopwatch.GetTimestamp();
                        component.Run(cancellation);
                    },
                    _stop.Token);
                return;
            }
            catch (UnavailableException) when (Stopwatch.GetElapsedTime(started) > _policy.StableAfter)
            {
                // It had run well: its restarts are counted from zero again.
            }
        }
    }

    private ResiliencePipeline Pipeline(IComponent component) => new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<Exception>(IsPassing),
            MaxRetryAttempts = _policy.RestartsMax,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = _policy.Delay,
            MaxDelay = _policy.DelayMax,
            OnRetry = retry =>
            {
                EngineMeter.RecordRestart(component.Name);
                _logger.ComponentRestarts(
                    component.Name, retry.RetryDelay.TotalSeconds, retry.Outcome.Exception!.Message);
                return ValueTask.CompletedTask;
            },
        })
        .Build();

    private static bool IsPassing(Exception e) => e is UnavailableException;

    private void Fail(IComponent component, Exception e)
    {
        _logger.ComponentFailed(component.Name, e.Message);
        lock (_lock)
            _failure ??= e;
        _stop.Cancel();
    }
}
