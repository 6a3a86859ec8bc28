using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Streams.Log;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>A part of an application that runs on a thread of its own and can be run again after a
/// failure.</summary>
internal interface IComponent
{
    /// <summary>Its name, for messages and metrics.</summary>
    string Name { get; }

    /// <summary>Whether it is at work: connected, restored, past its preparations.</summary>
    bool IsReady { get; }

    /// <summary>Runs until it is done or cancelled. What it throws loses nothing: the next run begins at the
    /// last commit.</summary>
    void Run(CancellationToken cancellation);
}

/// <summary>How components that fail are started again.</summary>
public sealed record RestartOptions
{
    /// <summary>Failures in a row before the application gives up. Default 10.</summary>
    public int RestartsMax { get; init; } = 10;

    /// <summary>The wait before the first restart; it doubles from one to the next, with jitter. Default 200
    /// ms.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest wait. Default 30 s.</summary>
    public TimeSpan DelayMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A component that ran this long before it failed begins its count anew. Default 1
    /// min.</summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromMinutes(1);
}

/// <summary>Runs components, starts those again that fail for a passing reason, and stops all when one fails
/// for good.</summary>
internal sealed class Supervisor : IDisposable
{
    private readonly RestartOptions _policy;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Supervised> _components = [];
    private readonly Lock _lock = new();
    private Exception? _failure;

    internal Supervisor(RestartOptions policy, ILogger logger)
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

    /// <summary>The components and how they are.</summary>
    internal IReadOnlyList<ComponentState> Components
    {
        get
        {
            lock (_lock)
                return [.. _components.Select(c => c.State)];
        }
    }

    /// <summary>Starts a component on a thread of its own.</summary>
    internal void Start(IComponent component)
    {
        var supervised = new Supervised(component);
        supervised.Thread = new Thread(() => Supervise(supervised))
        {
            Name = component.Name,
            IsBackground = true,
        };
        lock (_lock)
            _components.Add(supervised);
        supervised.Thread.Start();
    }

    /// <summary>Asks all components to commit and end, and waits for them.</summary>
    internal void Stop()
    {
        _stop.Cancel();
        Supervised[] components;
        lock (_lock)
            components = [.. _components];
        foreach (Supervised component in components)
            component.Thread!.Join();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        _stop.Dispose();
    }

    // The one place, beside the guard of user code, where every exception is caught.
    private void Supervise(Supervised supervised)
    {
        try
        {
            RunWithRestarts(supervised);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped while it waited.
        }
        catch (Exception e)
        {
            Fail(supervised.Component, e);
        }
        finally
        {
            supervised.HasEnded = true;
        }
    }

    private void RunWithRestarts(Supervised supervised)
    {
        ResiliencePipeline pipeline = Pipeline(supervised);
        while (true)
        {
            long started = Stopwatch.GetTimestamp();
            try
            {
                pipeline.Execute(
                    cancellation =>
                    {
                        started = Stopwatch.GetTimestamp();
                        supervised.Waiting = null;
                        supervised.Component.Run(cancellation);
                    },
                    _stop.Token);
                return;
            }
            catch (Exception e) when (IsPassing(e) && Stopwatch.GetElapsedTime(started) > _policy.StableAfter)
            {
                // It had run well: its restarts are counted from zero again.
            }
        }
    }

    private ResiliencePipeline Pipeline(Supervised supervised) => new ResiliencePipelineBuilder()
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
                supervised.Waiting = retry.Outcome.Exception!.Message;
                EngineMeter.RecordRestart(supervised.Component.Name);
                _logger.ComponentRestarts(
                    supervised.Component.Name, retry.RetryDelay.TotalSeconds, supervised.Waiting);
                return ValueTask.CompletedTask;
            },
        })
        .Build();

    private static bool IsPassing(Exception e) => e is UnavailableException or LogInterruptedException;

    private void Fail(IComponent component, Exception e)
    {
        _logger.ComponentFailed(component.Name, e.Message);
        lock (_lock)
            _failure ??= e;
        _stop.Cancel();
    }

    /// <summary>A component with its thread.</summary>
    private sealed class Supervised(IComponent component)
    {
        private volatile string? _waiting;
        private volatile bool _hasEnded;

        internal IComponent Component { get; } = component;

        internal Thread? Thread { get; set; }

        /// <summary>Why it waits to be started again; null while it does not.</summary>
        internal string? Waiting
        {
            get => _waiting;
            set => _waiting = value;
        }

        internal bool HasEnded
        {
            get => _hasEnded;
            set => _hasEnded = value;
        }

        internal ComponentState State => new(Component.Name, Component.IsReady, HasEnded, Waiting);
    }
}

/// <summary>How a component is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsReady">Whether it is at work.</param>
/// <param name="HasEnded">Whether it is done, or failed for good.</param>
/// <param name="Waiting">Why it waits to be started again; null while it does not.</param>
internal readonly record struct ComponentState(string Name, bool IsReady, bool HasEnded, string? Waiting);
