using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Log;
using Streams.Processing;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>
/// A system that records of some topics are written to, each once. It keeps its position with the records (a
/// transactional target) or says how to find it again (a cursor that the log commits with the position).
/// </summary>
/// <remarks>All calls come from one thread. What it throws ends it; it is then made and opened
/// anew.</remarks>
public interface ISink : IDisposable
{
    /// <summary>Connects, and undoes what was written after the last commit.</summary>
    /// <exception cref="UnavailableException">The system cannot be reached; it is tried again
    /// later.</exception>
    /// <exception cref="ConfigurationException">It can never work as configured.</exception>
    void Open(SinkContext context);

    /// <summary>The next offset that the target itself says it needs; null to go by the log's committed
    /// position.</summary>
    long? Position(Topic topic, int partition);

    /// <summary>Writes the records of a batch; nobody needs to see them before the commit.</summary>
    /// <param name="topic">Where they come from.</param>
    /// <param name="batch">The records.</param>
    /// <param name="rejections">Takes a record that can never be written, such as one whose bytes are not of
    /// the topic's type; the sink goes on with the next.</param>
    /// <returns>How many records it wrote.</returns>
    /// <exception cref="WriteAgainException">A record was refused, and with it what was written since the
    /// last
    /// commit is undone: all of it comes again, for the sink to write one by one.</exception>
    int Write(Topic topic, LogBatch batch, SinkRejections rejections);

    /// <summary>Brings what was written as far as the target, so that what the target refuses is known before
    /// dead letters are committed. Called before each commit.</summary>
    /// <param name="rejections">As for <see cref="Write"/>.</param>
    void Flush(SinkRejections rejections)
    {
    }

    /// <summary>Makes everything written survive, together with the positions.</summary>
    /// <param name="positions">The next offset of each partition.</param>
    /// <param name="cursors">Takes what the sink needs to find its place again; committed with the positions,
    /// after this returns.</param>
    /// <exception cref="UnavailableException">It cannot; the sink goes back to the last commit and tries
    /// again.</exception>
    /// <exception cref="SinkFencedException">Another writer has taken over; nothing was written.</exception>
    void Commit(IReadOnlyDictionary<TopicPartition, long> positions, SinkCursors cursors);

    /// <summary>Says to a target that keeps its position itself where its records stand in another log, to
    /// which they were copied with it; instead of opening it, while nobody writes there. Done twice it
    /// changes nothing.</summary>
    /// <param name="context">Of the log that it goes on with.</param>
    /// <param name="fromLogId">The log that its positions are of.</param>
    /// <param name="positions">The next offset of each partition.</param>
    /// <exception cref="ConfigurationException">Its positions are of neither log.</exception>
    void MoveTo(
        SinkContext context, string fromLogId, IReadOnlyDictionary<TopicPartition, long> positions)
    {
    }

    /// <summary>How many bytes the target holds, where it can say so at little cost; else null. Asked between
    /// commits, at most once a minute.</summary>
    long? StoredBytes() => null;
}

/// <summary>What a sink is given when it opens.</summary>
public sealed class SinkContext
{
    private readonly ITopicLog _log;
    private readonly ILogger _logger;

    internal SinkContext(
        string name, ITopicLog log, IReadOnlyList<Topic> topics, ILogger? logger = null)
    {
        Name = name;
        _log = log;
        _logger = logger ?? NullLogger.Instance;
        Topics = topics;
    }

    /// <summary>The sink's name, under which its cursors are kept.</summary>
    public string Name { get; }

    /// <summary>The topics it gets.</summary>
    public IReadOnlyList<Topic> Topics { get; }

    /// <summary>Tells the log from every other; a target that keeps offsets checks that they are of this
    /// one.</summary>
    public string LogId => _log.Id;

    /// <summary>The cursor last committed under a key, or null.</summary>
    public byte[]? Cursor(string key) => _log.Cursor(Name, key);

    /// <summary>All cursors, by key in ordinal order.</summary>
    public IReadOnlyList<KeyValuePair<string, byte[]>> Cursors() => _log.Cursors(Name);

    /// <summary>Tells the operator something of the target, such as what it cannot do.</summary>
    public void Note(string note) => _logger.SinkNote(Name, note);
}

/// <summary>Takes the cursors of a sink's commit.</summary>
public readonly struct SinkCursors
{
    private readonly ILogWriter _writer;
    private readonly string _name;

    internal SinkCursors(ILogWriter writer, string name)
    {
        _writer = writer;
        _name = name;
    }

    /// <summary>Sets a cursor; an empty value removes it.</summary>
    public void Set(string key, ReadOnlySpan<byte> cursor) => _writer.CommitCursor(_name, key, cursor);
}

/// <summary>A sink and what it gets.</summary>
/// <param name="Name">Its name: stable, for its position is kept under it.</param>
/// <param name="Topics">The topics it gets; those that do not exist are an error at start.</param>
/// <param name="Create">Makes the sink; called again after a failure.</param>
public sealed record SinkBinding(string Name, IReadOnlyList<string> Topics, Func<ISink> Create);

/// <summary>How sinks are run.</summary>
public sealed record SinkOptions
{
    /// <summary>A commit follows at most this long after the first record in it, unless more records wait
    /// behind it than go into a commit. Default 200 ms.</summary>
    public TimeSpan CommitInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>A commit follows when this many records wait for it. Default 50,000.</summary>
    public int CommitRecordsMax { get; init; } = 50_000;

    /// <summary>How long a commit that found the log's disk full waits before it tries again. Default 1
    /// s.</summary>
    public TimeSpan LogFullRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>What to do with a record that a sink can never write. Default dead letter.</summary>
    public FailurePolicy RejectedRecords { get; init; } = FailurePolicy.DeadLetter;

    /// <summary>Longest refused value that a dead letter keeps whole, in bytes. Default 4 MiB.</summary>
    public int DeadLetterBytesMax { get; init; } = 4 << 20;
}
