namespace Streams.Telemetry;

/// <summary>Figures of a task, written by its thread at each commit and read by whoever scrapes.</summary>
internal sealed class TaskFigures(
    int subTopology, int partition, IReadOnlyList<string> stores, IReadOnlyList<InputFigures> inputs)
{
    private readonly long[] _bytes = new long[stores.Count];
    private readonly long[] _entries = new long[stores.Count];
    private readonly long[] _diskBytes = new long[stores.Count];
    private long _streamTimeMs = long.MinValue;
    private long _heldRecords = -1;

    /// <summary>Number of the sub-topology.</summary>
    internal int SubTopology { get; } = subTopology;

    /// <summary>The task's name, as in its messages.</summary>
    internal string Task { get; } = $"{subTopology}_{partition}";

    /// <summary>Its stores.</summary>
    internal IReadOnlyList<string> Stores { get; } = stores;

    /// <summary>The partitions that it reads.</summary>
    internal IReadOnlyList<InputFigures> Inputs { get; } = inputs;

    /// <summary>The highest record time seen, Unix milliseconds; long.MinValue before the first.</summary>
    internal long StreamTimeMs
    {
        get => Volatile.Read(ref _streamTimeMs);
        set => Volatile.Write(ref _streamTimeMs, value);
    }

    /// <summary>Its asynchronous operators.</summary>
    internal IReadOnlyList<AsyncFigures> Async { get; init; } = [];

    /// <summary>Records that it held as of the last commit, or more while one is being made; -1 until its
    /// state is back.</summary>
    internal long HeldRecords
    {
        get => Volatile.Read(ref _heldRecords);
        set => Volatile.Write(ref _heldRecords, value);
    }

    /// <summary>Sets the figures of a store.</summary>
    internal void Set(int store, long bytes, long entries, long diskBytes)
    {
        Volatile.Write(ref _diskBytes[store], diskBytes);
        Volatile.Write(ref _bytes[store], bytes);
        Volatile.Write(ref _entries[store], entries);
    }

    /// <summary>Bytes that a store has reserved.</summary>
    internal long Bytes(int store) => Volatile.Read(ref _bytes[store]);

    /// <summary>Entries of a store.</summary>
    internal long Entries(int store) => Volatile.Read(ref _entries[store]);

    /// <summary>Bytes of the files of a store on disk; -1 for one in memory.</summary>
    internal long DiskBytes(int store) => Volatile.Read(ref _diskBytes[store]);

    /// <summary>Bytes that each store may reserve.</summary>
    internal required IReadOnlyList<long> BytesMax { get; init; }
}
