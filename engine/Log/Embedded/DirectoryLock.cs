using System.Globalization;
using System.Text;
using Streams.Log.Embedded.Files;

namespace Streams.Log.Embedded;

/// <summary>
/// Keeps a second process out of the directory. The operating system's lock does the work and ends with its
/// holder, even one that was killed; a file beside it says who that is.
/// </summary>
internal static class DirectoryLock
{
    private const string LockName = "lock";
    private const string HolderName = "lock-holder";

    /// <summary>Takes the lock.</summary>
    /// <exception cref="LogUnavailableException">Somebody has it; the message says who.</exception>
    public static IDisposable Take(ILogFileSystem files, TimeProvider time)
    {
        IDisposable? taken = files.TryLock(LockName);
        if (taken is null)
        {
            throw new LogUnavailableException(
                $"The log in {files.Location} is in use by {ReadHolder(files)}. " +
                "Stop that process, or use another directory.");
        }
        WriteHolder(files, time);
        return taken;
    }

    private static void WriteHolder(ILogFileSystem files, TimeProvider time)
    {
        string holder = string.Create(CultureInfo.InvariantCulture,
            $"process {Environment.ProcessId} on {Environment.MachineName}, since {time.GetUtcNow():u}");
        try
        {
            using ILogFile file = files.Open(HolderName, LogFileMode.Create);
            file.WriteAt(Encoding.UTF8.GetBytes(holder), 0);
        }
        catch (LogFullException)
        {
            // Only the name of the holder is missing then; that must not keep a log from being read.
        }
        catch (IOException)
        {
            // As above.
        }
    }

    private static string ReadHolder(ILogFileSystem files)
    {
        if (!files.Exists(HolderName))
            return "another process";
        using ILogFile file = files.Open(HolderName, LogFileMode.Read);
        byte[] bytes = new byte[Math.Min(file.Length, 1024)];
        int read = file.ReadAt(bytes, 0);
        return read > 0 ? Encoding.UTF8.GetString(bytes, 0, read) : "another process";
    }
}
