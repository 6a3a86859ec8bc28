using BenchmarkDotNet.Attributes;
using Streams.Dsl;
using Streams.Processing;
using Streams.Records;

namespace Streams.Benchmarks.Micro;

/// <summary>Filling gaps and detecting sequences, per record; keys come in turn, ten records a minute each,
/// and one record in ten is missing.</summary>
[MemoryDiagnoser]
public class GapAndSequenceBenchmarks : IDisposable
{
    private const int RecordsPerRun = 1_000_000;
    private const string Topic = "input";
    private const long IntervalMs = 6_000;

    private OperatorHarness<long, long> _operator = null!;
    private long _record;
    private long _seen;

    public enum Kind
    {
        Hold,
        HoldQuietKeys,
        Linear,
        Sequence,
    }

    [Params(Kind.Hold, Kind.HoldQuietKeys, Kind.Linear, Kind.Sequence)]
    public Kind Operator { get; set; }

    [Params(1_000, 100_000)]
    public int Keys { get; set; }

    [GlobalSetup]
    public void Build()
    {
        var builder = new StreamsBuilder();
        KStream<long, long> stream = builder.Stream(
            Topic, new Consumed<long, long>(Serdes.Int64, Serdes.Int64));
        Make(stream).ForEach((_, value) => _seen ^= value);
        _operator = new OperatorHarness<long, long>(Topic, builder.Build());
        for (int i = 0; i < 20L * Keys; i += RecordsPerRun)
            Process();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _operator.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(OperationsPerInvoke = RecordsPerRun)]
    public void Process()
    {
        for (int i = 0; i < RecordsPerRun; i++, _record++)
        {
            long key = _record % Keys;
            long turn = _record / Keys;
            if ((key + turn) % 10 == 0)
                continue;
            long timeMs = turn * IntervalMs + key * IntervalMs / Keys;
            _operator.Process(new Record<long, long>(key, key + turn, timeMs));
        }
    }

    private KStream<long, long> Make(KStream<long, long> stream)
    {
        var interval = TimeSpan.FromMilliseconds(IntervalMs);
        return Operator switch
        {
            Kind.Hold => stream.GapFill(GapFilling.Hold<long>(interval)),
            Kind.HoldQuietKeys => stream.GapFill(
                GapFilling.Hold<long>(interval) with { KeepFilling = 10 * interval }),
            Kind.Linear => stream.GapFill(GapFilling.Linear<long>(interval, Interpolate.Int64)),
            Kind.Sequence => stream.DetectSequence(
                new SequencePattern<long, long>
                {
                    First = (_, value) => value % 7 == 1,
                    Then = (_, first, value) => value - first == 3,
                    Without = (_, _, value) => value % 35 == 3,
                    Within = 5 * interval,
                },
                (_, first, last) => last - first, (_, first) => first),
            _ => throw new TopologyException($"There is no operator {Operator}."),
        };
    }
}
