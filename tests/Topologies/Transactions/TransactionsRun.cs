using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Connectors.Bitcoin;
using Streams.Connectors.Chain;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Records;
using Streams.Tests.Support;
using Streams.Topologies.Transactions;
using Streams.Topologies.Transactions.Tags;

namespace Streams.Tests.Topologies.Transactions;

/// <summary>Runs the transactions topology over files until they are exhausted, and reads its
/// topics.</summary>
internal sealed class TransactionsRun : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TagTable _tags;
    private readonly TransactionsOptions _options;

    internal TransactionsRun(TagTable? tags = null, TransactionsOptions? options = null)
    {
        _tags = tags ?? TagTable.Empty;
        _options = options ?? new TransactionsOptions();
        Log = EmbeddedLog.Open(new EmbeddedLogOptions { Directory = _folder.File("log") });
    }

    internal EmbeddedLog Log { get; }

    internal SourceCounts Counts { get; private set; } = new();

    internal TransactionsCounts TopologyCounts { get; } = new();

    /// <summary>Processes the files that a pattern names.</summary>
    internal void Drain(BitcoinFilesOptions files)
    {
        var definition = new ApplicationDefinition
        {
            Id = "transactions",
            Topology = TransactionsTopology.Build(_options, _tags, TopologyCounts),
            Topics = [new TopicSpec { Name = TransactionsTopology.Transactions }],
            Sources = [Source(files)],
            DataFolder = _folder.Path,
        };
        using var application = new StreamsApplication(definition, Log, NullLogger.Instance);
        application.Start();
        while (!application.IsDrained() && application.Failure is null)
            Thread.Sleep(2);
        application.Stop();
        if (application.Failure is { } failure)
            throw new InvalidOperationException($"The run failed: {failure.Message}", failure);
        Counts = application.SourceCounts.Single().Counts;
    }

    /// <summary>All records of a topic, each decoded anew.</summary>
    internal List<TValue> Read<TValue>(string topicName)
        where TValue : IDescribed<TValue>, new()
    {
        Serde<TValue> serde = RecordSerde.Protobuf<TValue>();
        var records = new List<TValue>();
        Topic topic = Log.FindTopic(topicName)!;
        using ILogReader reader = Log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (long offset = 0; reader.Read(topic[0], offset, batch); offset = batch.NextOffset)
        {
            while (batch.TryRead(out LogRecord record))
                records.Add(serde.Deserialize(record.Value));
        }
        return records;
    }

    /// <summary>A source over files.</summary>
    internal static SourceBinding<Bytes32, ChainTransaction> Source(BitcoinFilesOptions files) => new(
        "bitcoin", TransactionsTopology.Transactions, Serdes.Bytes32,
        RecordSerde.Protobuf<ChainTransaction>(),
        () => new BitcoinFilesSource(files));

    public void Dispose()
    {
        Log.Dispose();
        _folder.Dispose();
    }
}
