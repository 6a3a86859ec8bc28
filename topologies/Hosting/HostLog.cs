using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Streams.Topologies.Hosting;

/// <summary>What the process tells its operators.</summary>
internal static partial class HostLog
{
    [LoggerMessage(100, LogLevel.Warning,
        "The process had been killed: {Bytes} bytes of an unfinished commit were cut off {File} at " +
            "{Position} ({Reason})")]
    internal static partial void TornTailCut(
        this ILogger logger, long bytes, string file, long position, string reason);

    [LoggerMessage(101, LogLevel.Information, "{Note}")]
    internal static partial void Note(this ILogger logger, string note);

    [LoggerMessage(102, LogLevel.Information, "Metrics are served at {Address}/metrics")]
    internal static partial void Listening(this ILogger logger, string address);

    [LoggerMessage(103, LogLevel.Information, "Stopping: what was read is processed and committed first")]
    internal static partial void Stopping(this ILogger logger);

    [LoggerMessage(104, LogLevel.Warning,
        "What '{Words}' asks for was begun already and is not begun again; leave it out, or use 'streams " +
            "backfill --apply' for another time")]
    internal static partial void BackfillBegunBefore(this ILogger logger, string words);

    /// <summary>Makes the logger of a process; messages go to standard error.</summary>
    internal static ILoggerFactory CreateFactory(LogFormat format) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(LogLevel.Information);
        builder.AddConsole(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
        if (format == LogFormat.Json)
            builder.AddJsonConsole(options =>
            {
                options.UseUtcTimestamp = true;
                options.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
            });
        else
            builder.AddSimpleConsole(options =>
            {
                options.SingleLine = true;
                options.TimestampFormat = "HH:mm:ss ";
                options.ColorBehavior = LoggerColorBehavior.Default;
            });
    });
}
