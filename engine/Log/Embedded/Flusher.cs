using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded;

/// <summary>
/// Makes commits durable: one fsync for all commits of all writers that were made since the last one. While
/// one runs, the commits for the next one gather.
/// </summary>
internal sealed class Flusher : IDisposable
{
    private readonly LogState _state;
    private readonly SegmentFiles _segmentFiles;
    private readonly Appender _appender;
    private readonly DurableNote _note;
    private readonly PageCacheBound _cache;
    private readonly Lock _flushing = new();
    private readonly AutoResetEvent _wanted = new(false);
    private readonly int _intervalMs;
    private readonly Thread? _thread;
    private volatile bool _stopping;

    /// <summary>
    /// Starts a thread that flushes at an interval and on demand, unless the log is a manual one.
    /// </summary>
    public Flusher(
        LogState state, SegmentFiles segmentFiles, Appender appender, DurableNote note,
        PageCacheBound cache, EmbeddedLogOptions options)
    {
        _state = state;
        _segmentFiles = segmentFiles;
        _appender = appender;
        _note = note;
        _cache = cache;
        _intervalMs = options.FlushIntervalMs;
        if (options.Manual)
            return;
        _thread = new Thread(Run) { IsBackground = true, Name = "streams log flush" };
        _thread.Start();
    }

    /// <summary>Syncs everything that was committed before the call.</summary>
    public void Flush()
    {
        lock (_flushing)
        {
            LogSegment segment;
            ILogFile file;
            long end, commit;
            lock (_state.Gate)
            {
                _state.ThrowIfUnusable();
                segment = _state.Active;
                end = segment.Length;
                commit = _state.LastCommit;
                if (_state.DurableEnd == end)
                    return;
                // A pin keeps the file open should the segment be ended and let go of meanwhile.
                _segmentFiles.TryPin(segment);
                file = segment.File!;
            }
            try
            {
                _appender.Sync(file);
                _note.Write(segment.Number, end, commit);
            }
            finally
            {
                _segmentFiles.Unpin(segment);
            }
            lock (_state.Gate)
            {
                if (_state.Active == segment)
                    _state.DurableEnd = Math.Max(_state.DurableEnd, end);
                _state.DurableCommit = Math.Max(_state.DurableCommit, commit);
                _state.WakeWaiters();
            }
        }
    }

    /// <summary>Blocks until a commit is durable.</summary>
    public void WaitDurable(long commit, CancellationToken cancellation)
    {
        if (_thread is null)
        {
            Flush();
            return;
        }
        _wanted.Set();
        using CancellationTokenRegistration wake = cancellation.UnsafeRegister(Wake, _state);
        lock (_state.Gate)
        {
            while (_state.DurableCommit < commit)
            {
                cancellation.ThrowIfCancellationRequested();
                _state.ThrowIfUnusable();
                _state.WaitForChange(Timeout.Infinite);
            }
        }
    }

    /// <summary>Ends the thread.</summary>
    public void Dispose()
    {
        _stopping = true;
        _wanted.Set();
        _thread?.Join();
        _wanted.Dispose();
    }

    /// <summary>Wakes all who wait at the gate of a <see cref="LogState"/>.</summary>
    public static void Wake(object? state)
    {
        object gate = ((LogState)state!).Gate;
        lock (gate)
            Monitor.PulseAll(gate);
    }

    private void Run()
    {
        while (!_stopping)
        {
            _wanted.WaitOne(_intervalMs);
            try
            {
                Flush();
                _cache.Apply();
            }
            catch (LogUnavailableException)
            {
                // The state holds the failure, and everybody who calls the log is told.
                return;
            }
        }
    }
}
