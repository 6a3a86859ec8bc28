using Microsoft.Extensions.Logging;

namespace Streams.Telemetry;

/// <summary>What the engine tells its operators. One method per message, so that the list of them is here.</summary>
internal static partial class EngineLog
{
    [LoggerMessage(1, LogLevel.Warning, "{Component} failed and starts again in {DelaySeconds:F1} s: {Reason}")]
    internal static partial void ComponentRestarts(
        this ILogger logger, string component, double delaySeconds, string reason);

    [LoggerMessage(2, LogLevel.Error, "{Component} failed for good: {Reason}")]
    internal static partial void ComponentFailed(this ILogger logger, string component, string reason);

    [LoggerMessage(3, LogLevel.Information, "{Application} runs {Tasks} tasks on {Threads} threads")]
    internal static partial void ApplicationStarted(this ILogger logger, string application, int tasks, int threads);

    [LoggerMessage(4, LogLevel.Information, "{Application} is stopped; everything processed is committed")]
    internal static partial void ApplicationStopped(this ILogger logger, string application);
}
