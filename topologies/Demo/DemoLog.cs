using Microsoft.Extensions.Logging;

namespace Streams.Topologies.Demo;

/// <summary>Keeps the latest warning, for a view that shows it in its place; what is no warning is
/// dropped.</summary>
internal sealed class DemoLog : ILogger
{
    private volatile string? _warning;

    /// <summary>The latest warning; null where there was none.</summary>
    internal string? Warning => _warning;

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    /// <inheritdoc/>
    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            _warning = formatter(state, exception);
    }
}
