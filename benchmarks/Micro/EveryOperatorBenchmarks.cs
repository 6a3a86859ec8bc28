using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Streams.Benchmarks.Micro;

/// <summary>
/// Every operator of the vocabulary, per record that goes in: a thousand keys, a record of each a second.
/// Runs of a fixed number of records, because state grows with event time and not with repetitions.
/// </summary>
[MemoryDiagnoser]
[Config(typeof(FixedRuns))]
public class EveryOperatorBenchmarks : IDisposable
{
    private const int RecordsPerRun = 200_000;

    private OperatorRun _run = null!;

    public static IEnumerable<string> Names => OperatorTable.Topologies.Keys;

    [ParamsSource(nameof(Names))]
    public string Operator { get; set; } = "";

    [GlobalSetup]
    public void Build()
    {
        _run = new OperatorRun(OperatorTable.Topologies[Operator]);
        // An hour of event time is 3.6 M records; what windows of this table keep is a minute or two.
        _run.Process(RecordsPerRun);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _run.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(OperationsPerInvoke = RecordsPerRun)]
    public void PerRecord() => _run.Process(RecordsPerRun);

    private sealed class FixedRuns : ManualConfig
    {
        public FixedRuns() => AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance)
            .WithWarmupCount(2).WithIterationCount(5).WithInvocationCount(1).WithUnrollFactor(1));
    }
}
