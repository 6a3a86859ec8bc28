using System.Diagnostics;
using Streams.Log;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>One source at work, from its opening to its first failure: reads, and commits what was read with
/// its cursor. For one thread.</summary>
/// <typeparam name="TKey">The type of the keys.</typeparam>
/// <typeparam name="TValue">The type of the values.</typeparam>
internal sealed class SourceFeed<TKey, TValue> : IDisposable
{
    private readonly SourceBinding<TKey, TValue> _binding;
    private readonly SourceEnvironment _environment;
    private readonly ISource<TKey, TValue> _source;
    private readonly ILogWriter _writer;
    private readonly SourceOutput<TKey, TValue> _output;
    private readonly SourceCounts _committed;
    private long _reported;
    private long _origin;

    /// <summary>Opens the source where its last commit left off.</summary>
    /// <param name="binding">The source.</param>
    /// <param name="environment">What it shares with others.</param>
    /// <param name="committed">Takes what is committed, over this feed's end; null where nobody
    /// asks.</param>
    internal SourceFeed(
        SourceBinding<TKey, TValue> binding, SourceEnvironment environment, SourceCounts? committed = null)
    {
        _binding = binding;
        _environment = environment;
        _committed = committed ?? new SourceCounts();
        _source = binding.Create();
        _writer = environment.Log.OpenWriter($"source-{binding.Name}");
        _output = new SourceOutput<TKey, TValue>(
            binding, environment.Log, _writer, environment.Options.DeadLetterBytesMax, environment.Backfill);
        bool isOpen = false;
        try
        {
            _source.Open(new SourceContext(binding.Name, environment.Log, environment.Clock));
            isOpen = true;
        }
        finally
        {
            if (!isOpen)
                Dispose();
        }
    }

    /// <summary>Bytes that wait for a commit.</summary>
    internal int PendingBytes => _writer.PendingBytes;

    /// <summary>Has the source emit what is there.</summary>
    internal SourceStatus Read(CancellationToken cancellation)
    {
        if (_writer.PendingBytes == 0)
            _origin = Stopwatch.GetTimestamp();
        ValueTask<SourceStatus> reading = _source.ReadAsync(_output, cancellation);
        return reading.IsCompletedSuccessfully ? reading.Result : reading.AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Commits what was read, where anything was.</summary>
    internal void Commit(CancellationToken cancellation)
    {
        _output.PrepareCommit();
        if (_writer.PendingBytes > 0)
            CommitPending(cancellation);
        // What is read and not committed when the source fails is read, and counted, again.
        _output.Counts.MoveTo(_committed);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _output.Dispose();
        _writer.Dispose();
        _source.Dispose();
    }

    private void CommitPending(CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        _writer.CommitWhenRoom(_environment.Options.LogFullRetry, _environment.Room, cancellation);
        EngineMeter.RecordCommit(_binding.Name, Stopwatch.GetElapsedTime(started));
        if (_output.Emitted == _reported)
            return;
        EngineMeter.RecordProduced(_binding.Name, _output.Emitted - _reported);
        EngineMeter.RecordStageLatency("read", Stopwatch.GetElapsedTime(_origin));
        Topic topic = _environment.Log.FindTopic(_binding.Topic)!;
        for (int p = 0; p < topic.Partitions; p++)
            _environment.Times.Note(topic[p], _origin);
        _reported = _output.Emitted;
    }
}
