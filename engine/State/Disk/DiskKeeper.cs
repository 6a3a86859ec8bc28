using Streams.Log;

namespace Streams.State.Disk;

/// <summary>
/// Keeps a store's database behind its changelog: what a commit changed goes into the database when the
/// commit is durable, with the position up to which the database then has everything. A restart replays what
/// is behind that position; a database that is damaged, or of another log, is built again from the changelog.
/// </summary>
internal sealed class DiskKeeper : IStateKeeper
{
    // A tombstone goes from a compacted changelog after a day: a database that is behind by less than half of
    // it has seen all that are gone, and one that is written to its files every few minutes stays near.
    private static readonly TimeSpan LagMax = TimeSpan.FromHours(12);
    private static readonly TimeSpan FilesInterval = TimeSpan.FromMinutes(5);

    private const string DamageMark = "damaged";
    private const int RebuildBatchBytes = 4 << 20;
    private const int WaitingMax = 8;

    private readonly DiskTable _table;
    private readonly ITopicLog _log;
    private readonly TopicPartition _changelog;
    private readonly DiskPlace _place;
    private readonly TaskScheduler _background;
    private readonly TimeProvider _clock;
    private readonly Queue<(DiskBatch Batch, Task<long> Commit)> _waiting = new();
    private readonly Lock _lock = new();
    private Task _writing = Task.CompletedTask;
    private RocksDatabase? _database;
    private DiskPosition _position;
    private long _filesDueMs;
    private bool _isLoaded;
    private bool _isWriting;
    private bool _failed;

    internal DiskKeeper(
        DiskTable table, ITopicLog log, TopicPartition changelog, DiskPlace place, TaskScheduler background,
        TimeProvider clock)
    {
        _table = table;
        _log = log;
        _changelog = changelog;
        _place = place;
        _background = background;
        _clock = clock;
        table.WaitForWrites = Wait;
    }

    /// <inheritdoc/>
    public long Load(RestoreProgress progress)
    {
        long start = _log.StartOffset(_changelog);
        long end = _log.EndOffset(_changelog, ReadLevel.Committed);
        _filesDueMs = NowMs + (long)FilesInterval.TotalMilliseconds;
        if (OpenKept() is { } position && position.LogId == _log.Id
            && position.Offset >= start && position.Offset <= end
            && (position.Offset == end || NowMs - position.WrittenMs < LagMax.TotalMilliseconds))
        {
            _position = _table.RestoredFrom = position;
            _table.Count = position.Count;
            return position.Offset;
        }
        OpenEmpty();
        if (start > 0 && !_log.SharesWork)
            throw new StateLostException(_table.Store, _place.Folder);
        _position = new DiskPosition(_log.Id, 0, 0, NowMs);
        if (end > 0)
            _table.Rebuild(RebuildBatchBytes);
        return start;
    }

    /// <inheritdoc/>
    public void Replayed(long end)
    {
        _table.EndRestore(_position);
        // What was replayed must not be lost by the log when the database has it.
        _log.WaitDurable(
            _log.WaitForCommit(long.MaxValue, TimeSpan.Zero, CancellationToken.None), CancellationToken.None);
        Note(end, _table.Count);
        _isLoaded = true;
    }

    /// <inheritdoc/>
    public void CountChangelogBytes(int bytes)
    {
    }

    /// <inheritdoc/>
    public void Committed(Task<long> commit)
    {
        if (_writing.IsFaulted || IsBehind())
            Wait();
        if (_table.TakeFilled() is not { } batch)
            return;
        // The commit may be made already or not, and what is known may be a moment old: any of these ends is
        // right, for all before is in the database then, and what is replayed twice ends as it was.
        long offset = _log.KnownEndOffset(_changelog);
        _position = new DiskPosition(_log.Id, offset, batch.Count, NowMs);
        _position.AddTo(batch.Changes);
        lock (_lock)
        {
            _waiting.Enqueue((batch, commit));
            if (_isWriting)
                return;
            _isWriting = true;
            _writing = Task.Factory.StartNew(
                WriteWaiting, CancellationToken.None, TaskCreationOptions.LongRunning, _background);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _writing.Wait();
            // Every commit is made or given up by now, so the changelog ends with what the database has, but
            // where a commit was begun that nobody told of, or another process goes on with the task.
            if (_isLoaded && !_failed && _waiting.Count == 0 && !_log.SharesWork
                && _table.TakeFilled() is null)
                Note(_log.EndOffset(_changelog, ReadLevel.Durable), _position.Count);
        }
        catch (Exception e) when (e is AggregateException or RocksException)
        {
            // The database stays behind, and the changelog has what it lacks.
        }
        if (_database is { IsDamaged: true })
            File.WriteAllBytes(Path.Combine(_place.Folder, DamageMark), []);
        _database?.Dispose();
        _database = null;
    }

    private long NowMs => _clock.GetUtcNow().ToUnixTimeMilliseconds();

    private string DatabaseFolder => Path.Combine(_place.Folder, "rocksdb");

    private void Wait() => _writing.GetAwaiter().GetResult();

    private bool IsBehind()
    {
        lock (_lock)
            return _waiting.Count >= WaitingMax;
    }

    private DiskPosition? OpenKept()
    {
        string mark = Path.Combine(_place.Folder, DamageMark);
        try
        {
            Directory.CreateDirectory(_place.Folder);
            if (File.Exists(mark))
                return null;
            Use(RocksDatabase.Open(DatabaseFolder, _table.Options, _place.Cache.Value));
            return DiskPosition.Read(_database!);
        }
        catch (RocksException e) when (e.IsDamage)
        {
            return null;
        }
    }

    private void OpenEmpty()
    {
        _database?.Dispose();
        _database = null;
        if (Directory.Exists(DatabaseFolder))
            Directory.Delete(DatabaseFolder, recursive: true);
        File.Delete(Path.Combine(_place.Folder, DamageMark));
        Use(RocksDatabase.Open(DatabaseFolder, _table.Options, _place.Cache.Value));
    }

    private void Use(RocksDatabase database)
    {
        _database = database;
        _table.Open(database);
    }

    private void Note(long offset, long count)
    {
        using var batch = new RocksBatch();
        _position = new DiskPosition(_log.Id, offset, count, NowMs);
        _position.AddTo(batch);
        _database!.Write(batch);
        _database.Flush();
    }

    private void WriteWaiting()
    {
        while (true)
        {
            (DiskBatch Batch, Task<long> Commit) next;
            lock (_lock)
            {
                // Said under the lock: what is added later finds that nobody is there to write it.
                if (!_waiting.TryPeek(out next))
                {
                    _isWriting = false;
                    return;
                }
            }
            try
            {
                _log.WaitDurable(next.Commit.GetAwaiter().GetResult(), CancellationToken.None);
                next.Batch.WriteTo(_database!);
                if (NowMs >= _filesDueMs)
                {
                    _database!.Flush();
                    _filesDueMs = NowMs + (long)FilesInterval.TotalMilliseconds;
                }
            }
            catch
            {
                _failed = true;
                throw;
            }
            lock (_lock)
                _waiting.Dequeue();
        }
    }
}

/// <summary>Where a store on disk lies.</summary>
/// <param name="Folder">The store's folder.</param>
/// <param name="Cache">What its application's stores share.</param>
internal sealed record DiskPlace(string Folder, Lazy<RocksCache> Cache);
