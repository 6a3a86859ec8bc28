using System.Buffers.Binary;
using System.Globalization;
using Streams.Connect.Backfills;
using Streams.Connect.Evolution;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.State;

namespace Streams.Connect;

/// <summary>A topic that is copied to another log.</summary>
/// <param name="Topic">Its name.</param>
/// <param name="Kind">records, or state: the whole content of a store, in place of its changelog.</param>
/// <param name="Records">How many records or entries it holds; of state it is not known beforehand.</param>
public sealed record CopiedTopic(string Topic, string Kind, long Records);

/// <summary>
/// Takes a stopped application from the log of a data directory to another log, such as one on Kafka, with
/// all that it has: records, positions, cursors and state. The directory is only read.
/// </summary>
/// <remarks>
/// All of it counts with one last commit, which says where everybody stands in the new log. Targets that keep
/// their position themselves are told afterwards; that can be done again.
/// </remarks>
public sealed class LogCopy : IDisposable
{
    /// <summary>Under this the new log keeps where sinks stood when it was made.</summary>
    internal const string CursorSource = "log-copy";

    private const int CommitBytes = 8 << 20;

    private readonly ApplicationDefinition _definition;
    private readonly EmbeddedLogView _from;
    private readonly ViewedLog _viewed;
    private readonly ITopicLog _to;
    private readonly Dictionary<string, long> _sinkPositions = new(StringComparer.Ordinal);

    /// <summary>Prepares a copy.</summary>
    /// <param name="definition">The application; its data folder is that of <paramref name="from"/>.</param>
    /// <param name="from">The log that it ran on.</param>
    /// <param name="to">The log that it is going to run on.</param>
    public LogCopy(ApplicationDefinition definition, EmbeddedLogView from, ITopicLog to)
    {
        _definition = definition;
        _from = from;
        _viewed = new ViewedLog(from);
        _to = to;
    }

