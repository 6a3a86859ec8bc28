using System.Runtime.InteropServices;

namespace Streams.Topologies.Hosting;

/// <summary>SIGTERM asks a run to stop; once the run is over it changes nothing, so that a process that has
/// committed everything ends with its own exit code.</summary>
internal sealed class StopSignal : IDisposable
{
    // Held until the process ends: without a handler the signal would set the exit code.
    private static PosixSignalRegistration? _registration;

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _asked;
    private bool _isOver;

    /// <summary>Listens.</summary>
    /// <param name="stopping">Called when the signal comes.</param>
    /// <param name="cancellation">Another way to ask.</param>
    internal StopSignal(Action stopping, CancellationToken cancellation)
    {
        _asked = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _registration = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            lock (_lock)
            {
                if (_isOver)
                    return;
                stopping();
                _ = _asked.CancelAsync();
            }
        });
    }

    /// <summary>Cancelled when the run is to stop.</summary>
    internal CancellationToken Token => _asked.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _isOver = true;
            _asked.Dispose();
        }
    }
}
