using System.Buffers.Binary;
using System.Globalization;
using Streams.Log;

namespace Streams.Connect.Evolution;

/// <summary>
/// Tells snapshots apart that were taken of another log, or before a store's changelog was made anew. Where
/// one process has the log, its snapshots lie beside it and are deleted with a changelog; where several share
/// the work, each has a folder of its own, so the log says which snapshots still count: those in a folder of
/// its id and the epoch's number.
/// </summary>
internal static class StateEpoch
{
    private const string CursorSource = "streams-state-epoch";

    /// <summary>Begins another epoch with the commit.</summary>
    internal static void Begin(ILogWriter writer, string application, ITopicLog log)
    {
        if (!log.SharesWork)
            return;
        byte[] next = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(next, Of(application, log) + 1);
        writer.CommitCursor(CursorSource, application, next);
    }

    /// <summary>Where the snapshots lie that count.</summary>
    internal static string FolderOf(string dataFolder, string application, ITopicLog log)
    {
        string root = Root(dataFolder);
        if (!log.SharesWork)
            return Path.Combine(root, application);
        string folder = Path.Combine(root, NameOf(application, log.Id, Of(application, log)));
        foreach (string old in FoldersOf(root, application, log).Where(f => f != folder))
            Directory.Delete(old, recursive: true);
        return folder;
    }

    /// <summary>Deletes all snapshots that an application has taken of such a log.</summary>
    internal static void DeleteAll(string dataFolder, string application, ITopicLog log)
    {
        foreach (string folder in FoldersOf(Root(dataFolder), application, log))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>Refuses to go on while the application is at work.</summary>
    /// <exception cref="LogUnavailableException">It is.</exception>
    internal static void RequireNoProcess(string application, ITopicLog log)
    {
        IReadOnlyList<string> members = log.MembersOf(application);
        if (members.Count > 0)
            throw new LogUnavailableException(
                $"'{application}' runs: its group has {members.Count} members "
                + $"({string.Join(", ", members)}). Stop them all first; one that was killed, or that has a "
                + "kafka.instance, counts until kafka.session_timeout is over.");
    }

    private static long Of(string application, ITopicLog log) =>
        log.Cursor(CursorSource, application) is { Length: sizeof(long) } kept
            ? BinaryPrimitives.ReadInt64LittleEndian(kept) : 0;

    private static string Root(string dataFolder) => Path.Combine(dataFolder, "state");

    private static string NameOf(string application, string logId, long epoch) => string.Create(
        CultureInfo.InvariantCulture, $"{application}@{Uri.EscapeDataString(logId)}.{epoch}");

    // A log that lies in the data directory keeps nothing behind its snapshots: they are not another's to
    // delete.
    private static IEnumerable<string> FoldersOf(string root, string application, ITopicLog log) =>
        !Directory.Exists(root) ? []
        : Directory.GetDirectories(root).Where(f => Path.GetFileName(f) is var name && (log.SharesWork
            ? name.StartsWith(application + "@", StringComparison.Ordinal)
            : name == application));
}
