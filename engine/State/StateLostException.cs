namespace Streams.State;

/// <summary>A store's state cannot be put together again from what is on disk.</summary>
public sealed class StateLostException(string store, string folder) : Exception(
    $"The state of the store '{store}' is lost: no snapshot in {folder} is whole, and its changelog no " +
        $"longer " +
    "reaches back to the beginning. Put the snapshot files back, or remove the data directory and process " +
        "the " +
    "input again from its start.");
