using System.Buffers.Binary;
using BenchmarkDotNet.Attributes;
using Streams.State;

namespace Streams.Benchmarks.Micro;

/// <summary>
/// Reading and changing state of 2 M keys in a random order, per operation: keys of 32 bytes, values of 64.
/// Budget: 200 ns, nothing allocated. Changes are flushed every 10,000, as a commit does.
/// </summary>
[MemoryDiagnoser]
public class StateBenchmarks : IDisposable
{
    private const int OperationsPerRun = 1_000_000;
    private const int Keys = 2_000_000;
    private const int KeyBytes = 32;
    private const int ValueBytes = 64;
    private const int ChangesPerFlush = 10_000;
    private const long Multiplier = 6364136223846793005;

    private readonly byte[] _key = new byte[KeyBytes];
    private readonly byte[] _value = new byte[ValueBytes];
    private BytesStore _store = null!;
    private long _random = 1;
    private long _sum;

    [GlobalSetup]
    public void Fill()
    {
        _store = new BytesStore(new StoreOptions { Name = "benchmark" }, null, 0);
        for (int i = 0; i < Keys; i++)
        {
            Name(i);
            _store.Put(_key, _value);
            if (i % ChangesPerFlush == 0)
                _store.Flush(NoChangelog.Instance);
        }
        _store.Flush(NoChangelog.Instance);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _store.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(OperationsPerInvoke = OperationsPerRun)]
    public long Get()
    {
        for (int i = 0; i < OperationsPerRun; i++)
        {
            Name(Next());
            _store.TryGet(_key, out ReadOnlySpan<byte> value);
            _sum += value[0];
        }
        return _sum;
    }

    [Benchmark(OperationsPerInvoke = OperationsPerRun)]
    public void Put()
    {
        for (int i = 0; i < OperationsPerRun; i++)
        {
            Name(Next());
            _store.Put(_key, _value);
            if (i % ChangesPerFlush == 0)
                _store.Flush(NoChangelog.Instance);
        }
    }

    private long Next()
    {
        _random = _random * Multiplier + 1;
        return (long)((ulong)_random >> 33) % Keys;
    }

    private void Name(long number) => BinaryPrimitives.WriteInt64LittleEndian(_key, number);

    private sealed class NoChangelog : IChangelog
    {
        internal static readonly NoChangelog Instance = new();

        public void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
        {
        }
    }
}
