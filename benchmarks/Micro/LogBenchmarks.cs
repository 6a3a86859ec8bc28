using BenchmarkDotNet.Attributes;
using Microsoft.Win32.SafeHandles;
using Streams.Log;
using Streams.Log.Embedded;

namespace Streams.Benchmarks.Micro;

/// <summary>
/// Appending and reading records of 200 bytes, per record. Budgets: 400 ns to append with fsync in groups,
/// 150 ns to read with its checksum, nothing allocated.
/// </summary>
[MemoryDiagnoser]
public class LogBenchmarks
{
    private const int RecordsPerRun = 100_000;
    private const int KeyBytes = 20;
    private const int ValueBytes = 180;

    private readonly byte[] _key = new byte[KeyBytes];
    private readonly byte[] _value = new byte[ValueBytes];
    private string _directory = "";
    private EmbeddedLog _log = null!;
    private Topic _topic = null!;
    private ILogWriter _writer = null!;
    private ILogReader _reader = null!;
    private LogBatch _batch = null!;

    [Params(100, 1000)]
    public int RecordsPerCommit { get; set; }

    [Params(1, 8)]
    public int Partitions { get; set; }

    [GlobalSetup]
    public void Open()
    {
        _directory = Directory.CreateTempSubdirectory("streams-benchmark-").FullName;
        _log = EmbeddedLog.Open(new EmbeddedLogOptions { Directory = _directory });
        _topic = _log.EnsureTopic(new TopicSpec
        {
            Name = "records",
            Partitions = Partitions,
            Retention = null,
            // So that a long run does not fill the disk.
            RetentionBytes = 1L << 30,
        });
        _writer = _log.OpenWriter("benchmark");
        _reader = _log.OpenReader(ReadLevel.Durable);
        _batch = _reader.CreateBatch();
        new Random(1).NextBytes(_value);
        AppendWithGroupSync();
    }

    [GlobalCleanup]
    public void Close()
    {
        _batch.Dispose();
        _reader.Dispose();
        _writer.Dispose();
        _log.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Benchmark(OperationsPerInvoke = RecordsPerRun)]
    public void AppendWithGroupSync()
    {
        long commit = 0;
        for (int i = 1; i <= RecordsPerRun; i++)
        {
            BitConverter.TryWriteBytes(_key, i);
            _writer.Append(_topic[i % Partitions], new LogRecord
            {
                TimestampMs = 1_700_000_000_000 + i,
                HasKey = true,
                Key = _key,
                HasValue = true,
                Value = _value,
            });
            if (i % RecordsPerCommit == 0)
                commit = _writer.Commit();
        }
        _log.WaitDurable(commit, CancellationToken.None);
    }

    /// <summary>The system's own part of an append: the same bytes written and synced without a
    /// log.</summary>
    [Benchmark(OperationsPerInvoke = RecordsPerRun)]
    public void WriteAndSyncAlone()
    {
        const int EncodedRecordBytes = KeyBytes + ValueBytes + 8;
        byte[] frame = new byte[RecordsPerCommit * EncodedRecordBytes];
        string path = Path.Combine(_directory, "alone");
        using (SafeFileHandle file = File.OpenHandle(path, FileMode.Create, FileAccess.Write))
        {
            for (long at = 0; at < (long)RecordsPerRun * EncodedRecordBytes; at += frame.Length)
                RandomAccess.Write(file, frame, at);
            RandomAccess.FlushToDisk(file);
        }
        File.Delete(path);
    }

    [Benchmark(OperationsPerInvoke = RecordsPerRun)]
    public long ReadWithChecksum()
    {
        long bytes = 0;
        int left = RecordsPerRun;
        for (int partition = 0; partition < Partitions; partition++)
        {
            int wanted = RecordsPerRun / Partitions;
            for (long offset = _log.StartOffset(_topic[partition]); wanted > 0; offset = _batch.NextOffset)
            {
                _reader.Read(_topic[partition], offset, _batch);
                while (wanted > 0 && _batch.TryRead(out LogRecord record))
                {
                    bytes += record.Value.Length;
                    wanted--;
                    left--;
                }
            }
        }
        return bytes + left;
    }
}
