using System.Diagnostics;
using Streams.Log;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>
/// Makes the commits of a stream thread beside it: while one is written, the records of the next are
/// processed. At most one is under way, so commits follow one another as their records do.
/// </summary>
/// <remarks>
/// A commit that fails fails the thread at the next call, before anything else is committed; what was
/// processed since is then forgotten with the rest.
/// </remarks>
/// <param name="writer">What collects the records of a commit.</param>
/// <param name="environment">How it is made.</param>
/// <param name="name">Whose commits they are, for metrics.</param>
/// <param name="committed">Called after each commit, before it counts as done.</param>
internal sealed class CommitPipeline(
    ILogWriter writer, TaskEnvironment environment, string name, Action committed) : IDisposable
{
    private Task<long> _last = Task.FromResult(0L);

    /// <summary>Commits what the writer has collected, once the commit before is done.</summary>
    /// <returns>The commit's number, when it is made.</returns>
    internal Task<long> Begin(CancellationToken cancellation)
    {
        Wait();
        ICommit contents = writer.Prepare();
        // On a thread of its own: user code that blocks the pool's threads holds no commit up.
        return _last = Task.Factory.StartNew(
            () => Commit(contents, cancellation), CancellationToken.None, TaskCreationOptions.LongRunning,
            environment.Background);
    }

    /// <summary>Waits until everything that was begun is committed.</summary>
    /// <returns>The number of the last commit; 0 before the first.</returns>
    internal long Wait() => _last.GetAwaiter().GetResult();

    /// <summary>Waits for the end of what is under way, however it ends.</summary>
    public void Dispose()
    {
        try
        {
            _last.Wait();
        }
        catch (AggregateException)
        {
            // Whoever waits for the commit is told; here only its end matters.
        }
    }

    private long Commit(ICommit contents, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        long commit = contents.CommitWhenRoom(
            environment.Options.LogFullRetry, environment.Room, cancellation);
        EngineMeter.RecordCommit(name, Stopwatch.GetElapsedTime(started));
        committed();
        return commit;
    }
}
