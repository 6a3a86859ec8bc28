using System.Diagnostics;
using Npgsql;
using Streams.Connect;
using Streams.Log;
using Streams.Records;
using Streams.Records.Relational;
using Streams.Sinks.Timescale;

namespace Streams.Sinks.Postgres;

/// <summary>Writes records to the tables of a PostgreSQL database by binary COPY, with their offsets in the
/// same transaction.</summary>
/// <remarks>
/// Exactly once: after whatever interruption the sink goes on at the offsets that the database holds, and a
/// writer that another has followed cannot commit. A row that the database refuses is found by halving its
/// batch, and becomes a dead letter; the others land.
/// </remarks>
public sealed class PostgresSink : ISink
{
    // What waits is measured once in so many records.
    private const int RecordsPerMeasure = 64;

    private static readonly TimeSpan DropInterval = TimeSpan.FromHours(1);

    private readonly PostgresOptions _options;
    private readonly IReadOnlyList<TopicFormat> _formats;
    private readonly IReadOnlyList<TableMapping> _mappings;
    private readonly IReadOnlyList<ViewMapping> _views;
    private readonly List<PendingRecords> _pending = [];
    private readonly List<(PendingRecords Records, int Mapping, PostgresLoad Load)> _loads = [];
    private PostgresSession? _session;
    private PostgresOffsets? _offsets;
    private TimescaleEdition? _edition;
    private long _dropped;

    /// <summary>Prepares a sink.</summary>
    /// <param name="options">Where and how.</param>
    /// <param name="formats">What the records of each topic are.</param>
    /// <param name="mappings">Which tables they become; tables that others refer to before those.</param>
    /// <param name="views">Views over those tables.</param>
    public PostgresSink(
        PostgresOptions options, IReadOnlyList<TopicFormat> formats, IReadOnlyList<TableMapping> mappings,
        IReadOnlyList<ViewMapping> views)
    {
        _options = options;
        _formats = formats;
        _mappings = PostgresSchema.Divide(mappings, options);
        _views = views;
    }

    /// <summary>Has rows go over staging tables from the first; for measurements.</summary>
    internal bool AlwaysStages { get; init; }

    /// <inheritdoc/>
    public void Open(SinkContext context)
    {
        _session = PostgresSession.Open(_options);
        Guarded(() => Prepare(context));
    }

    /// <inheritdoc/>
    public long? Position(Topic topic, int partition) => Guarded(() => _offsets!.Take(topic, partition));

    /// <inheritdoc/>
    public int Write(Topic topic, LogBatch batch, SinkRejections rejections)
    {
        PendingRecords pending = PendingOf(topic);
        int count = 0;
        while (batch.TryRead(out LogRecord record))
        {
            pending.Add(batch.Partition.Partition, record);
            if (++count % RecordsPerMeasure == 0 && WaitingBytes() >= _options.CopyBytesMax)
                Flush(rejections);
        }
        return count;
    }

    /// <inheritdoc/>
    public void Flush(SinkRejections rejections)
    {
        if (_pending.TrueForAll(p => p.Count == 0))
            return;
        Guarded(() =>
        {
            _session!.Begin();
            foreach ((PendingRecords records, int mapping, PostgresLoad load) in _loads)
            {
                AddMonths(records.Mappings[mapping].Rows);
                Land(records, load, 0, records.Count);
            }
            return true;
        });
        foreach (PendingRecords records in _pending)
            records.Clear(rejections);
    }

    /// <inheritdoc/>
    public void Commit(IReadOnlyDictionary<TopicPartition, long> positions, SinkCursors cursors) =>
        Guarded(() =>
        {
            _session!.Begin();
            _offsets!.MoveTo(positions);
            _session.Commit();
            _offsets.Committed(positions);
            foreach ((_, _, PostgresLoad load) in _loads)
                load.TransactionEnded();
            DropOldChunks();
            return true;
        });

    /// <inheritdoc/>
    public void MoveTo(
        SinkContext context, string fromLogId, IReadOnlyDictionary<TopicPartition, long> positions)
    {
        _session = PostgresSession.Open(_options);
        Guarded(() =>
        {
            _session.Begin();
            var offsets = new PostgresOffsets(_session, context.Name, context.LogId);
            foreach (Topic topic in context.Topics)
            {
                foreach ((TopicPartition partition, long offset) in positions.Where(
                    p => p.Key.Topic == topic.Id))
                    offsets.Rebase(topic.Name, partition.Partition, offset, fromLogId);
            }
            _session.Commit();
            return true;
        });
    }

    /// <inheritdoc/>
    /// <remarks>Of the whole database, with its indexes and whatever else is in it.</remarks>
    public long? StoredBytes() =>
        Guarded(() => _session!.Scalar<long>("SELECT pg_database_size(current_database())"));

    /// <inheritdoc/>
    public void Dispose()
    {
        _pending.ForEach(p => p.Dispose());
        _pending.Clear();
        _loads.Clear();
        _session?.Dispose();
        _session = null;
    }

    /// <summary>All tables of mappings, in their order.</summary>
    internal static IReadOnlyList<PostgresTable> TablesOf(
        IReadOnlyList<TopicFormat> formats, IReadOnlyList<TableMapping> mappings) =>
        [.. mappings.SelectMany(
            m => PostgresSchema.Tables(m, RelationalModel.Of(FormatOf(formats, m).Schema)))];

