using BenchmarkDotNet.Attributes;
using Streams.Connectors.Bitcoin;

namespace Streams.Benchmarks.Micro;

/// <summary>A transaction of about 400 bytes: budget 1.5 us and 0 B with its id.</summary>
[MemoryDiagnoser]
public class BitcoinTransactionBenchmarks
{
    private const int BytesMax = 4_000_000;

    private byte[] _witness = [];
    private byte[] _legacy = [];

    [GlobalSetup]
    public void Setup()
    {
        byte[] raw = BitcoinBenchmarkData.Block702861();
        _witness = BitcoinBenchmarkData.Transaction(raw, hasWitness: true);
        _legacy = BitcoinBenchmarkData.Transaction(raw, hasWitness: false);
    }

    [Benchmark]
    public int Parse()
    {
        BitcoinTransactionReader.TryRead(_witness, BytesMax, out BitcoinTransaction transaction);
        return transaction.InputCount;
    }

    [Benchmark]
    public BitcoinHash ParseAndTxId()
    {
        BitcoinTransactionReader.TryRead(_witness, BytesMax, out BitcoinTransaction transaction);
        return transaction.ComputeTxId();
    }

    [Benchmark]
    public BitcoinHash ParseAndTxIdWithoutWitness()
    {
        BitcoinTransactionReader.TryRead(_legacy, BytesMax, out BitcoinTransaction transaction);
        return transaction.ComputeTxId();
    }

    // What a source needs for a record: every amount, type and address, on both sides.
    [Benchmark]
    public long ParseAndDescribe()
    {
        BitcoinTransactionReader.TryRead(_witness, BytesMax, out BitcoinTransaction transaction);
        Span<byte> text = stackalloc byte[BitcoinAddress.TextBytesMax];
        long sum = transaction.ComputeTxId().GetHashCode();
        foreach (BitcoinInput input in transaction.Inputs)
            sum += BitcoinSpender.Reveal(input).Address.Encode(BitcoinNetwork.Mainnet, text);
        foreach (BitcoinOutput output in transaction.Outputs)
        {
            BitcoinAddress.TryFromScript(output.Script, out BitcoinAddress address);
            sum += output.Satoshi + address.Encode(BitcoinNetwork.Mainnet, text);
        }
        return sum;
    }
}

/// <summary>Reading and validating a whole block, in time for each of its transactions.</summary>
[MemoryDiagnoser]
public class BitcoinBlockBenchmarks
{
    private const int Transactions = 2500;

    private readonly BitcoinBlockReader _reader = new(new BitcoinReaderOptions());
    private readonly BitcoinBlockIndex _index = new();
    private readonly byte[] _file = new byte[1 << 20];
    private readonly BlockFileKey _key = new("12345678"u8);
    private byte[] _raw = [];

    [GlobalSetup]
    public void Setup() => _raw = BitcoinBenchmarkData.Block702861();

    [Benchmark(OperationsPerInvoke = Transactions)]
    public int Validate()
    {
        _reader.ReadWhole(_raw, _index, out BitcoinBlock block);
        return block.Count;
    }

    [Benchmark(OperationsPerInvoke = Transactions)]
    public int Reveal()
    {
        int sum = 0;
        _reader.ReadWhole(_raw, _index, out BitcoinBlock block);
        foreach (BitcoinTransaction transaction in block)
        {
            foreach (BitcoinInput input in transaction.Inputs)
                sum += (int)BitcoinSpender.Reveal(input).Evidence;
        }
        return sum;
    }

    [Benchmark(Description = "Clear 1 MiB of an obfuscated file")]
    public void Clear() => _key.Apply(_file, 3);
}

/// <summary>Addresses: budget 250 ns each way.</summary>
[MemoryDiagnoser]
public class BitcoinAddressBenchmarks
{
    private readonly byte[] _text = new byte[BitcoinAddress.TextBytesMax];
    private byte[] _encoded = [];
    private byte[] _script = [];

    public enum Kind
    {
        PublicKeyHash,
        ScriptHash,
        WitnessPublicKeyHash,
        WitnessScriptHash,
        Taproot,
    }

    [ParamsAllValues]
    public Kind Of { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        const string Hash = "751e76e8199196d454941c45d1b3a323f1433bd6";
        const string LongHash = "1863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262";
        _script = Convert.FromHexString(Of switch
        {
            Kind.PublicKeyHash => $"76a914{Hash}88ac",
            Kind.ScriptHash => $"a914{Hash}87",
            Kind.WitnessPublicKeyHash => $"0014{Hash}",
            Kind.WitnessScriptHash => $"0020{LongHash}",
            _ => $"5120{LongHash}",
        });
        _encoded = _text[..ScriptToText()];
    }

    [Benchmark]
    public int ScriptToText()
    {
        BitcoinAddress.TryFromScript(_script, out BitcoinAddress address);
        return address.Encode(BitcoinNetwork.Mainnet, _text);
    }

    [Benchmark]
    public bool TextToAddress() =>
        BitcoinAddress.TryDecode(_encoded, BitcoinNetwork.Mainnet, out _).IsDone;
}

/// <summary>Hashes of keys: goal 350 ns for RIPEMD-160 of 32 bytes.</summary>
[MemoryDiagnoser]
public class BitcoinHashBenchmarks
{
    private readonly byte[] _hash = new byte[Sha256Bytes];
    private readonly byte[] _key = new byte[BitcoinScript.CompressedKeyBytes];

    private const int Sha256Bytes = 32;

    [Benchmark]
    public void Ripemd160Of32Bytes() => Ripemd160.Hash(_key.AsSpan(0, Sha256Bytes), _hash);

    [Benchmark]
    public void Hash160OfAKey() => Hash160.Hash(_key, _hash);
}

/// <summary>The block that the benchmarks read, from the data beside the checkout.</summary>
internal static class BitcoinBenchmarkData
{
    private const string File702861 =
        "btc/blocks/mainnet_000000000000000000000c835b2adcaedc20fdf6ee440009c249452c726dafae.raw";

    public static byte[] Block702861()
    {
        string? root = Environment.GetEnvironmentVariable("STREAMS_TESTDATA");
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is null && folder is not null)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Streams.sln")))
                root = Path.Combine(folder.FullName, "..", "shared", "testdata");
            folder = folder.Parent;
        }
        return File.ReadAllBytes(Path.Combine(root ?? ".", File702861));
    }

    /// <summary>The first transaction of 360 to 440 bytes, with or without a witness.</summary>
    public static byte[] Transaction(byte[] raw, bool hasWitness)
    {
        var index = new BitcoinBlockIndex();
        new BitcoinBlockReader(new BitcoinReaderOptions()).ReadWhole(raw, index, out BitcoinBlock block);
        foreach (BitcoinTransaction transaction in block)
        {
            bool fits = transaction.HasWitness == hasWitness && transaction.Raw.Length is >= 360 and <= 440;
            if (fits && !transaction.IsCoinbase)
                return transaction.Raw.ToArray();
        }
        throw new InvalidOperationException("The block has no such transaction.");
    }
}
