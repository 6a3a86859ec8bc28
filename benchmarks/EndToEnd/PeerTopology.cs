using Streams.Dsl;
using Streams.Processing;
using Streams.Records;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>The four workloads of the Kafka Streams peer, as it has them.</summary>
internal static class PeerTopology
{
    /// <summary>What the topic of labels is called after its input's name.</summary>
    internal const string LabelsSuffix = "-labels";

    internal static Topology Build(PeerRun run, string inputTopic, string outputTopic)
    {
        var builder = new StreamsBuilder();
        var addresses = new PeerAddressSerde();
        KStream<PeerAddress, PeerTransaction> input = builder.Stream(
            inputTopic, new Consumed<PeerAddress, PeerTransaction>(addresses, run.Serde));
        switch (run.Workload)
        {
            case "map":
                input.Filter((_, tx) => tx.Value >= 100_000_000).MapValues((_, tx) => Enrich(tx))
                    .To(outputTopic);
                break;
            case "join":
                KTable<PeerAddress, PeerLabelText> labels = builder.Table(
                    inputTopic + LabelsSuffix,
                    new Consumed<PeerAddress, PeerLabelText>(addresses, new PeerLabelSerde()));
                input.LeftJoin(labels, (_, tx, label, has) => Label(tx, label, has))
                    .To(outputTopic, new Produced<PeerAddress, PeerTransaction> { ValueSerde = run.Serde });
                break;
            case "window":
                input.GroupByKey().WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromSeconds(10)))
                    .Aggregate(() => default, Add, new Materialized<PeerAddress, PeerSum>
                    {
                        ValueSerde = new PeerSumSerde(),
                        Retention = TimeSpan.FromSeconds(60),
                    })
                    .ToStream().SelectKey((window, _) => window.Key)
                    .To(outputTopic, new Produced<PeerAddress, PeerSum> { KeySerde = addresses });
                break;
            case "dedupe":
                input.SelectKey((_, tx) => tx.TxId).Deduplicate(TimeSpan.FromMinutes(5), new Bytes32Serde())
                    .SelectKey((_, tx) => KeyOf(tx))
                    .To(outputTopic, new Produced<PeerAddress, PeerTransaction>
                    {
                        KeySerde = addresses,
                        ValueSerde = run.Serde,
                    });
                break;
            default:
                throw new ArgumentException($"'{run.Workload}' is no workload: map, join, window or dedupe.");
        }
        return builder.Build();
    }

    private static PeerTransaction Enrich(PeerTransaction tx)
    {
        tx.FeeRate = (double)tx.Fee / tx.Size;
        tx.Large = tx.Value > 500_000_000;
        return tx;
    }

    private static PeerTransaction Label(PeerTransaction tx, in PeerLabelText label, bool has)
    {
        tx.FeeRate = (double)tx.Fee / tx.Size;
        tx.Label = has ? tx.Memory.Text(((ReadOnlySpan<byte>)label.Text)[..label.Bytes]) : null;
        return tx;
    }

    private static PeerAddress KeyOf(PeerTransaction tx)
    {
        var key = default(PeerAddress);
        tx.Address.Span.CopyTo(key);
        return key;
    }

    private static PeerSum Add(PeerAddress key, PeerTransaction tx, PeerSum sum) =>
        new() { Count = sum.Count + 1, Sum = sum.Sum + tx.Value };

    private sealed class Bytes32Serde : Serde<Bytes32>
    {
        public override string Name => "bytes32";

        public override void Serialize(in Bytes32 value, Streams.Buffers.PooledBuffer destination) =>
            destination.Write(value.Span);

        public override void Deserialize(ReadOnlySpan<byte> source, ref Bytes32 value) =>
            value = new Bytes32(source);
    }
}

/// <summary>What one run of a peer's workload is.</summary>
/// <param name="Workload">map, join, window or dedupe.</param>
/// <param name="Format">json or binary.</param>
/// <param name="Records">Records of the input.</param>
/// <param name="Keys">Distinct keys.</param>
/// <param name="Threads">Threads, each with a partition.</param>
internal sealed record PeerRun(string Workload, string Format, int Records, int Keys, int Threads)
{
    /// <summary>The records' codec.</summary>
    internal Serde<PeerTransaction> Serde { get; } =
        Format == "json" ? RecordSerde.Json<PeerTransaction>() : new PeerBinarySerde();
}
