using System.Collections.Concurrent;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;
using Streams.Connect;
using Streams.Processing;
using Streams.Telemetry;

namespace Streams.Dsl;

/// <summary>Makes the calls of an operator of one task: attempts, pauses between them, timeouts, the circuit
/// breaker.</summary>
/// <remarks>
/// Each attempt begins on the scheduler of what is done beside the processing, so that one which blocks does
/// not block the task. One that does not heed its token is left to itself when its time is over.
/// </remarks>
internal sealed class AsyncCaller<TKey, TValue, TResult> : IDisposable
{
    private readonly Func<TKey, TValue, CancellationToken, Task<TResult>> _mapper;
    private readonly AsyncCallOptions _options;
    private readonly Func<Exception, bool>? _retryIf;
    private readonly TaskScope _scope;
    private readonly AsyncFigures _figures;
    private readonly ResiliencePipeline _pipeline;
    private readonly Random _random;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<HeldCall<TResult>> _ended = new();
    private int _leftBehind;

    internal AsyncCaller(
        Func<TKey, TValue, CancellationToken, Task<TResult>> mapper, AsyncCallOptions options,
        Func<Exception, bool>? retryIf, TaskScope scope, AsyncFigures figures)
    {
        _mapper = mapper;
        _options = options;
        _retryIf = retryIf;
        _scope = scope;
        _figures = figures;
        // Tasks draw different pauses, and a task the same ones in each run.
        _random = new Random(KeyOf(scope.Id));
        _pipeline = Pipeline();
    }

    /// <summary>Attempts whose time is over and that still run.</summary>
    internal int LeftBehind => Volatile.Read(ref _leftBehind);

