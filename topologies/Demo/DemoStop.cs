using System.Runtime.InteropServices;

namespace Streams.Topologies.Demo;

/// <summary>Ctrl-C and SIGTERM: the first ends the feed, a second one the wait for what was fed.</summary>
internal sealed class DemoStop : IDisposable
{
    private readonly CancellationTokenSource _feed = new();
    private readonly CancellationTokenSource _wait = new();
    private readonly PosixSignalRegistration[] _registrations;

    internal DemoStop() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Take),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Take),
    ];

    internal CancellationToken Feed => _feed.Token;

    internal CancellationToken Wait => _wait.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _feed.Dispose();
        _wait.Dispose();
    }

    private void Take(PosixSignalContext signal)
    {
        signal.Cancel = true;
        if (_feed.IsCancellationRequested)
            _wait.Cancel();
        _feed.Cancel();
    }
}
