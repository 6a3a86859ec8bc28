using Streams.Buffers;
using Streams.Log.Embedded.Catalog;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Maintenance;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded;

/// <summary>
/// The log inside the process: one sequence of segment files that holds the commits of all topics in order.
/// Format and recovery rules: docs/log-format.md. Why one sequence: docs/decisions/0002-one-physical-log.md.
/// </summary>
public sealed class EmbeddedLog : ITopicLog
{
    private readonly LogState _state;
    private readonly EmbeddedLogOptions _options;
    private readonly ILogFileSystem _files;
    private readonly IDisposable _directoryLock;
    private readonly SegmentFiles _segmentFiles;
    private readonly DurableNote _note;
    private readonly Appender _appender;
    private readonly Flusher _flusher;
    private readonly Maintainer _maintainer;
    private readonly EmbeddedLogGauges _gauges;
    private readonly Dictionary<string, WriterLease> _writers = new(StringComparer.Ordinal);

    private EmbeddedLog(
        EmbeddedLogOptions options, ILogFileSystem files, IDisposable directoryLock, LogState state,
        RecoveryReport recovery)
    {
        _options = options;
        _files = files;
        _directoryLock = directoryLock;
        _state = state;
        Recovery = recovery;
        Id = state.Active.Header.LogId.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
        _segmentFiles = new SegmentFiles(state, files, options.OpenFilesMax, options.IndexCacheBytesMax);
        _note = new DurableNote(files, state.Active.Header.LogId);
        _note.Write(state.Active.Number, state.DurableEnd, state.DurableCommit);
        _appender = new Appender(state, options, files, _segmentFiles, _note);
        var cache = new PageCacheBound(state, files, options.PageCacheBytesMax);
        _flusher = new Flusher(state, _segmentFiles, _appender, _note, cache, options);
        _maintainer = new Maintainer(state, options, files, _segmentFiles, _appender, _flusher);
        _gauges = new EmbeddedLogGauges(Id, state, files);
    }

    /// <inheritdoc/>
    public string Id { get; }

    /// <summary>What was found when the log was opened.</summary>
    public RecoveryReport Recovery { get; }

    /// <inheritdoc/>
    public IReadOnlyList<Topic> Topics
    {
        get
        {
            lock (_state.Gate)
                return _state.Catalog.Topics.Sorted;
        }
    }

    /// <inheritdoc/>
    public long DurableCommit
    {
        get
        {
            lock (_state.Gate)
                return _state.DurableCommit;
        }
    }

