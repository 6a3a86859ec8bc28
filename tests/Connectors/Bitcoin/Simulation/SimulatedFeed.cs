using Streams.Connect;
using Streams.Connectors.Bitcoin;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Connectors.Chain;
using Streams.Errors;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Records;
using Streams.Testing;
using Streams.Tests.Engine.Log;

namespace Streams.Tests.Connectors.Bitcoin.Simulation;

/// <summary>One source and a log in memory, read and committed by hand, so that a process can die between the
/// two.</summary>
internal sealed class SimulatedFeed : IDisposable
{
    internal const string Name = "feed";
    private const string TopicName = "transactions";

    private readonly SimulatedFileSystem _files = new(seed: 1);

    internal SimulatedFeed()
    {
        Log = SmallLog.Open(_files, segmentBytes: 64 << 20);
        Log.EnsureTopic(new TopicSpec { Name = TopicName });
        Log.EnsureTopic(new TopicSpec { Name = TopicName + DeadLetterTopics.Suffix });
    }

    internal EmbeddedLog Log { get; }

    internal VirtualClock Clock { get; } = new();

    /// <summary>Counts of the last run.</summary>
    internal SourceCounts Counts { get; private set; } = new();

    /// <summary>Runs a source for a number of reads, all of which are committed, and then some that are
    /// lost.</summary>
    /// <returns>The status of the last read.</returns>
    internal SourceStatus Run(
        Func<ISource<Bytes32, ChainTransaction>> create, int reads = int.MaxValue, int lostReads = 0)
    {
        var binding = new SourceBinding<Bytes32, ChainTransaction>(
            Name, TopicName, Serdes.Bytes32, RecordSerde.Protobuf<ChainTransaction>(), create);
        using ISource<Bytes32, ChainTransaction> source = binding.Create();
        using ILogWriter writer = Log.OpenWriter(Name);
        using var output = new SourceOutput<Bytes32, ChainTransaction>(
            binding, Log, writer, deadLetterBytesMax: 4 << 20);
        source.Open(new SourceContext(Name, Log, Clock));
        SourceStatus status = Read(source, output, writer, reads);
        Counts = output.Counts;
        for (int i = 0; i < lostReads; i++)
            Read(source, output);
        writer.Abort();
        return status;
    }

    /// <summary>Runs a simulation.</summary>
    internal SourceStatus Run(
        SimulationOptions options, int reads = int.MaxValue, int lostReads = 0,
        SimulationTruth? truth = null) =>
        Run(() => new BitcoinSimulatedSource(options, truth), reads, lostReads);

    /// <summary>Runs over files.</summary>
    internal SourceStatus RunFiles(string pattern) =>
        Run(() => new BitcoinFilesSource(new BitcoinFilesOptions { Files = pattern, Network = "regtest" }));

    /// <summary>The bytes of the transactions topic.</summary>
    internal List<byte[]> Transactions() => Read(TopicName);

    /// <summary>The dead letters.</summary>
    internal List<DeadLetter> DeadLetters() =>
        [.. Read(TopicName + DeadLetterTopics.Suffix).Select(
            b => RecordSerde.Protobuf<DeadLetter>().Deserialize(b))];

    public void Dispose() => Log.Dispose();

    private static SourceStatus Read(
        ISource<Bytes32, ChainTransaction> source, SourceOutput<Bytes32, ChainTransaction> output,
        ILogWriter writer,
        int reads)
    {
        var status = SourceStatus.More;
        for (int i = 0; i < reads && status == SourceStatus.More; i++)
        {
            status = Read(source, output);
            output.PrepareCommit();
            writer.Commit();
        }
        return status;
    }

    private static SourceStatus Read(
        ISource<Bytes32, ChainTransaction> source, SourceOutput<Bytes32, ChainTransaction> output) =>
        source.ReadAsync(output, CancellationToken.None).AsTask().GetAwaiter().GetResult();

    private List<byte[]> Read(string topic)
    {
        var records = new List<byte[]>();
        using ILogReader reader = Log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (long offset = 0; reader.Read(Log.FindTopic(topic)![0], offset, batch); offset = batch.NextOffset)
        {
            while (batch.TryRead(out LogRecord record))
                records.Add(record.Value.ToArray());
        }
        return records;
    }
}
