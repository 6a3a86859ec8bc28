using Microsoft.Data.Sqlite;
using SQLitePCL;
using Streams.Connect;
using Streams.Log;
using Streams.Records;
using Streams.Records.Relational;

namespace Streams.Sinks.Sqlite;

/// <summary>Writes records to the tables of a SQLite file, with their offsets in the same
/// transaction.</summary>
/// <remarks>
/// Exactly once: after whatever interruption the sink goes on at the offsets that the file holds. The file is
/// in WAL mode, so that analysts read while it is written.
/// </remarks>
public sealed class SqliteSink : ISink
{
    private readonly SqliteOptions _options;
    private readonly IReadOnlyList<TopicFormat> _formats;
    private readonly IReadOnlyList<TableMapping> _mappings;
    private readonly IReadOnlyList<ViewMapping> _views;
    private readonly Dictionary<string, SqliteRecordWriter> _writers = new(StringComparer.Ordinal);
    private readonly Dictionary<TopicPartition, string> _names = [];
    private SqliteConnection? _connection;
    private SqliteStatement? _begin;
    private SqliteStatement? _commit;
    private SqliteStatement? _offset;
    private SqliteStatement? _rollback;
    private SqliteStatement? _savepoint;
    private SqliteStatement? _release;
    private SqliteStatement? _back;
    private bool _inTransaction;
    private bool _oneByOne;
    private bool _hasRefused;

    /// <summary>Prepares a sink.</summary>
    /// <param name="options">Where and how.</param>
    /// <param name="formats">What the records of each topic are.</param>
    /// <param name="mappings">Which tables they become.</param>
    /// <param name="views">Views over those tables.</param>
    public SqliteSink(
        SqliteOptions options, IReadOnlyList<TopicFormat> formats, IReadOnlyList<TableMapping> mappings,
        IReadOnlyList<ViewMapping> views)
    {
        _options = options;
        _formats = formats;
        _mappings = mappings;
        _views = views;
    }

    /// <summary>The statements that make the tables, indexes and views.</summary>
    public static string Ddl(
        IReadOnlyList<TopicFormat> formats, IReadOnlyList<TableMapping> mappings,
        IReadOnlyList<ViewMapping> views)
    {
        IEnumerable<string> tables = mappings.SelectMany(m => SqliteSchema.Tables(m, ModelOf(formats, m)))
            .SelectMany(t => t.Indexes.Prepend(t.Ddl));
        return string.Join(
            ";\n\n", tables.Concat(views.Select(v => $"CREATE VIEW {v.Name} AS {v.Sql}"))) + ";\n";
    }

    /// <inheritdoc/>
    public void Open(SinkContext context)
    {
        _connection = Connect();
        try
        {
            Prepare(context);
        }
        catch (SqliteException e) when (SqliteStatement.IsPassing(e.SqliteErrorCode))
        {
            throw Unavailable(e);
        }
    }

    /// <inheritdoc/>
    public long? Position(Topic topic, int partition)
    {
        using SqliteCommand command = _connection!.CreateCommand();
        command.CommandText =
            "SELECT next_offset FROM streams_offsets WHERE topic = $topic AND partition_number = $partition";
        command.Parameters.AddWithValue("$topic", topic.Name);
        command.Parameters.AddWithValue("$partition", partition);
        // Nothing in the file means from the beginning, whatever the log says of an earlier file.
        return command.ExecuteScalar() is long offset ? offset : 0;
    }

    /// <inheritdoc/>
    public int Write(Topic topic, LogBatch batch, SinkRejections rejections)
    {
        if (!_inTransaction)
        {
            _begin!.Run();
            _inTransaction = true;
        }
        SqliteRecordWriter writer = _writers[topic.Name];
        int count = 0;
        while (batch.TryRead(out LogRecord record))
        {
            try
            {
                Write(writer, record);
                count++;
            }
            catch (Exception e) when (e is SerializationException || (e is SqliteRefusalException
                && _oneByOne))
            {
                _hasRefused |= e is SqliteRefusalException;
                rejections.Add(topic, batch.Partition.Partition, record, e);
            }
        }
        return count;
    }

    /// <inheritdoc/>
    public void Commit(IReadOnlyDictionary<TopicPartition, long> positions, SinkCursors cursors)
    {
        if (!_inTransaction)
            return;
        foreach ((TopicPartition partition, long offset) in positions)
        {
            _offset!.BindText(1, System.Text.Encoding.UTF8.GetBytes(_names[partition]));
            _offset.Bind(2, partition.Partition);
            _offset.Bind(3, offset);
            _offset.Run();
        }
        _commit!.Run();
        _inTransaction = false;
        // What was refused is behind; where it was not reached yet, records still come one by one.
        _oneByOne &= !_hasRefused;
        _hasRefused = false;
    }

    /// <inheritdoc/>
    public void MoveTo(
        SinkContext context, string fromLogId, IReadOnlyDictionary<TopicPartition, long> positions)
    {
        _connection = Connect();
        try
        {
            new SqliteFile(_connection, _options).MoveTo(
                context.LogId, fromLogId, context.Topics.SelectMany(t => positions
                    .Where(p => p.Key.Topic == t.Id)
                    .Select(p => (t.Name, p.Key.Partition, p.Value))));
        }
        catch (SqliteException e) when (SqliteStatement.IsPassing(e.SqliteErrorCode))
        {
            throw Unavailable(e);
        }
    }