    /// <summary>Whether the records are there already, and only targets may have to be told.</summary>
    public bool IsCopied => _to.Cursor(CursorSource, "from") is { } id
        && id.AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(_from.Id));

    /// <summary>Says what is going to be copied. Changes nothing.</summary>
    /// <exception cref="ConfigurationException">It cannot be copied.</exception>
    public IReadOnlyList<CopiedTopic> Plan()
    {
        if (IsCopied)
            return [];
        if (_from.Cursor(ShapeComparison.CursorSource, _definition.Id) is null)
            throw new ConfigurationException(
                $"There is no application '{_definition.Id}' in the directory. Applications: "
                + $"{string.Join(", ", LagReport.Applications(_from).DefaultIfEmpty("none"))}.");
        if (TopologyChanges.Find(_definition, _from).Changes.Count > 0)
            throw new ConfigurationException(
                "The directory was made by another topology ('streams plan' shows the differences). Copy it "
                + "with the one that made it, and change it afterwards.");
        if (Backfill.Status(_definition.Id, _from) is { IsDone: false } backfill)
            throw new ConfigurationException(
                $"'{backfill.Words}' is under way: let it come to its end before the directory is copied.");
        if (SourcesLeftBehind() is { Length: > 0 } left)
            throw new ConfigurationException(
                $"The directory has the positions of {string.Join(", ", left.Select(s => $"'{s}'"))}, which "
                + "the configuration does not name: a source begins anew when it is named later. Name it, or "
                + "let it go: "
                + $"{string.Join(' ', left.Select(s => $"--accept-loss {s}"))}.");
        if (_to.Cursor(ShapeComparison.CursorSource, _definition.Id) is not null)
            throw new ConfigurationException(
                $"'{_definition.Id}' has run on the other log already.");
        var plan = Topics().Select(t => new CopiedTopic(
            t.Name, StoreOf(t) is null ? "records" : "state", Records(t))).ToList();
        foreach (CopiedTopic copied in plan)
        {
            if (_to.FindTopic(copied.Topic) is { } there
                && Enumerable.Range(0, there.Partitions).Any(p => _to.HighWatermark(there[p]) > 0))
                throw new ConfigurationException(
                    $"The topic '{copied.Topic}' is there already and not empty. Delete it where it is what "
                    + "a copy that was interrupted left; else give the application another place.");
        }
        return plan;
    }

    /// <summary>Copies all of it, and tells targets that keep their position where they stand.</summary>
    /// <param name="told">Called with the name of each topic that is done.</param>
    /// <param name="cancellation">Ends it before the commit that counts.</param>
    public void Run(Action<string> told, CancellationToken cancellation)
    {
        Plan();
        if (!IsCopied)
            CopyAll(told, cancellation);
        foreach (SinkBinding binding in _definition.Sinks)
            Tell(binding);
    }

    /// <inheritdoc/>
    /// <remarks>The logs are their openers'.</remarks>
    public void Dispose() => _viewed.Dispose();

    private void CopyAll(Action<string> told, CancellationToken cancellation)
    {
        foreach (SinkBinding binding in _definition.Sinks)
            AskPositions(binding);
        // Positions are those of the new log's partitions, known when the records before them are there.
        var positions = new List<Standing>();
        using ILogWriter writer = _to.OpenWriter($"{_definition.Id}-copy");
        foreach (Topic topic in Topics())
        {
            Func<StateStore>? store = StoreOf(topic);
            Topic target = _to.EnsureTopic(store is null && !IsChangelog(topic) ? topic.Spec
                : TopicSetup.ChangelogOf(topic.Name, topic.Partitions, compacted: true));
            for (int p = 0; p < topic.Partitions; p++)
            {
                if (store is not null)
                    CopyState(store, topic[p], target[p], writer, cancellation);
                else
                    positions.AddRange(CopyRecords(topic, p, target[p], writer, cancellation));
            }
            told(topic.Name);
        }
        foreach (Standing standing in positions)
            writer.CommitOffset(standing.Group, standing.Partition, standing.Offset);
        CopyCursors(writer, positions);
        _to.WaitDurable(writer.Commit(), cancellation);
    }

    // Where a target says its own position, that counts: it may be ahead of the log by the last commit.
    private void AskPositions(SinkBinding binding)
    {
        Topic[] topics = [.. binding.Topics.Select(_from.FindTopic).OfType<Topic>()];
        using ISink sink = binding.Create();
        sink.Open(new SinkContext(binding.Name, _viewed, topics));
        foreach (Topic topic in topics)
        {
            for (int p = 0; p < topic.Partitions; p++)
            {
                if (sink.Position(topic, p) is { } position)
                    _sinkPositions[KeyOf(binding.Name, topic.Name, p)] = position;
            }
        }
    }

    private List<Standing> CopyRecords(
        Topic topic, int partition, TopicPartition to, ILogWriter writer, CancellationToken cancellation)
    {
        TopicPartition from = topic[partition];
        long end = _from.EndOffset(from);
        var standing = new PriorityQueue<string, long>();
        foreach (string group in _definition.Sinks.Select(s => s.Name).Prepend(_definition.Id))
        {
            if (PositionOf(group, topic, partition) is { } position)
                standing.Enqueue(group, position);
        }
        var positions = new List<Standing>();
        using ILogReader reader = _from.OpenReader();
        using LogBatch batch = reader.CreateBatch();
        long at = _from.StartOffset(from);
        for (; at < end && reader.Read(from, at, batch); at = batch.NextOffset)
        {
            cancellation.ThrowIfCancellationRequested();
            while (batch.TryRead(out LogRecord record))
            {
                while (standing.TryPeek(out _, out long position) && position <= record.Offset)
                    positions.Add(new(standing.Dequeue(), topic.Name, to, Reached(to, writer)));
                writer.Append(to, record);
                if (writer.PendingBytes >= CommitBytes)
                    writer.Commit();
            }
        }
        while (standing.TryDequeue(out string? group, out _))
            positions.Add(new(group, topic.Name, to, Reached(to, writer)));
        writer.Commit();
        return positions;
    }

    private long Reached(TopicPartition to, ILogWriter writer)
    {
        writer.Commit();
        // What readers of committed records reach may not be as far as the commit for a moment yet; what was
        // appended is.
        return _to.HighWatermark(to);
    }

    private void CopyState(
        Func<StateStore> create, TopicPartition changelog, TopicPartition to, ILogWriter writer,
        CancellationToken cancellation)
    {
        using var stopped = new StoppedStore(
            _definition, _viewed, create(), changelog, isOnDisk: false, cancellation);
        stopped.Store.WriteAll(new CopiedEntries(writer, to));
        writer.Commit();
    }

    private void CopyCursors(ILogWriter writer, List<Standing> positions)
    {
        foreach (string source in _definition.Sources
            .SelectMany(s => new[] { s.Name, SourceCursors.Of(s.Name) })
            .Concat(_definition.Sinks.Select(s => s.Name)))
        {
            foreach ((string key, byte[] cursor) in _from.Cursors(source))
                writer.CommitCursor(source, key, cursor);
        }
        foreach (Standing standing in positions)
        {
            string key = KeyOf(standing.Group, standing.Topic, standing.Partition.Partition);
            if (!_sinkPositions.ContainsKey(key))
                continue;
            byte[] bytes = new byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, standing.Offset);
            writer.CommitCursor(CursorSource, key, bytes);
        }
        writer.CommitCursor(CursorSource, "from", System.Text.Encoding.UTF8.GetBytes(_from.Id));
        writer.CommitCursor(
            ShapeComparison.CursorSource, _definition.Id,
            _from.Cursor(ShapeComparison.CursorSource, _definition.Id)!);
    }

    private void Tell(SinkBinding binding)
    {
        var positions = new Dictionary<TopicPartition, long>();
        Topic[] topics = [.. binding.Topics.Select(_to.FindTopic).OfType<Topic>()];
        foreach (Topic topic in topics)
        {
            for (int p = 0; p < topic.Partitions; p++)
            {
                if (_to.Cursor(CursorSource, KeyOf(binding.Name, topic.Name, p)) is { } bytes)
                    positions[topic[p]] = BinaryPrimitives.ReadInt64LittleEndian(bytes);
            }
        }
        using ISink sink = binding.Create();
        if (positions.Count > 0)
            sink.MoveTo(new SinkContext(binding.Name, _to, topics), _from.Id, positions);
    }

    // Topics of other applications of the directory stay; what they share is copied.
    private IEnumerable<Topic> Topics()
    {
        IReadOnlyList<string> applications = LagReport.Applications(_from);
        return _from.Topics.Where(t => OwnerOf(t) is not { } owner || owner == _definition.Id);
        // Of 'risk' and 'risk-2' the longer one that fits: the names of its topics begin with both.
        string? OwnerOf(Topic topic) => applications
            .Where(a => topic.Name.StartsWith(a + "-", StringComparison.Ordinal))
            .MaxBy(a => a.Length);
    }

    // Of a directory with several applications it is not known whose a source is.
    private string[] SourcesLeftBehind() => LagReport.Applications(_from).Count > 1 ? [] :
    [
        .. _from.CursorSources.Where(SourceCursors.IsOutput).Select(SourceCursors.SourceOf)
            .Except(_definition.Sources.Select(s => s.Name)).Except(_definition.AcceptedLosses),
    ];

    // The store whose content stands for the changelog; null for a topic whose records are copied as they
    // are, among them the changelogs that are never cut off behind a snapshot.
    private Func<StateStore>? StoreOf(Topic topic)
    {
        if (!IsChangelog(topic))
            return null;
        string name = topic.Name[(_definition.Id.Length + 1)..^"-changelog".Length];
        if (name == Topology.SavepointStore)
            return () => new BytesStore(new StoreOptions { Name = name }, null, 0);
        StoreSpec? spec = _definition.Topology.Parts.SelectMany(p => p.Stores)
            .FirstOrDefault(s => s.Name == name && !_definition.Runtime.IsOnDisk(s));
        return spec is null ? null : () => spec.Create(null, 0);
    }

    private bool IsChangelog(Topic topic) =>
        topic.Name.StartsWith($"{_definition.Id}-", StringComparison.Ordinal)
        && topic.Name.EndsWith("-changelog", StringComparison.Ordinal);

    private long? PositionOf(string group, Topic topic, int partition) =>
        _sinkPositions.TryGetValue(KeyOf(group, topic.Name, partition), out long own)
            ? own : _from.CommittedOffset(group, topic[partition]);

    private long Records(Topic topic) => Enumerable.Range(0, topic.Partitions)
        .Sum(p => _from.EndOffset(topic[p]) - _from.StartOffset(topic[p]));

    private static string KeyOf(string sink, string topic, int partition) =>
        string.Create(CultureInfo.InvariantCulture, $"{sink}/{topic}/{partition}");

    /// <summary>Where a group stands in the new log.</summary>
    private readonly record struct Standing(
        string Group, string Topic, TopicPartition Partition, long Offset);

    private sealed class CopiedEntries(ILogWriter writer, TopicPartition to) : IChangelog
    {
        public void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
        {
            writer.Append(to, new LogRecord
            {
                TimestampMs = 0,
                HasKey = true,
                Key = key,
                HasValue = hasValue,
                Value = value,
            });
            if (writer.PendingBytes >= CommitBytes)
                writer.Commit();
        }
    }
}
