using System.Text.Json;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Google.Protobuf;
using Streams.Buffers;
using Streams.Records;

namespace Streams.Benchmarks.Micro;

/// <summary>
/// Encoding and decoding an enriched transaction beside Google.Protobuf and System.Text.Json. Budgets:
/// Protobuf 300 ns, JSON 800 ns, no allocation.
/// </summary>
/// <remarks>Google.Protobuf runs code that protoc generated from the same fields and writes the same bytes;
/// System.Text.Json runs its source generator's code over plain classes. Both make new objects when they
/// decode, as that is all they offer; encoding goes into a buffer that is kept.</remarks>
[MemoryDiagnoser]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class RecordBenchmarks : IDisposable
{
    private readonly Serde<EnrichedTransaction> _protobuf = RecordSerde.Protobuf<EnrichedTransaction>();
    private readonly Serde<EnrichedTransaction> _json = RecordSerde.Json<EnrichedTransaction>();
    private readonly PooledBuffer _buffer = new(8192);
    private readonly EnrichedTransaction _record = RecordSample.Create();

    private EnrichedTransaction _reused = new();
    private byte[] _protobufBytes = [];
    private byte[] _jsonBytes = [];
    private Wire.EnrichedTransaction _message = new();
    private TransactionModel _model = new();
    private Utf8JsonWriter _jsonWriter = null!;

    [GlobalSetup]
    public void Setup()
    {
        _protobuf.Serialize(_record, _buffer);
        _protobufBytes = _buffer.WrittenSpan.ToArray();
        _buffer.Clear();
        _json.Serialize(_record, _buffer);
        _jsonBytes = _buffer.WrittenSpan.ToArray();
        _jsonWriter = new Utf8JsonWriter(_buffer);

        _message = Wire.EnrichedTransaction.Parser.ParseFrom(_protobufBytes);
        byte[] theirs = _message.ToByteArray();
        Require(theirs.AsSpan().SequenceEqual(_protobufBytes), "Google.Protobuf writes other bytes.");
        _model = JsonSerializer.Deserialize(_jsonBytes, TransactionModelContext.Default.TransactionModel)!;
        byte[] again = JsonSerializer.SerializeToUtf8Bytes(
            _model, TransactionModelContext.Default.TransactionModel);
        Require(again.AsSpan().SequenceEqual(_jsonBytes), "System.Text.Json writes other bytes.");
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _jsonWriter?.Dispose();
        _buffer.Dispose();
        GC.SuppressFinalize(this);
    }

    [BenchmarkCategory("Protobuf encode"), Benchmark]
    public int ProtobufEncode()
    {
        _buffer.Clear();
        _protobuf.Serialize(_record, _buffer);
        return _buffer.Length;
    }

    [BenchmarkCategory("Protobuf encode"), Benchmark(Baseline = true)]
    public int GoogleProtobufEncode()
    {
        _buffer.Clear();
        _message.WriteTo(_buffer);
        return _buffer.Length;
    }

    [BenchmarkCategory("Protobuf decode"), Benchmark]
    public long ProtobufDecode()
    {
        _protobuf.Deserialize(_protobufBytes, ref _reused);
        return _reused.TotalOut;
    }

    [BenchmarkCategory("Protobuf decode"), Benchmark(Baseline = true)]
    public long GoogleProtobufDecode() => Wire.EnrichedTransaction.Parser.ParseFrom(_protobufBytes).TotalOut;

    [BenchmarkCategory("JSON encode"), Benchmark]
    public int JsonEncode()
    {
        _buffer.Clear();
        _json.Serialize(_record, _buffer);
        return _buffer.Length;
    }

    [BenchmarkCategory("JSON encode"), Benchmark(Baseline = true)]
    public int SystemTextJsonEncode()
    {
        _buffer.Clear();
        _jsonWriter.Reset(_buffer);
        JsonSerializer.Serialize(_jsonWriter, _model, TransactionModelContext.Default.TransactionModel);
        return _buffer.Length;
    }

    [BenchmarkCategory("JSON decode"), Benchmark]
    public long JsonDecode()
    {
        _json.Deserialize(_jsonBytes, ref _reused);
        return _reused.TotalOut;
    }

    [BenchmarkCategory("JSON decode"), Benchmark(Baseline = true)]
    public long SystemTextJsonDecode() =>
        JsonSerializer.Deserialize(_jsonBytes, TransactionModelContext.Default.TransactionModel)!.TotalOut;

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
            throw new InvalidOperationException(otherwise);
    }
}