    private bool Prepare(SinkContext context)
    {
        var database = new PostgresDatabase(_session!, _options);
        _edition = database.Edition;
        PostgresScripts.Settle(_session!, database, TablesOf(_formats, _mappings), _views, _options);
        if (_options is TimescaleOptions { CompressAfter.Ticks: > 0 } && !_edition.IsCommunity)
            context.Note($"{_edition}: compression needs the community edition; chunks stay as they are");
        _offsets = new PostgresOffsets(_session!, context.Name, context.LogId);
        foreach (Topic topic in context.Topics)
        {
            List<PostgresRows> rows = [.. _mappings.Where(m => m.Topic == topic.Name).Select(m =>
                new PostgresRows(
                    m, RelationalModel.Of(FormatOf(_formats, m).Schema), _options.PartitionsMax))];
            foreach (PostgresRows each in rows)
                LearnMonths(database, each);
            _pending.Add(new PendingRecords(
                topic, FormatOf(_formats, rows[0].Mapping).Accept(new WriterFactory()), rows));
        }
        AddLoads();
        return true;
    }

    // In the order of the mappings: what a table refers to is loaded before it.
    private void AddLoads()
    {
        for (int i = 0; i < _mappings.Count; i++)
        {
            foreach (PendingRecords records in _pending)
            {
                int at = records.Mappings.ToList().FindIndex(m => m.Rows.Mapping == _mappings[i]);
                if (at >= 0)
                    _loads.Add((records, at, new PostgresLoad(_session!, records.Mappings[at], i)
                    {
                        AlwaysStages = AlwaysStages,
                    }));
            }
        }
    }

    private static void LearnMonths(PostgresDatabase database, PostgresRows rows)
    {
        List<PostgresTable> divided =
            [.. rows.Tables.Where(t => t.Time is not null && database.IsDividedByMonth(t))];
        rows.Months.IsDivided = divided.Count > 0;
        // A month is there when it is there in all of them; making one that is there does nothing.
        foreach (int month in divided.SelectMany(t => database.Months(t).Distinct())
            .GroupBy(month => month).Where(same => same.Count() == divided.Count).Select(same => same.Key))
            rows.Months.Add(month);
        rows.DividedTables = divided;
    }

    // Outside of any savepoint: a row that is refused later takes no partition with it.
    private void AddMonths(PostgresRows rows)
    {
        foreach (int month in rows.Months.Wanted.ToList())
        {
            foreach (PostgresTable table in rows.DividedTables)
            {
                (string name, string low, string high) = PostgresDdl.Month(table, month);
                _session!.Execute("SELECT streams_add_month($1, $2, $3, $4)", table.Name, name, low, high);
            }
            rows.Months.Add(month);
        }
    }

    // Where a row is refused, each half is tried by itself, in order, down to the record whose row it is.
    private void Land(PendingRecords records, PostgresLoad load, int from, int to)
    {
        if (from == to)
            return;
        _session!.Execute("SAVEPOINT landing");
        PostgresException refused;
        try
        {
            load.Send(records, from, to);
            _session.Execute("RELEASE SAVEPOINT landing");
            return;
        }
        catch (PostgresException e) when (PostgresErrors.IsOfRow(e))
        {
            _session.Execute("ROLLBACK TO SAVEPOINT landing; RELEASE SAVEPOINT landing");
            refused = e;
        }
        if (to - from == 1)
        {
            records.Refuse(from, new RowRefusedException(
                $"PostgreSQL refuses its row: {refused.MessageText} ({refused.SqlState}).", refused));
            return;
        }
        int middle = from + (to - from) / 2;
        Land(records, load, from, middle);
        Land(records, load, middle, to);
    }

    private void DropOldChunks()
    {
        if (_options is not TimescaleOptions { DropAfter.Ticks: > 0 } timescale
            || (_dropped != 0 && Stopwatch.GetElapsedTime(_dropped) < DropInterval))
            return;
        foreach (PostgresTable table in _pending.SelectMany(p => p.Mappings).SelectMany(m => m.Rows.Tables))
        {
            if (table.Time is not null)
                _session!.Execute(TimescaleDdl.DropChunks(table, timescale.DropAfter, _edition!));
        }
        _dropped = Stopwatch.GetTimestamp();
    }

    private long WaitingBytes()
    {
        long bytes = 0;
        foreach (PendingRecords records in _pending)
            bytes += records.Bytes;
        return bytes;
    }

    private PendingRecords PendingOf(Topic topic)
    {
        foreach (PendingRecords records in _pending)
        {
            if (records.Topic == topic)
                return records;
        }
        throw new InvalidOperationException($"postgres: the topic {topic.Name} was not among those opened.");
    }

    private T Guarded<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (PostgresErrors.IsOfDriver(e, _session?.Connection))
        {
            throw PostgresErrors.Translate(e, _session!.Server);
        }
    }

    private static TopicFormat FormatOf(IReadOnlyList<TopicFormat> formats, TableMapping mapping) =>
        formats.FirstOrDefault(f => f.Topic == mapping.Topic) ?? throw new ConfigurationException(
            $"postgres: nobody says what the records of '{mapping.Topic}' are.");

    private sealed class WriterFactory : ITopicFormatVisitor<PostgresRecordWriter>
    {
        public PostgresRecordWriter Visit<TValue>(string topic, Serde<TValue> serde)
            where TValue : class, IDescribed<TValue>, new() => new PostgresRecordWriter<TValue>(serde);
    }
}