    /// <inheritdoc/>
    public long? StoredBytes() => new[] { _options.File, _options.File + "-wal" }
        .Select(file => new FileInfo(file)).Where(file => file.Exists).Sum(file => file.Length);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SqliteRecordWriter writer in _writers.Values)
            writer.Dispose();
        _writers.Clear();
        foreach (SqliteStatement? statement in (SqliteStatement?[])
            [_begin, _commit, _offset, _rollback, _savepoint, _release, _back])
            statement?.Dispose();
        _connection?.Dispose();
        _connection = null;
    }

    // A record is several rows, and a savepoint around each would cost a tenth of the rate: only where a row
    // was refused are records written one by one, from the last commit on, so that the rest of them lands.
    private void Write(SqliteRecordWriter writer, in LogRecord record)
    {
        if (!_oneByOne)
        {
            try
            {
                writer.Write(record);
                return;
            }
            catch (SqliteRefusalException e)
            {
                _rollback!.Run();
                _inTransaction = false;
                _oneByOne = true;
                throw new WriteAgainException(e.Message, e);
            }
        }
        _savepoint!.Run();
        bool written = false;
        try
        {
            writer.Write(record);
            written = true;
        }
        finally
        {
            if (!written)
                _back!.Run();
            _release!.Run();
        }
    }

    private void Prepare(SinkContext context)
    {
        raw.sqlite3_busy_timeout(_connection!.Handle!, (int)_options.BusyTimeout.TotalMilliseconds);
        var store = new SqliteFile(_connection, _options);
        store.Prepare(context.LogId);
        foreach (TableMapping mapping in _mappings)
        {
            RelationalModel model = ModelOf(_formats, mapping);
            IReadOnlyList<SqliteTable> tables = SqliteSchema.Tables(mapping, model);
            foreach (SqliteTable table in tables)
                store.EnsureTable(table, _options.Indexes);
        }
        foreach (ViewMapping view in _views)
            store.ReplaceView(view);
        PrepareStatements(context);
    }

    private void PrepareStatements(SinkContext context)
    {
        sqlite3 database = _connection!.Handle!;
        foreach (Topic topic in context.Topics)
        {
            TableMapping mapping = _mappings.First(m => m.Topic == topic.Name);
            TopicFormat format = _formats.First(f => f.Topic == topic.Name);
            _writers[topic.Name] = format.Accept(new WriterFactory(database, mapping));
            for (int p = 0; p < topic.Partitions; p++)
                _names[topic[p]] = topic.Name;
        }
        _begin = new SqliteStatement(database, "BEGIN IMMEDIATE");
        _commit = new SqliteStatement(database, "COMMIT");
        _rollback = new SqliteStatement(database, "ROLLBACK");
        _savepoint = new SqliteStatement(database, "SAVEPOINT one");
        _release = new SqliteStatement(database, "RELEASE one");
        _back = new SqliteStatement(database, "ROLLBACK TO one");
        _offset = new SqliteStatement(
            database, "INSERT OR REPLACE INTO streams_offsets (topic, partition_number, next_offset) " +
                "VALUES (?1, ?2, ?3)");
    }

    private SqliteConnection Connect()
    {
        var text = new SqliteConnectionStringBuilder
        {
            DataSource = _options.File,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            // In whole seconds, where 0 means for ever.
            DefaultTimeout = Math.Max(1, (int)Math.Ceiling(_options.BusyTimeout.TotalSeconds)),
        };
        var connection = new SqliteConnection(text.ToString());
        try
        {
            connection.Open();
            // The file is looked at only now.
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = "PRAGMA schema_version";
            command.ExecuteScalar();
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            bool folderIsThere = Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(_options.File)));
            if (folderIsThere && SqliteStatement.IsPassing(e.SqliteErrorCode))
                throw Unavailable(e);
            throw new ConfigurationException(
                $"sqlite: {_options.File} cannot be opened: {e.Message} Does its folder exist, and may it " +
                    $"be written to?", e);
        }
        return connection;
    }

    private UnavailableException Unavailable(SqliteException e) =>
        new($"sqlite: {_options.File} cannot be used: {e.Message}", e);

    private static RelationalModel ModelOf(IReadOnlyList<TopicFormat> formats, TableMapping mapping) =>
        RelationalModel.Of((formats.FirstOrDefault(f => f.Topic == mapping.Topic)
            ?? throw new ConfigurationException(
                $"sqlite: nobody says what the records of '{mapping.Topic}' are.")).Schema);

    private sealed class WriterFactory(sqlite3 database, TableMapping mapping)
        : ITopicFormatVisitor<SqliteRecordWriter>
    {
        public SqliteRecordWriter Visit<TValue>(string topic, Serde<TValue> serde)
            where TValue : class, IDescribed<TValue>, new()
        {
            RelationalModel model = RelationalModel.Of<TValue>();
            return new SqliteRecordWriter<TValue>(
                serde, new SqliteRows(database, mapping, model, SqliteSchema.Tables(mapping, model)));
        }
    }
}
