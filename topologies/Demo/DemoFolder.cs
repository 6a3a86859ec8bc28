using Streams.Connect;
using Streams.Log;
using Streams.Log.Embedded.Files;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Demo;

/// <summary>The directory of a demonstration. Each run begins with an empty one, and empties only what a run
/// before it has made.</summary>
internal sealed class DemoFolder
{
    /// <summary>The file by which a directory is known to be the demonstration's.</summary>
    internal const string MarkerName = "made-by-streams-demo.txt";

    private const string LockName = "lock";
    private const string LockHolderName = "lock-holder";
    private const string MarkerText =
        "The folders log, state and labels and the file demo.sqlite beside this one were made by 'streams " +
        "demo'.\nThe next demo on this directory deletes them and begins anew; other files here are left " +
        "alone.\n";

    private static readonly string[] Folders = ["log", "state", "labels"];
    private static readonly string[] Files = ["demo.sqlite", "demo.sqlite-wal", "demo.sqlite-shm"];

    private DemoFolder(string path) => Path = path;

    /// <summary>The directory, as it was given.</summary>
    internal string Path { get; }

    /// <summary>Where the results are written.</summary>
    internal string SqliteFile => In(Files[0]);

    /// <summary>Where the labels of the simulation's actors lie.</summary>
    internal string Labels => In("labels");

    /// <summary>Makes the directory, or empties the one that an earlier demonstration made.</summary>
    /// <exception cref="ConfigurationException">It holds something else, or cannot be written.</exception>
    /// <exception cref="LogUnavailableException">Another process works in it.</exception>
    internal static DemoFolder Prepare(string path)
    {
        var folder = new DemoFolder(path);
        try
        {
            if (File.Exists(path))
                throw new ConfigurationException($"{path} is a file; --data needs a directory.");
            if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
                folder.Empty();
            Directory.CreateDirectory(path);
            File.WriteAllText(folder.In(MarkerName), MarkerText);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(
                $"The directory {path} cannot be used for the demo: {e.Message} Give another with --data.",
                e);
        }
        return folder;
    }

    private void Empty()
    {
        if (!File.Exists(In(MarkerName)))
            throw new ConfigurationException(
                $"{Path} is not empty, and no demo made it (there is no file {MarkerName}). Nothing was " +
                "changed. Give another directory with --data, or an empty one.");
        using IDisposable? held = TakeLog();
        foreach (string name in Files)
            File.Delete(In(name));
        foreach (string name in Folders.Where(name => Directory.Exists(In(name))))
            Directory.Delete(In(name), recursive: true);
    }

    // Whoever has the log open is at work here: nothing may be deleted then.
    private IDisposable? TakeLog()
    {
        string log = DataFolder.LogFolder(Path);
        if (!Directory.Exists(log))
            return null;
        return new DirectoryFileSystem(log).TryLock(LockName) ?? throw new LogUnavailableException(
            $"{Path} is in use by {HolderOf(log)}. Stop that process, or give another directory with " +
            "--data.");
    }

    private static string HolderOf(string log)
    {
        string holder = System.IO.Path.Combine(log, LockHolderName);
        return File.Exists(holder) ? File.ReadAllText(holder) : "another process";
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