    /// <summary>Opens the log of a directory, and creates it where there is none.</summary>
    /// <exception cref="LogUnavailableException">Another process has it, or the directory cannot be
    /// used.</exception>
    /// <exception cref="LogDamagedException">Bytes that had reached the disk are not what was
    /// written.</exception>
    /// <exception cref="LogFullException">There is no room for a first segment.</exception>
    public static EmbeddedLog Open(EmbeddedLogOptions options)
    {
        options.Validate();
        ILogFileSystem files = options.FileSystem ?? new DirectoryFileSystem(options.Directory);
        files.Prepare();
        IDisposable directoryLock = DirectoryLock.Take(files, options.TimeProvider);
        var state = new LogState();
        EmbeddedLog? log = null;
        try
        {
            RecoveryReport recovery = Embedded.Recovery.Run(state, options, files);
            return log = new EmbeddedLog(options, files, directoryLock, state, recovery);
        }
        catch (IOException e)
        {
            throw new LogUnavailableException(
                $"The log in {files.Location} cannot be opened: {e.Message}", e);
        }
        finally
        {
            if (log is null)
            {
                foreach (LogSegment segment in state.Segments)
                    segment.File?.Dispose();
                directoryLock.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public Topic EnsureTopic(TopicSpec spec)
    {
        TopicRules.Validate(spec, _options.RecordBytesMax);
        spec = TopicRules.InWholeMilliseconds(spec);
        lock (_appender.Lock)
        {
            _state.ThrowIfUnusable();
            TopicState? existing = _state.Catalog.Topics.Find(spec.Name);
            if (existing is not null)
            {
                TopicRules.Match(existing.Topic.Spec, spec);
                spec = spec with { Schema = spec.Schema ?? existing.Topic.Spec.Schema };
                if (existing.Topic.Spec == spec)
                    return existing.Topic;
            }
            using var payload = new PooledBuffer();
            TopicCodec.Write(payload, spec);
            CommitEntry(new EntryHeader
            {
                Kind = EntryKind.Topic,
                Topic = existing?.Topic.Id ?? _state.Catalog.Topics.NextId,
            }, payload.WrittenSpan);
            return _state.Catalog.Topics.Find(spec.Name)!.Topic;
        }
    }

    /// <inheritdoc/>
    public bool DeleteTopic(string name)
    {
        lock (_appender.Lock)
        {
            _state.ThrowIfUnusable();
            if (_state.Catalog.Topics.Find(name) is not { } state)
                return false;
            CommitEntry(new EntryHeader { Kind = EntryKind.TopicDeleted, Topic = state.Topic.Id }, default);
            return true;
        }
    }

    /// <inheritdoc/>
    public Topic? FindTopic(string name)
    {
        lock (_state.Gate)
        {
            _state.ThrowIfUnusable();
            return _state.Catalog.Topics.Find(name)?.Topic;
        }
    }

    /// <inheritdoc/>
    public bool SharesWork => false;

    /// <inheritdoc/>
    public LaneBoard ShareWork(int lanes, int slots) => LaneBoard.All(lanes, slots);

    /// <inheritdoc/>
    public ILogWriter OpenWriter(string writerId, bool exclusive = true)
    {
        NameLimits.Check(writerId, "writer's id");
        lock (_appender.Lock)
        {
            _state.ThrowIfUnusable();
            if (_writers.TryGetValue(writerId, out WriterLease? older))
                older.Fence();
            var lease = new WriterLease(writerId);
            _writers[writerId] = lease;
            return new EmbeddedLogWriter(_state, _appender, _options, lease);
        }
    }

    /// <inheritdoc/>
    public ILogReader OpenReader(ReadLevel level)
    {
        _state.ThrowIfUnusable();
        return new EmbeddedLogReader(_state, _segmentFiles, _files, _options.ReadBytesMax, level);
    }

    /// <inheritdoc/>
    public long StartOffset(TopicPartition partition)
    {
        lock (_state.Gate)
        {
            _state.ThrowIfUnusable();
            return _state.Catalog.Topics.Get(partition).StartOffset;
        }
    }

    /// <inheritdoc/>
    public long EndOffset(TopicPartition partition, ReadLevel level)
    {
        lock (_state.Gate)
        {
            _state.ThrowIfUnusable();
            return _state.EndOffset(_state.Catalog.Topics.Get(partition), level);
        }
    }

    /// <inheritdoc/>
    public long? CommittedOffset(string group, TopicPartition partition)
    {
        lock (_state.Gate)
        {
            _state.ThrowIfUnusable();
            return _state.Catalog.Groups.Find(group, partition);
        }
    }

    /// <inheritdoc/>
    public byte[]? Cursor(string source, string key)
    {
        lock (_state.Gate)
        {
            _state.ThrowIfUnusable();
            return _state.Catalog.Cursors.Find(source, key);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, byte[]>> Cursors(string source)
    {
        lock (_state.Gate)
        {
            _state.ThrowIfUnusable();
            return _state.Catalog.Cursors.All(source);
        }
    }

    /// <inheritdoc/>
    public void WaitDurable(long commit, CancellationToken cancellation) =>
        _flusher.WaitDurable(commit, cancellation);

    /// <inheritdoc/>
    public long WaitForCommit(long commit, TimeSpan timeout, CancellationToken cancellation)
    {
        long deadline = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        using CancellationTokenRegistration wake = cancellation.UnsafeRegister(Flusher.Wake, _state);
        lock (_state.Gate)
        {
            while (_state.LastCommit <= commit)
            {
                cancellation.ThrowIfCancellationRequested();
                _state.ThrowIfUnusable();
                long left = deadline - Environment.TickCount64;
                // Without threads of its own the log cannot change while its only caller waits here.
                if (left <= 0 || _options.Manual)
                    break;
                _state.WaitForChange((int)Math.Min(left, int.MaxValue));
            }
            return _state.LastCommit;
        }
    }

    /// <inheritdoc/>
    public void DeleteRecordsBefore(TopicPartition partition, long offset)
    {
        lock (_appender.Lock)
        {
            _state.ThrowIfUnusable();
            PartitionState state = _state.Catalog.Topics.Get(partition);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, state.NextOffset);
            if (offset <= state.StartOffset)
                return;
            CommitEntry(EntryHeader.DeleteBefore(partition, offset), default);
        }
    }

    /// <summary>Makes all commits so far durable, on the caller's thread.</summary>
    public void Flush() => _flusher.Flush();

    /// <summary>
    /// Does what is due: ends a segment that is old enough, moves starts by retention, gives space back,
    /// compacts. Commits and reads go on meanwhile. The log's own thread calls this unless it is a manual
    /// one.
    /// </summary>
    public MaintenanceReport Maintain(DateTimeOffset now) => _maintainer.Run(now);

    /// <summary>Makes all commits durable and closes the log. Writers and readers must be done.</summary>
    /// <exception cref="LogUnavailableException">The last commits could not be made durable.</exception>
    public void Dispose()
    {
        lock (_state.Gate)
        {
            if (_state.IsClosed)
                return;
        }
        _gauges.Dispose();
        _maintainer.Dispose();
        _flusher.Dispose();
        try
        {
            if (_state.Failure is null)
                _appender.Close();
        }
        finally
        {
            lock (_state.Gate)
            {
                _state.IsClosed = true;
                Monitor.PulseAll(_state.Gate);
            }
            foreach (LogSegment segment in _state.Segments)
                segment.File?.Dispose();
            _note.Dispose();
            _directoryLock.Dispose();
        }
    }

    private void CommitEntry(in EntryHeader header, ReadOnlySpan<byte> payload)
    {
        using var frame = new FrameBuilder();
        frame.Add(header, payload);
        _appender.Commit(frame, lease: null);
    }
}
