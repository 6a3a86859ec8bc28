using BenchmarkDotNet.Attributes;
using Streams.Topologies.Transactions.Tags;

namespace Streams.Benchmarks.Micro;

/// <summary>
/// Looking addresses up in a table of 250,000 with 1,000 distinct entries, a little more than all the public
/// packs have. Every lookup asks for another address, in random order, so that the table is not in the
/// processor's first caches. Budget: 60 ns for a miss, 100 ns for a hit, nothing allocated.
/// </summary>
[MemoryDiagnoser]
public class TagBenchmarks
{
    private const int Tags = 250_000;
    private const int Entries = 1_000;
    private const int Lookups = 1 << 16;
    private const int AddressChars = 34;
    private const string Base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

    private readonly byte[] _hits = new byte[Lookups * AddressChars];
    private readonly byte[] _misses = new byte[Lookups * AddressChars];
    private TagTable _table = TagTable.Empty;

    [GlobalSetup]
    public void Fill()
    {
        var random = new Random(1);
        var builder = new TagTableBuilder();
        var addresses = new string[Tags];
        for (int i = 0; i < Tags; i++)
        {
            addresses[i] = Address(random);
            builder.Add(addresses[i], Facts(i % Entries));
        }
        _table = builder.Build();
        for (int i = 0; i < Lookups; i++)
        {
            Write(addresses[random.Next(Tags)], _hits, i);
            Write(Address(random), _misses, i);
        }
    }

    [Benchmark(OperationsPerInvoke = Lookups)]
    public int Hit() => CountIn(_hits);

    [Benchmark(OperationsPerInvoke = Lookups)]
    public int Miss() => CountIn(_misses);

    private int CountIn(byte[] addresses)
    {
        int sum = 0;
        for (int at = 0; at < addresses.Length; at += AddressChars)
        {
            if (_table.TryGet(addresses.AsSpan(at, AddressChars), out TagEntry? entry))
                sum += entry.IsIllicit ? 2 : 1;
        }
        return sum;
    }

    private static string Address(Random random) => "1" + random.GetString(Base58, AddressChars - 1);

    private static TagFacts Facts(int i) =>
        new(new TagCategorySet(1u << (1 + i % 26)), 50, $"Label {i}", null, null, null, "pack.yaml", null);

    private static void Write(string address, byte[] destination, int i) =>
        System.Text.Encoding.ASCII.GetBytes(address, destination.AsSpan(i * AddressChars));
}
