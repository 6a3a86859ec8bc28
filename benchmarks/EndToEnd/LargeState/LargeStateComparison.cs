using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Streams.State.Disk;

namespace Streams.Benchmarks.EndToEnd.LargeState;

/// <summary>
/// State larger than memory, three ways: <c>large-state rocksdb|lmdb|table --folder DIR [--keys N]
/// [--seconds N] [--cache-mb N]</c>. Loads the keys in order, then reads, changes and writes back values for
/// so many seconds each: uniformly, and with the skew of YCSB's Zipf. Prints one JSON line per phase. Whoever
/// starts it sets the bound on its memory.
/// </summary>
internal static class LargeStateComparison
{
    private const int KeyBytes = 32;
    private const int ValueBytesMin = 16;
    private const int ValueBytesMax = 32;

    internal static int Run(string[] args)
    {
        int keys = Arguments.Number(args, "--keys", 50_000_000);
        int seconds = Arguments.Number(args, "--seconds", 60);
        int cacheMegabytes = Arguments.Number(args, "--cache-mb", 512);
        int folderAt = Array.IndexOf(args, "--folder");
        if (args.Length == 0 || folderAt < 0 || folderAt + 1 == args.Length)
        {
            Console.Error.WriteLine("large-state rocksdb|lmdb|table --folder DIR [--keys N] [--seconds N]");
            return 2;
        }
        string folder = args[folderAt + 1];
        Directory.CreateDirectory(folder);
        using ILargeState state = args[0] switch
        {
            "rocksdb" => new RocksState(folder, new DiskOptions
            {
                BlockCacheBytes = (long)cacheMegabytes << 20,
                WriteBufferBytes = 32L << 20,
            }),
            "lmdb" => new LmdbState(folder),
            "table" => new FileTable(Path.Combine(folder, "table.log"), keys),
            _ => throw new ArgumentException($"'{args[0]}' is none of rocksdb, lmdb and table."),
        };
        Load(args[0], state, keys, folder);
        Change(args[0], state, keys, folder, seconds, "uniform", new Random(1), null);
        Change(args[0], state, keys, folder, seconds, "zipf", new Random(2), new Zipf(keys, 0.99));
        return 0;
    }

    private static void Load(string name, ILargeState state, int keys, string folder)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        Span<byte> value = stackalloc byte[ValueBytesMax];
        var meter = new PhaseMeter();
        long bytes = 0;
        for (int i = 0; i < keys; i++)
        {
            KeyOf(i, keys, key);
            Span<byte> some = value[..ValueBytesOf(i)];
            some.Clear();
            state.Append(key, some);
            bytes += key.Length + some.Length;
            if (i % 100_000 == 99_999)
                state.Commit();
        }
        state.Commit();
        state.EndLoad();
        meter.Print(name, "load", keys, bytes, folder);
    }

    private static void Change(
        string name, ILargeState state, int keys, string folder, int seconds, string phase, Random random,
        Zipf? zipf)
    {
        const int OperationsPerCommit = 2_000;
        Span<byte> key = stackalloc byte[KeyBytes];
        Span<byte> value = stackalloc byte[ValueBytesMax];
        var meter = new PhaseMeter();
        long operations = 0, bytes = 0;
        while (meter.Seconds < seconds)
        {
            for (int i = 0; i < OperationsPerCommit; i++)
            {
                int item = zipf?.Next(random) ?? random.Next(keys);
                KeyOf(item, keys, key);
                int length = state.Read(key, value);
                if (length != ValueBytesOf(item))
                    throw new InvalidOperationException($"Key {item} has {length} bytes.");
                value[0]++;
                state.Put(key, value[..length]);
                bytes += KeyBytes + length;
            }
            state.Commit();
            operations += OperationsPerCommit;
        }
        meter.Print(name, phase, operations, bytes, folder);
    }

    // In order of the number, spread over all first words; the rest is as random as a hash.
    private static void KeyOf(int item, int keys, Span<byte> key)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(
            key, (ulong)item * (ulong.MaxValue / (uint)keys));
        ulong state = (uint)item;
        for (int at = 8; at < KeyBytes; at += 8)
        {
            state += 0x9E3779B97F4A7C15;
            ulong mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(key[at..], mixed ^ (mixed >> 31));
        }
    }

    private static int ValueBytesOf(int item) =>
        ValueBytesMin + item % (ValueBytesMax - ValueBytesMin + 1);
}

