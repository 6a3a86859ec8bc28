namespace Streams.Log;

/// <summary>A failure of the log that an operator has to see.</summary>
public abstract class LogException : Exception
{
    /// <summary>Says what happened, where, and what to do.</summary>
    protected LogException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>A topic exists and is not as asked.</summary>
public sealed class TopicMismatchException(string message) : LogException(message);

/// <summary>There is no room on the disk. Nothing was committed; the same commit may be tried
/// again.</summary>
public sealed class LogFullException(string message, Exception? inner = null) : LogException(message, inner);

/// <summary>A record is larger than its topic allows.</summary>
public sealed class RecordTooLargeException(string message) : LogException(message);

/// <summary>A commit would be larger than the log allows. What was added before is still there.</summary>
public sealed class CommitTooLargeException(string message) : LogException(message);

/// <summary>A newer writer has taken this writer's id.</summary>
public sealed class WriterFencedException(string message) : LogException(message);

/// <summary>The connection to the log failed in a way that passes, or somebody else has the writer's place.
/// What was added since the last commit is given up; a new writer begins there.</summary>
public sealed class LogInterruptedException(string message) : LogException(message);

/// <summary>The log's directory is in use by another process, or cannot be used at all.</summary>
public sealed class LogUnavailableException(string message, Exception? inner = null)
    : LogException(message, inner);

/// <summary>The bytes on disk are not the bytes that were written.</summary>
public sealed class LogDamagedException : LogException
{
    /// <summary>Names the place and the way out.</summary>
    public LogDamagedException(string file, long position, string reason)
        : base($"{file} is damaged at byte {position}: {reason}. " +
            "Run 'streams log repair --data DIR' with the process stopped: it keeps what is whole and " +
                "sets the rest aside.")
    {
        File = file;
        Position = position;
    }

    /// <summary>The damaged file.</summary>
    public string File { get; }

    /// <summary>Bytes from its start.</summary>
    public long Position { get; }
}
