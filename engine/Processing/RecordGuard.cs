using Streams.Connect;
using Streams.Log;
using Streams.State;
using Streams.State.Disk;

namespace Streams.Processing;

/// <summary>What to do with a record that cannot be read, processed or written.</summary>
public enum FailurePolicy
{
    /// <summary>Stop: the record is tried again after a restart.</summary>
    Fail,

    /// <summary>Keep the record and the reason on the topic's dead-letter topic, and go on.</summary>
    DeadLetter,

    /// <summary>Count it and go on.</summary>
    Continue,
}

/// <summary>Takes what user code throws, record by record, and does what the policy says.</summary>
/// <remarks>
/// Here and in the supervisor only is every exception caught: codecs and operators are the user's, and a
/// record that breaks one must not stop the others. What the engine itself throws (a full log, a full store)
/// and what is worth trying again (a system that cannot be reached) passes through.
/// </remarks>
internal sealed class RecordGuard(FailurePolicy decoding, FailurePolicy processing, IFailureSink failures)
{
    /// <summary>Decodes a record of an input.</summary>
    /// <returns>False where the record is left out.</returns>
    /// <exception cref="RecordFailedException">It cannot be, and the policy is to stop.</exception>
    internal bool TryDecode<TKey, TValue>(TaskInput<TKey, TValue> input, in LogRecord record)
    {
        try
        {
            return input.Decode(record);
        }
        catch (Exception e) when (IsUserFailure(e))
        {
            if (decoding == FailurePolicy.Fail)
                throw failures.Stop(FailureStage.Decoding, e);
            input.SkipTo(record.Offset + 1);
            failures.Report(FailureStage.Decoding, decoding, record, e);
            return false;
        }
    }

    /// <summary>Processes the record that waits at an input.</summary>
    /// <exception cref="RecordFailedException">It cannot be, and the policy is to stop.</exception>
    internal void Process(TaskInput input)
    {
        try
        {
            input.PushHead();
        }
        catch (StateLimitException e)
        {
            throw failures.AtLimit(e);
        }
        catch (Exception e) when (IsUserFailure(e))
        {
            if (processing == FailurePolicy.Fail)
                throw failures.Stop(FailureStage.Processing, e);
            failures.ReportCurrent(FailureStage.Processing, processing, e);
        }
    }

    /// <summary>Passes on a record that an asynchronous operator has held.</summary>
    internal void Forward(IAsyncOperator finished)
    {
        if (processing == FailurePolicy.Fail)
        {
            finished.PushFinished();
            return;
        }
        try
        {
            finished.PushFinished();
        }
        catch (Exception e) when (IsUserFailure(e))
        {
            failures.ReportCurrent(FailureStage.Processing, processing, e);
        }
    }

    /// <summary>Counts a record that its timestamp extractor left out.</summary>
    internal void SkippedNegativeTimestamp() => failures.CountSkipped("negative_timestamp");

    // A result that is too large for its topic is the record's own failing, and not the log's.
    private static bool IsUserFailure(Exception e) => e is RecordTooLargeException
        or not (LogException or StateLimitException or RocksException or UnavailableException
            or OutOfMemoryException
            or OperationCanceledException);
}

/// <summary>Where in a record's way something failed.</summary>
internal enum FailureStage
{
    Decoding,
    Processing,
}

/// <summary>Writes dead letters and counts.</summary>
internal interface IFailureSink
{
    /// <summary>A record could not be decoded.</summary>
    void Report(FailureStage stage, FailurePolicy policy, in LogRecord record, Exception reason);

    /// <summary>The record that the task is at could not be processed.</summary>
    void ReportCurrent(FailureStage stage, FailurePolicy policy, Exception reason);

    /// <summary>What to stop with where the record that the task is at cannot be decoded or
    /// processed.</summary>
    Exception Stop(FailureStage stage, Exception reason);

    /// <summary>What to stop with where a store that the operator uses is full.</summary>
    Exception AtLimit(StateLimitException reason);

    /// <summary>A record was left out for a reason that is not a failure.</summary>
    void CountSkipped(string reason);
}

/// <summary>A record that cannot be decoded or processed, where the policy is to stop: the message says which
/// one, where it failed and how to go on; the reason is inside.</summary>
public sealed class RecordFailedException(string message, Exception inner) : Exception(message, inner);
