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
    private bool _inTransaction;

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
                writer.Write(record);
                count++;
            }
            catch (SerializationException e)
            {
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
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SqliteRecordWriter writer in _writers.Values)
            writer.Dispose();
        _writers.Clear();
        _begin?.Dispose();
        _commit?.Dispose();
        _offset?.Dispose();
        _connection?.Dispose();
        _connection = null;
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
