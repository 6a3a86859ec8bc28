using Microsoft.Extensions.Logging.Abstractions;
using Streams.Buffers;
using Streams.Connect;
using Streams.Connectors.Chain;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Records;
using Streams.Testing;
using Streams.Tests.Support;
using Streams.Topologies.Transactions;

namespace Streams.Tests.Sinks;

/// <summary>Puts alerts into a log and runs a sink over them, commit by commit, as the runner does.</summary>
internal sealed class SinkRun : IDisposable
{
    private readonly ILogWriter _writer;
    private readonly EmbeddedLog _log;
    private readonly Topic _topic;

    internal SinkRun()
    {
        _log = EmbeddedLog.Open(new EmbeddedLogOptions
        {
            Directory = "memory",
            FileSystem = new MemoryFileSystem(),
            Manual = true,
        });
        _topic = _log.EnsureTopic(new TopicSpec { Name = TransactionsTopology.Alerts });
        _writer = _log.OpenWriter("test");
    }

    internal TemporaryFolder Folder { get; } = new();

    internal static IReadOnlyList<TopicFormat> Formats =>
        [.. TransactionsTables.Formats.Where(f => f.Topic == TransactionsTopology.Alerts)];

    internal static IReadOnlyList<TableMapping> Tables =>
        [.. TransactionsTables.Tables.Where(t => t.Topic == TransactionsTopology.Alerts)];

    /// <summary>Adds an alert to the topic.</summary>
    internal void Add(string id, int score, Operation op = Operation.Append)
    {
        var alert =
            new Alert { AlertId = new Text(id), Score = score, Op = op, Evidence = new Text("because") };
        using var value = new PooledBuffer();
        RecordSerde.Protobuf<Alert>().Serialize(alert, value);
        _writer.Append(_topic[0], new LogRecord
        {
            TimestampMs = 0,
            HasKey = true,
            Key = System.Text.Encoding.UTF8.GetBytes(id),
            HasValue = true,
            Value = value.WrittenSpan,
        });
        _writer.Commit();
        _log.Flush();
    }

    /// <summary>Opens a sink, writes everything it has not written, and commits where asked to.</summary>
    internal void Run(ISink sink, bool commit = true)
    {
        sink.Open(new SinkContext("sink", _log, [_topic]));
        long offset = sink.Position(_topic, 0) ?? _log.CommittedOffset("sink", _topic[0]) ?? 0;
        using ILogReader reader = _log.OpenReader(ReadLevel.Committed);
        using var rejections = new SinkRejections("sink", _log, new SinkOptions(), NullLogger.Instance);
        using LogBatch batch = reader.CreateBatch();
        for (; reader.Read(_topic[0], offset, batch); offset = batch.NextOffset)
            sink.Write(_topic, batch, rejections);
        if (!commit)
            return;
        using ILogWriter writer = _log.OpenWriter("sink");
        sink.Commit(
            new Dictionary<TopicPartition, long> { [_topic[0]] = offset }, new SinkCursors(writer, "sink"));
        writer.CommitOffset("sink", _topic[0], offset);
        writer.Commit();
    }

    public void Dispose()
    {
        _writer.Dispose();
        _log.Dispose();
        Folder.Dispose();
    }
}
