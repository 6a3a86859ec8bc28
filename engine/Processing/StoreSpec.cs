using Streams.State;

namespace Streams.Processing;

/// <summary>A store of a topology as it was written: each task makes its own from it.</summary>
internal sealed class StoreSpec(
    StoreOptions options, StoreShape shape, Func<IUndoLog?, int, StateStore> create, bool savepoints = false)
{
    internal string Name => Options.Name;

    internal StoreOptions Options { get; } = options;

    /// <summary>Kind and encodings, as recorded beside the data to detect incompatible changes.</summary>
    internal StoreShape Shape { get; set; } = shape;

    /// <summary>Whether the store's changes can be rolled back to a savepoint of the task.</summary>
    internal bool Savepoints { get; } = savepoints;

    /// <summary>Makes the store of one task: with the undo log, or null, and the store's number
    /// there.</summary>
    internal StateStore Create(IUndoLog? undo, int undoStore) => create(undo, undoStore);
}
