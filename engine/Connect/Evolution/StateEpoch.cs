using System.Buffers.Binary;
using System.Globalization;
using Streams.Log;

namespace Streams.Connect.Evolution;

/// <summary>
/// Tells snapshots apart that were taken before a store's changelog was made anew. Where one process has the
/// log, they are deleted with it; where several share the work, each has a folder of its own, so the log says
/// which snapshots still count: those in a folder of the epoch's number.
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
        long epoch = log.SharesWork ? Of(application, log) : 0;
        string name = epoch == 0 ? application : NameOf(application, epoch);
        string root = Root(dataFolder);
        if (log.SharesWork && Directory.Exists(root))
        {
            foreach (string old in FoldersOf(root, application).Where(f => Path.GetFileName(f) != name))
                Directory.Delete(old, recursive: true);
        }
        return Path.Combine(root, name);
    }

    /// <summary>Deletes all snapshots of an application in a folder.</summary>
    internal static void DeleteAll(string dataFolder, string application)
    {
        string root = Root(dataFolder);
        if (!Directory.Exists(root))
            return;
        foreach (string folder in FoldersOf(root, application))
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

    private static string NameOf(string application, long epoch) =>
        string.Create(CultureInfo.InvariantCulture, $"{application}@{epoch}");

    private static IEnumerable<string> FoldersOf(string root, string application) =>
        Directory.GetDirectories(root).Where(f => Path.GetFileName(f) is var name
            && (name == application || name.StartsWith(application + "@", StringComparison.Ordinal)));
}
