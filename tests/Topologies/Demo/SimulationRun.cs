using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Connectors.Chain;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Records;
using Streams.Tests.Support;
using Streams.Topologies.Demo;
using Streams.Topologies.Transactions;

namespace Streams.Tests.Topologies.Demo;

/// <summary>Runs the transactions topology over a simulated chain, and compares what it finds with the
/// truth.</summary>
internal sealed class SimulationRun : IDisposable
{
    private const string SourceName = "simulated";

    private readonly TemporaryFolder _folder = new();

    internal SimulationRun() =>
        Log = EmbeddedLog.Open(new EmbeddedLogOptions { Directory = _folder.File("log") });

    internal EmbeddedLog Log { get; }

    internal SimulationTruth Truth { get; } = new();

    internal SourceCounts Counts { get; private set; } = new();

    /// <summary>Records that the source has committed.</summary>
    internal long TransactionsWritten => Log.FindTopic(TransactionsTopology.Transactions) is { } topic
        ? Log.EndOffset(topic[0], ReadLevel.Committed)
        : 0;

    /// <summary>Runs until the simulation has ended and all of it is processed.</summary>
    internal void Drain(SimulationOptions options) => Run(options, application => application.IsDrained());

    /// <summary>Runs until a condition holds, and stops as it stands.</summary>
    internal void Run(SimulationOptions options, Func<StreamsApplication, bool> until)
    {
        var definition = new ApplicationDefinition
        {
            Id = "demo",
            Topology = TransactionsTopology.Build(
                new TransactionsOptions(), DemoLabels.Load(_folder.File("labels"))),
            Topics = [new TopicSpec { Name = TransactionsTopology.Transactions }],
            Sources = [Source(options)],
            DataFolder = _folder.Path,
        };
        using var application = new StreamsApplication(definition, Log, NullLogger.Instance);
        application.Start();
        while (!until(application) && application.Failure is null)
            Thread.Sleep(1);
        application.Stop();
        if (application.Failure is { } failure)
            throw new InvalidOperationException($"The run failed: {failure.Message}", failure);
        Counts = application.SourceCounts.Single().Counts;
    }

    /// <summary>Compares what came out with what was put in.</summary>
    internal DemoResult Evaluate()
    {
        var evaluation = new DemoEvaluation();
        ReadEach<ChainTransaction>(TransactionsTopology.Enriched, evaluation.Add);
        ReadEach<Alert>(TransactionsTopology.Alerts, evaluation.Add);
        var deliveries = new DemoDeliveries(
            Counts.Own.GetValueOrDefault("duplicate_blocks"), Counts.Own.GetValueOrDefault("blocks_refused"));
        return evaluation.Compare(Truth.Snapshot(), deliveries);
    }

    /// <summary>Reads all records of a topic, each into the same object.</summary>
    internal void ReadEach<TValue>(string topic, Action<TValue> action)
        where TValue : IDescribed<TValue>, new()
    {
        Serde<TValue> serde = RecordSerde.Protobuf<TValue>();
        var value = new TValue();
        ReadRaw(topic, record =>
        {
            serde.Deserialize(record, ref value);
            action(value);
        });
    }

    /// <summary>The bytes of all records of a topic.</summary>
    internal void ReadRaw(string topicName, Action<byte[]> action)
    {
        Topic topic = Log.FindTopic(topicName)!;
        using ILogReader reader = Log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (long offset = 0; reader.Read(topic[0], offset, batch); offset = batch.NextOffset)
        {
            while (batch.TryRead(out LogRecord record))
                action(record.Value.ToArray());
        }
    }

    private SourceBinding<Bytes32, ChainTransaction> Source(SimulationOptions options) => new(
        SourceName, TransactionsTopology.Transactions, Serdes.Bytes32,
        RecordSerde.Protobuf<ChainTransaction>(),
        () => new BitcoinSimulatedSource(options, Truth));

    public void Dispose()
    {
        Log.Dispose();
        _folder.Dispose();
    }
}