    /// <summary>Begins a call; it comes out of <see cref="TryTakeEnded"/> at its end.</summary>
    internal void Begin(HeldCall<TResult> call, TKey key, TValue value)
    {
        Task<TResult> result = _pipeline.ExecuteAsync(
            static (state, cancellation) => state.Caller.AttemptAsync(state.Key, state.Value, cancellation),
            (Caller: this, Key: key, Value: value), _stop.Token).AsTask();
        result.ContinueWith(
            static (ended, state) =>
            {
                (AsyncCaller<TKey, TValue, TResult> caller, HeldCall<TResult> call) =
                    ((AsyncCaller<TKey, TValue, TResult>, HeldCall<TResult>))state!;
                caller.End(call, ended);
            },
            (this, call), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    /// <summary>Puts something without a call among those that have ended.</summary>
    internal void Skip(HeldCall<TResult> call) => _ended.Enqueue(call);

    /// <summary>A call that has ended, in the order of their ends.</summary>
    internal bool TryTakeEnded(out HeldCall<TResult> call) => _ended.TryDequeue(out call!);

    /// <summary>Whether a failure may pass, so that it is worth another attempt.</summary>
    internal bool MayPass(Exception failure) =>
        failure is TimeoutRejectedException or BrokenCircuitException || MayPassByItself(failure);

    /// <summary>Cancels what is under way.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private bool MayPassByItself(Exception failure) =>
        _retryIf?.Invoke(failure) ?? failure is not ConfigurationException;

    private async ValueTask<TResult> AttemptAsync(TKey key, TValue value, CancellationToken cancellation)
    {
        Task<TResult> attempt = Task.Factory.StartNew(
            () => _mapper(key, value, cancellation), cancellation, TaskCreationOptions.DenyChildAttach,
            _scope.Background).Unwrap();
        try
        {
            return await attempt.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            if (!attempt.IsCompleted)
                LeaveBehind(attempt);
        }
    }

    private void LeaveBehind(Task attempt)
    {
        Interlocked.Increment(ref _leftBehind);
        attempt.ContinueWith(
            ended =>
            {
                // Nobody waits for it any more, and nobody is to be told what it failed of.
                _ = ended.Exception;
                Interlocked.Decrement(ref _leftBehind);
                _scope.Async.Wake();
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void End(HeldCall<TResult> call, Task<TResult> ended)
    {
        if (ended.IsCompletedSuccessfully)
            call.Result = ended.Result;
        else
            call.Failure = ended.Exception?.InnerException
                ?? new OperationCanceledException("The call was cancelled.");
        _ended.Enqueue(call);
        _scope.Async.Wake();
    }

    // From the outside in: all attempts together, the attempts, the breaker that each goes through, its time.
    private ResiliencePipeline Pipeline()
    {
        var builder = new ResiliencePipelineBuilder { TimeProvider = _scope.Clock };
        builder.AddTimeout(Timeout(_options.TotalTimeout));
        if (_options.RetriesMax > 0)
            builder.AddRetry(Retry());
        if (_options.BreakerFailurePercent > 0)
            builder.AddCircuitBreaker(Breaker());
        return builder.AddTimeout(Timeout(_options.AttemptTimeout)).Build();
    }

    private TimeoutStrategyOptions Timeout(TimeSpan timeout) => new()
    {
        Timeout = timeout,
        OnTimeout = _ =>
        {
            EngineMeter.RecordCallTimeout(_figures.Name);
            return ValueTask.CompletedTask;
        },
    };

    private RetryStrategyOptions Retry() => new()
    {
        ShouldHandle = new PredicateBuilder().Handle<Exception>(MayPass),
        MaxRetryAttempts = _options.RetriesMax,
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        Randomizer = Draw,
        Delay = _options.RetryDelay,
        MaxDelay = _options.RetryDelayMax,
        OnRetry = _ =>
        {
            EngineMeter.RecordCallRetry(_figures.Name);
            return ValueTask.CompletedTask;
        },
    };

    private CircuitBreakerStrategyOptions Breaker() => new()
    {
        ShouldHandle = new PredicateBuilder().Handle<TimeoutRejectedException>()
            .Handle<Exception>(MayPassByItself),
        FailureRatio = _options.BreakerFailurePercent / 100.0,
        MinimumThroughput = _options.BreakerAttemptsMin,
        SamplingDuration = _options.BreakerSpan,
        BreakDuration = _options.BreakerPause,
        OnOpened = opened =>
        {
            _figures.Breaker = BreakerState.Open;
            _scope.Logger.BreakerOpened(
                _figures.Name, _scope.Id.ToString(), opened.BreakDuration.TotalSeconds,
                opened.Outcome.Exception?.Message ?? "");
            return ValueTask.CompletedTask;
        },
        OnHalfOpened = _ =>
        {
            _figures.Breaker = BreakerState.HalfOpen;
            return ValueTask.CompletedTask;
        },
        OnClosed = _ =>
        {
            _figures.Breaker = BreakerState.Closed;
            _scope.Logger.BreakerClosed(_figures.Name, _scope.Id.ToString());
            return ValueTask.CompletedTask;
        },
    };

    private double Draw()
    {
        lock (_random)
            return _random.NextDouble();
    }

    private static int KeyOf(TaskId task) => (task.SubTopology << 16) + task.Partition;
}

/// <summary>A record that is held, from its arrival until it is passed on.</summary>
/// <param name="number">Its number, in the order of arrival: its key in the store.</param>
/// <param name="lane">The line that it stands in; null where it has no order.</param>
/// <param name="isCall">Whether something is called for it.</param>
internal sealed class HeldCall<TResult>(long number, CallLane<TResult>? lane, bool isCall)
{
    internal long Number { get; } = number;

    internal CallLane<TResult>? Lane { get; } = lane;

    internal bool IsCall { get; } = isCall;

    /// <summary>When its call began, by the clock's timestamps.</summary>
    internal long Started { get; set; }

    internal bool IsDone { get; set; }

    internal TResult? Result { get; set; }

    /// <summary>What the call failed of; null where it did not.</summary>
    internal Exception? Failure { get; set; }
}

/// <summary>Records that are to be passed on in the order of their arrival.</summary>
internal sealed class CallLane<TResult>(byte[]? key, int callsMax)
{
    private int _calls;

    /// <summary>The key of its records; null where it is not for one key.</summary>
    internal byte[]? Key { get; } = key;

    /// <summary>Those that are held.</summary>
    internal Queue<HeldCall<TResult>> Line { get; } = new();

    /// <summary>Those whose call may not begin yet.</summary>
    internal Queue<HeldCall<TResult>> Waiting { get; } = new();

    /// <summary>Takes the next whose call may begin now.</summary>
    internal bool TryRelease(out HeldCall<TResult> call)
    {
        call = null!;
        if (_calls == callsMax || !Waiting.TryDequeue(out call!))
            return false;
        _calls++;
        return true;
    }

    /// <summary>A call that was released has ended.</summary>
    internal void Ended() => _calls--;
}
