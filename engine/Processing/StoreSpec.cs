using Streams.State;

namespace Streams.Processing;

/// <summary>A store of a topology as it was written: each task makes its own from it.</summary>
internal sealed class StoreSpec(
    StoreOptions options, StoreShape shape, Func<IUndoLog?, int, StateStore> create, bool savepoints = false)
{
    /// <summary>The kind of store that keeps records which wait for asynchronous calls.</summary>
    internal const string HeldCallsKind = "held-calls";

    private readonly long? _lookbackMs;

    internal string Name => Options.Name;

    internal StoreOptions Options { get; } = options;

    /// <summary>Kind and encodings, as recorded beside the data to detect incompatible changes.</summary>
    internal StoreShape Shape { get; set; } = shape;

    /// <summary>Whether the store's changes can be rolled back to a savepoint of the task.</summary>
    internal bool Savepoints { get; } = savepoints;

    /// <summary>Whether it keeps records that wait for asynchronous calls.</summary>
    internal bool HoldsCalls => Shape.Kind == HeldCallsKind;

    /// <summary>How much event time of records decides what the store holds; null where a record can matter
    /// for ever. A backfill reads that much before its first output.</summary>
    internal long? LookbackMs
    {
        get => _lookbackMs ?? (Savepoints ? null : Shape.Kind switch
        {
            "window" or "join" => Shape.RetentionMs,
            // What waits for windows to close, beside the store of the windows.
            _ when Shape.Kind.StartsWith("open-windows-by-key<", StringComparison.Ordinal)
                || Shape.Kind.StartsWith("unmatched<", StringComparison.Ordinal) => 0,
            _ => null,
        });
        init => _lookbackMs = value;
    }

    /// <summary>Makes the store of one task: with the undo log, or null, and the store's number
    /// there.</summary>
    internal StateStore Create(IUndoLog? undo, int undoStore) => create(undo, undoStore);
}
