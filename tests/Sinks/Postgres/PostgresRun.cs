using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Buffers;
using Streams.Connect;
using Streams.Connectors.Chain;
using Streams.Errors;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Records;
using Streams.Sinks.Postgres;
using Streams.Testing;
using Streams.Tests.Support;

namespace Streams.Tests.Sinks.Postgres;

/// <summary>A log with readings, and sinks that are driven over it step by step, as the runner
/// does.</summary>
internal sealed class PostgresRun : IDisposable
{
    private static readonly Serde<Reading> Serde = RecordSerde.Protobuf<Reading>();

    private readonly EmbeddedLog _log;
    private readonly Topic _topic;
    private readonly ILogWriter _writer;
    private readonly PostgresServer _server;

    internal PostgresRun(PostgresServer server)
    {
        _server = server;
        Database = server.NewDatabase();
        _log = EmbeddedLog.Open(new EmbeddedLogOptions
        {
            Directory = "memory",
            FileSystem = new MemoryFileSystem(),
            Manual = true,
        });
        _topic = _log.EnsureTopic(new TopicSpec { Name = "readings" });
        _writer = _log.OpenWriter("test");
        Options = new PostgresOptions
        {
            Server = server.Address(Database),
            PasswordVariable = PostgresServer.PasswordVariable,
        };
    }

    internal string Database { get; }

    internal PostgresOptions Options { get; set; }

    /// <summary>Upsert by device and number, with the list of tags.</summary>
    internal static TableMapping Keyed => new()
    {
        Topic = "readings",
        Table = "readings",
        Key = ["device", "number"],
        OperationColumn = "op",
        Columns =
        [
            new ColumnMapping("device_id", "device", ColumnForm.Uuid),
            new ColumnMapping("hash_id", "hash", ColumnForm.Uuid),
            new ColumnMapping("at", "time_ns", ColumnForm.Instant),
            new ColumnMapping("ether", "wei", ColumnForm.Scaled) { Scale = 18 },
            new ColumnMapping("state", "op", ColumnForm.Named)
            {
                Names = new Dictionary<string, string> { ["append"] = "holds" },
            },
            new ColumnMapping("first_tag", "tags.value", ColumnForm.First),
        ],
        Children = [new ChildMapping("tags", "reading_tags")],
    };

    /// <summary>Only added to.</summary>
    internal static TableMapping Added =>
        new() { Topic = "readings", Table = "readings", OperationColumn = "op" };

    internal static IReadOnlyList<TopicFormat> Formats => [TopicFormat.Of("readings", Serde)];

    internal TableMapping Mapping { get; set; } = Keyed;

    internal EmbeddedLog Log => _log;

    internal Topic Topic => _topic;

    internal List<string> Query(string sql) => _server.Query(Database, sql);

    internal long Number(string sql) => _server.Number(Database, sql);

    internal void Execute(string sql) => _server.Execute(Database, sql);

    /// <summary>Adds a reading to the topic.</summary>
    internal void Add(string device, long number, Action<Reading>? change = null)
    {
        var reading = new Reading { Device = new Text(device), Number = number, Note = new Text("") };
        change?.Invoke(reading);
        using var value = new PooledBuffer();
        Serde.Serialize(reading, value);
        AddBytes(value.WrittenSpan);
    }

    internal void Retract(string device, long number) => Add(device, number, r => r.Op = Operation.Retract);

    /// <summary>Adds any bytes to the topic.</summary>
    internal void AddBytes(ReadOnlySpan<byte> value)
    {
        _writer.Append(_topic[0], new LogRecord
        {
            TimestampMs = 0,
            HasKey = true,
            Key = "key"u8,
            HasValue = true,
            Value = value,
        });
        _writer.Commit();
        _log.Flush();
    }

    internal PostgresSink Make(bool alwaysStages = false) =>
        new(Options, Formats, [Mapping], []) { AlwaysStages = alwaysStages };

    /// <summary>Opens a sink, and writes and commits all that it lacks.</summary>
    internal void Deliver(bool alwaysStages = false)
    {
        using PostgresSink sink = Make(alwaysStages);
        long from = Open(sink);
        long to = Write(sink, from);
        Commit(sink, to);
    }

    /// <summary>As <see cref="Deliver"/>; what the sink told the operator.</summary>
    internal IReadOnlyList<string> DeliverAndListen()
    {
        var heard = new HeardMessages();
        using PostgresSink sink = Make();
        Commit(sink, Write(sink, Open(sink, heard)));
        return heard.Messages;
    }

    internal long Open(PostgresSink sink, ILogger? logger = null)
    {
        sink.Open(new SinkContext("sink", _log, [_topic], logger));
        return sink.Position(_topic, 0)!.Value;
    }

    /// <summary>Writes what is there from an offset on, as far as the database's transaction.</summary>
    internal long Write(PostgresSink sink, long offset, SinkOptions? options = null)
    {
        using ILogReader reader = _log.OpenReader(ReadLevel.Committed);
        using var rejections = new SinkRejections(
            "sink", _log, options ?? new SinkOptions(), NullLogger.Instance);
        using LogBatch batch = reader.CreateBatch();
        for (; reader.Read(_topic[0], offset, batch); offset = batch.NextOffset)
            sink.Write(_topic, batch, rejections);
        sink.Flush(rejections);
        rejections.Commit(new LogRoom(NullLogger.Instance), CancellationToken.None);
        _log.Flush();
        return offset;
    }

    internal void Commit(PostgresSink sink, long offset)
    {
        using ILogWriter writer = _log.OpenWriter("sink");
        sink.Commit(
            new Dictionary<TopicPartition, long> { [_topic[0]] = offset }, new SinkCursors(writer, "sink"));
    }

    /// <summary>The dead letters: offset and words.</summary>
    internal List<(long Offset, string Detail)> DeadLetters()
    {
        var letters = new List<(long, string)>();
        if (_log.FindTopic("readings" + DeadLetterTopics.Suffix) is not { } topic)
            return letters;
        Serde<DeadLetter> serde = RecordSerde.Protobuf<DeadLetter>();
        using ILogReader reader = _log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (long offset = 0; reader.Read(topic[0], offset, batch); offset = batch.NextOffset)
        {
            while (batch.TryRead(out LogRecord record))
            {
                var letter = new DeadLetter();
                serde.Deserialize(record.Value, ref letter);
                letters.Add((letter.Offset!.Value, letter.Detail.ToString()));
            }
        }
        return letters;
    }

    public void Dispose()
    {
        _writer.Dispose();
        _log.Dispose();
    }

    private sealed class HeardMessages : ILogger
    {
        internal List<string> Messages { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Messages.Add(formatter(state, exception));
    }
}