/// <summary>What is compared.</summary>
internal interface ILargeState : IDisposable
{
    /// <summary>Adds a key that is greater than all before.</summary>
    void Append(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    /// <summary>After the last <see cref="Append"/>.</summary>
    void EndLoad();

    /// <summary>Reads a value.</summary>
    /// <returns>Its length; -1 where there is none.</returns>
    int Read(ReadOnlySpan<byte> key, Span<byte> value);

    /// <summary>Sets a value.</summary>
    void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    /// <summary>Ends a group of changes that go in together.</summary>
    void Commit();
}

/// <summary>Time, processor and bytes of a phase.</summary>
internal sealed class PhaseMeter
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly TimeSpan _cpu = Process.GetCurrentProcess().TotalProcessorTime;
    private readonly (long Read, long Written) _io = Io();

    internal double Seconds => Stopwatch.GetElapsedTime(_started).TotalSeconds;

    internal void Print(string engine, string phase, long operations, long userBytes, string folder)
    {
        double seconds = Seconds;
        (long read, long written) = Io();
        using var process = Process.GetCurrentProcess();
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            engine,
            phase,
            operations,
            seconds = Math.Round(seconds, 1),
            per_second = Math.Round(operations / seconds),
            cpu_us = Math.Round((process.TotalProcessorTime - _cpu).TotalMicroseconds / operations, 2),
            read_bytes_per_operation = (read - _io.Read) / operations,
            write_amplification = Math.Round((written - _io.Written) / (double)userBytes, 1),
            disk_megabytes = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)
                .Sum(f => f.Length) >> 20,
            resident_megabytes = process.WorkingSet64 >> 20,
            load_average = File.ReadAllText("/proc/loadavg").Split(' ')[0],
        }));
    }

    // What the process caused at the block layer; pages that the kernel writes later count when made dirty.
    private static (long Read, long Written) Io()
    {
        string[] lines = File.ReadAllLines("/proc/self/io");
        long Value(string name) => long.Parse(
            lines.First(l => l.StartsWith(name, StringComparison.Ordinal))[name.Length..],
            CultureInfo.InvariantCulture);
        return (Value("read_bytes: "), Value("write_bytes: "));
    }
}

/// <summary>Numbers of items, few of them often, spread over all.</summary>
/// <remarks>Source: Gray et al., "Quickly generating billion-record synthetic databases", as in YCSB, with
/// the ranks spread by a multiplication.</remarks>
internal sealed class Zipf
{
    private readonly int _items;
    private readonly double _theta, _alpha, _zeta, _eta;

    internal Zipf(int items, double theta)
    {
        _items = items;
        _theta = theta;
        _alpha = 1 / (1 - theta);
        for (int i = 1; i <= items; i++)
            _zeta += 1 / Math.Pow(i, theta);
        double two = 1 + Math.Pow(0.5, theta);
        _eta = (1 - Math.Pow(2.0 / items, 1 - theta)) / (1 - two / _zeta);
    }

    internal int Next(Random random)
    {
        double u = random.NextDouble();
        double uz = u * _zeta;
        long rank = uz < 1 ? 0
            : uz < 1 + Math.Pow(0.5, _theta) ? 1
            : (long)(_items * Math.Pow(_eta * u - _eta + 1, _alpha));
        return (int)((ulong)rank * 0x9E3779B1 % (ulong)_items);
    }
}
