using Streams.Processing;
using Streams.State.Disk;

namespace Streams.Connect;

/// <summary>Checks the stores that a topology or its configuration keeps on disk.</summary>
internal static class StoresOnDisk
{
    /// <summary>The kind of store that can lie on disk.</summary>
    private const string KeyValue = "key-value";

    /// <summary>What its shape is called there: what is in memory cannot be found on disk.</summary>
    internal const string Kind = "key-value on disk";

    /// <summary>The names of the stores that can lie on disk.</summary>
    internal static IReadOnlyList<string> Able(Topology topology) =>
        [.. topology.Parts.SelectMany(p => p.Stores).Where(s => WhyNot(s) is null).Select(s => s.Name)
            .Order(StringComparer.Ordinal)];

    /// <summary>Checks that each can lie on disk.</summary>
    /// <exception cref="ConfigurationException">One cannot.</exception>
    internal static void Check(Topology topology, RuntimeOptions runtime)
    {
        List<StoreSpec> stores = [.. topology.Parts.SelectMany(p => p.Stores)];
        IReadOnlyList<string> able = Able(topology);
        foreach (string name in runtime.Disk.Stores.Where(n => stores.TrueForAll(s => s.Name != n)))
            throw new ConfigurationException(
                $"runtime.disk.stores: there is no store '{name}' to keep on disk. "
                + $"Stores that can be: {Names(able)}.");
        foreach (StoreSpec store in stores.Where(runtime.IsOnDisk))
        {
            if (WhyNot(store) is { } why)
                throw new ConfigurationException(
                    $"The store '{store.Name}' cannot be kept on disk: {why}. "
                    + $"Stores that can be: {Names(able)}.");
        }
    }

    /// <summary>Loads the library where a store needs it.</summary>
    /// <exception cref="ConfigurationException">It is not installed.</exception>
    internal static void RequireLibrary(ApplicationDefinition definition)
    {
        if (!definition.Topology.Parts.SelectMany(p => p.Stores).Any(definition.Runtime.IsOnDisk))
            return;
        try
        {
            _ = RocksLibrary.Instance;
        }
        catch (DllNotFoundException e)
        {
            throw new ConfigurationException(e.Message, e);
        }
    }

    private static string? WhyNot(StoreSpec store) =>
        store.Shape.Kind != KeyValue ? $"it is of the kind {store.Shape.Kind}, which is kept in memory"
        : store.Savepoints ? "it can be rolled back to savepoints, which needs it in memory"
        : !store.Options.Logged ? "it has no changelog, which a database on disk is checked against"
        : store.Options.TimeToLive is not null ? "it has a time to live, which needs it in memory"
        : null;

    private static string Names(IReadOnlyList<string> names) =>
        names.Count == 0 ? "none" : string.Join(", ", names);
}
