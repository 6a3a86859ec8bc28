using System.Globalization;
using Streams.Buffers;
using Streams.Log;

namespace Streams.Errors;

/// <summary>
/// Writes the records of dead letters to their topics again, byte for byte: key, value, headers and time, in
/// the partition that they were in. Which were is committed with them, so that none is ever replayed twice.
/// </summary>
/// <remarks>For one thread. A record gets a new offset, at its partition's end.</remarks>
public sealed class DeadLetterReplay : IDisposable
{
    internal const string CursorSource = "dead-letter-replay";

    private readonly Dictionary<TopicPartition, OffsetSet> _replayed = [];
    private readonly HashSet<TopicPartition> _changed = [];
    private readonly PooledBuffer _encoded = new();
    private readonly ITopicLog _log;
    private readonly ILogWriter _writer;
    private readonly int _commitBytesMax;

    /// <param name="log">The log of letters and topics.</param>
    /// <param name="commitBytesMax">A commit follows when it holds that many bytes. Default 8 MiB.</param>
    public DeadLetterReplay(ITopicLog log, int commitBytesMax = 8 << 20)
    {
        _log = log;
        _writer = log.OpenWriter(CursorSource);
        _commitBytesMax = commitBytesMax;
    }

    /// <summary>Why a letter cannot become a record again; null where it can.</summary>
    public static string? Obstacle(DeadLetter letter)
    {
        if (letter.Stage.ToString() == "read")
            return "a source could not make a record of it: repair the source, and let it read again";
        if (letter.WholeBytes is { } whole)
            return $"it holds the first {letter.Value?.Length ?? 0:N0} of {whole:N0} bytes only: raise "
                + "dead_letter_bytes_max";
        return letter.Partition is null ? "it does not say where it came from" : null;
    }

    /// <summary>Adds a letter's record to its topic, unless it was before. What throws adds nothing, and what
    /// was added before can be committed.</summary>
    /// <param name="topic">The topic of the letter.</param>
    /// <param name="partition">Its partition.</param>
    /// <param name="offset">Its offset.</param>
    /// <param name="letter">The letter, of which <see cref="Obstacle"/> says nothing.</param>
    /// <returns>False where it was replayed before: nothing was added.</returns>
    /// <exception cref="ReplayException">The topic or its partition is not there any more.</exception>
    /// <exception cref="RecordTooLargeException">The topic takes no record of that size any more.</exception>
    public bool Replay(Topic topic, int partition, long offset, DeadLetter letter)
    {
        if (Obstacle(letter) is { } obstacle)
            throw new ReplayException($"{topic.Name} {partition} at offset {offset}: {obstacle}.");
        TopicPartition from = topic[partition];
        OffsetSet replayed = ReplayedOf(topic, from);
        if (replayed.Contains(offset))
            return false;
        Append(TargetOf(topic, partition, offset, letter), letter);
        replayed.Add(offset);
        _changed.Add(from);
        if (_writer.PendingBytes >= _commitBytesMax)
            Commit();
        return true;
    }

    /// <summary>Commits what was added.</summary>
    /// <returns>The commit, for <see cref="ITopicLog.WaitDurable"/>.</returns>
    public long Commit()
    {
        foreach (TopicPartition changed in _changed)
        {
            _encoded.Clear();
            _replayed[changed].Write(_encoded);
            Topic topic = _log.Topics.First(t => t.Id == changed.Topic);
            _writer.CommitCursor(CursorSource, KeyOf(topic.Name, changed.Partition), _encoded.WrittenSpan);
        }
        _changed.Clear();
        return _writer.Commit();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _encoded.Dispose();
        _writer.Dispose();
    }

    internal static string KeyOf(string topic, int partition) =>
        string.Create(CultureInfo.InvariantCulture, $"{topic}/{partition}");

    private OffsetSet ReplayedOf(Topic topic, TopicPartition from)
    {
        if (_replayed.TryGetValue(from, out OffsetSet? known))
            return known;
        byte[]? cursor = _log.Cursor(CursorSource, KeyOf(topic.Name, from.Partition));
        return _replayed[from] = cursor is null ? new OffsetSet() : OffsetSet.Read(cursor);
    }

    private TopicPartition TargetOf(Topic topic, int partition, long offset, DeadLetter letter)
    {
        string name = letter.Source.ToString();
        int wanted = letter.Partition!.Value;
        Topic? target = _log.FindTopic(name);
        if (target is not null && (uint)wanted < (uint)target.Partitions)
            return target[wanted];
        throw new ReplayException(
            $"{topic.Name} {partition} at offset {offset} is of {name} {wanted}, which is not there any "
            + "more.");
    }

    private void Append(TopicPartition target, DeadLetter letter) => _writer.Append(target, new LogRecord
    {
        TimestampMs = letter.TimestampMs,
        HasKey = letter.Key is not null,
        Key = letter.Key is { } key ? key.Span : default,
        HasValue = letter.Value is not null,
        Value = letter.Value is { } value ? value.Span : default,
        Headers = letter.Headers is { } headers ? headers.Span : default,
    });
}

/// <summary>A dead letter that cannot be replayed: the message says which and why.</summary>
public sealed class ReplayException(string message) : Exception(message);
