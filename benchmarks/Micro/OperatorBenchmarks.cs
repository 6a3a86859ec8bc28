using BenchmarkDotNet.Attributes;
using Streams.Dsl;
using Streams.Records;

namespace Streams.Benchmarks.Micro;

/// <summary>
/// Operators without a log, per record. Budgets: 50 ns for filter and map, 300 ns for a windowed count
/// whatever the number of keys, nothing allocated.
/// </summary>
[MemoryDiagnoser]
public class OperatorBenchmarks : IDisposable
{
    private const int RecordsPerRun = 100_000;
    private const string Topic = "input";

    private OperatorHarness<long, long> _stateless = null!;
    private long _next;

    [GlobalSetup]
    public void Build()
    {
        var builder = new StreamsBuilder();
        builder.Stream(Topic, new Consumed<long, long>(Serdes.Int64, Serdes.Int64))
            .Filter((_, value) => value % 16 != 0)
            .MapValues((_, value) => value * 3)
            .Peek((_, value) => _next ^= value);
        _stateless = new OperatorHarness<long, long>(Topic, builder.Build());
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _stateless.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(OperationsPerInvoke = RecordsPerRun)]
    public void FilterAndMap()
    {
        for (int i = 0; i < RecordsPerRun; i++)
            _stateless.Process(new Record<long, long>(i, i, i));
    }
}

/// <summary>A count per key and minute, per record; keys come in a random order, ten times a
/// minute.</summary>
[MemoryDiagnoser]
public class WindowedCountBenchmarks : IDisposable
{
    private const int RecordsPerRun = 1_000_000;
    private const string Topic = "input";
    private const long Multiplier = 6364136223846793005;

    private OperatorHarness<long, long> _count = null!;
    private long _record;
    private long _random = 1;

    [Params(1_000, 10_000, 1_000_000, 10_000_000)]
    public int Keys { get; set; }

    [GlobalSetup]
    public void Build()
    {
        var builder = new StreamsBuilder();
        builder.Stream(Topic, new Consumed<long, long>(Serdes.Int64, Serdes.Int64))
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeAndGrace(TimeSpan.FromMinutes(1), TimeSpan.Zero))
            .Count();
        _count = new OperatorHarness<long, long>(Topic, builder.Build());
        for (int i = 0; i < 10 * Math.Min(Keys, 2_000_000); i += RecordsPerRun)
            WindowedCount();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _count.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(OperationsPerInvoke = RecordsPerRun)]
    public void WindowedCount()
    {
        long recordsPerMinute = 10L * Keys;
        for (int i = 0; i < RecordsPerRun; i++)
        {
            _random = _random * Multiplier + 1;
            long key = (long)((ulong)_random >> 33) % Keys;
            _count.Process(new Record<long, long>(key, 1, _record++ * 60_000 / recordsPerMinute));
        }
    }
}
