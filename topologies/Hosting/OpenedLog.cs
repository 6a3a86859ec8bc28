using Microsoft.Extensions.Logging;
using Streams.Connect;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Kafka;

namespace Streams.Topologies.Hosting;

/// <summary>Where the log is that a command opens: in a data directory, or on Kafka.</summary>
internal sealed record LogPlace
{
    /// <summary>The data directory; null where none was given.</summary>
    internal string? Data { get; init; }

    /// <summary>Whose groups and cursors are meant on Kafka.</summary>
    internal string Application { get; init; } = "streams";

    internal KafkaLogOptions Kafka { get; init; } = new();

    internal LogOptions Log { get; init; } = new();

    internal LogFormat Format { get; init; }

    internal bool IsOnKafka => Kafka.Brokers.Length > 0;

    /// <summary>Where an application runs.</summary>
    internal static LogPlace Of(RunSettings settings) => new()
    {
        Data = settings.DataFolder,
        Application = settings.Application,
        Kafka = settings.Options.Kafka,
        Log = settings.Options.Log,
        Format = settings.Options.LogFormat,
    };

    internal string RequireData() => Data ?? throw new ConfigurationException(
        "Where is the data? Give --data DIR, or --kafka BROKERS, or -c with a configuration.");
}

/// <summary>A log that a command has opened, and what it holds open for that.</summary>
internal sealed class OpenedLog : IDisposable
{
    private readonly ITopicLog? _log;
    private readonly IDisposable?[] _opened;

    private OpenedLog(ILogContents contents, ITopicLog? log, params IDisposable?[] opened)
    {
        Contents = contents;
        _log = log;
        _opened = opened;
    }

    /// <summary>What it holds.</summary>
    internal ILogContents Contents { get; }

    /// <summary>The log itself, where it was opened to be changed.</summary>
    internal ITopicLog Log => _log ?? throw new InvalidOperationException("It is only looked at.");

    /// <summary>Opens it to look at it; processes may run on it.</summary>
    /// <exception cref="ConfigurationException">There is no log there.</exception>
    internal static OpenedLog Look(LogPlace place)
    {
        if (place.IsOnKafka)
            return OnKafka(place, folderLock: null);
        EmbeddedLogView view = DataFolder.View(place.RequireData());
        return new OpenedLog(view, null, view);
    }

    /// <summary>Opens it to change it; where it lies in a data directory, no process may run in
    /// that.</summary>
    /// <param name="place">Where.</param>
    /// <param name="usesFolder">Whether, beside a log on Kafka, what lies in the data directory is read or
    /// changed too: snapshots, and stores on disk.</param>
    /// <exception cref="ConfigurationException">There is no log there.</exception>
    /// <exception cref="LogUnavailableException">A process runs in the data directory.</exception>
    internal static OpenedLog ToChange(LogPlace place, bool usesFolder = false)
    {
        if (place.IsOnKafka)
            return OnKafka(place, usesFolder && place.Data is { } folder && Directory.Exists(folder)
                ? DataFolder.Lock(folder) : null);
        string data = place.RequireData();
        // A directory that is none is not made one.
        DataFolder.View(data).Dispose();
        EmbeddedLog log = EmbeddedLog.Open(place.Log.ToLog(DataFolder.LogFolder(data)));
        return new OpenedLog(new OpenLogContents(log), log, log);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable? opened in _opened)
            opened?.Dispose();
    }

    private static OpenedLog OnKafka(LogPlace place, IDisposable? folderLock)
    {
        ILoggerFactory factory = HostLog.CreateFactory(place.Format);
        try
        {
            // Not the member that the instance's process is: the group would wait for it to come back.
            KafkaLog log = KafkaLog.Open(
                place.Application, place.Kafka with { Instance = null }, factory.CreateLogger("streams"));
            return new OpenedLog(new OpenLogContents(log), log, log, folderLock, factory);
        }
        catch
        {
            folderLock?.Dispose();
            factory.Dispose();
            throw;
        }
    }
}
