using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Streams.Telemetry;

/// <summary>What the process uses, under the names that Prometheus' own client libraries have for
/// it.</summary>
internal sealed class ProcessGauges : IDisposable
{
    private readonly Meter _meter = new(EngineMeter.Name);
    private readonly Process _process = Process.GetCurrentProcess();

    internal ProcessGauges()
    {
        _meter.CreateObservableCounter(
            "process_cpu", () => Refreshed().TotalProcessorTime.TotalSeconds, "s",
            "CPU time that the process has used, user and system.");
        _meter.CreateObservableGauge(
            "process_resident_memory_bytes", () => Refreshed().WorkingSet64, "bytes",
            "Memory that the process has in use.");
        _meter.CreateObservableGauge(
            "process_start_time", StartSeconds, "s", "When the process started, Unix time.");
        _meter.CreateObservableGauge(
            "process_threads", () => (long)Refreshed().Threads.Count, "threads", "Threads of the process.");
        _meter.CreateObservableGauge(
            "process_open_fds", OpenFiles, "files", "Open files and sockets; on Linux only.");
        _meter.CreateObservableGauge(
            "dotnet_gc_heap_bytes", () => GC.GetTotalMemory(false), "bytes",
            "Managed memory in use, as far as it is known without a collection.");
        _meter.CreateObservableCounter(
            "dotnet_gc_allocated_bytes", () => GC.GetTotalAllocatedBytes(), "bytes",
            "Managed memory allocated since the process started.");
        _meter.CreateObservableCounter(
            "dotnet_gc_collections", Collections, "collections", "Garbage collections, by generation.");
        _meter.CreateObservableCounter(
            "dotnet_gc_pause", () => GC.GetTotalPauseDuration().TotalSeconds, "s",
            "Time that garbage collections have paused the process.");
        _meter.CreateObservableGauge(
            "streams_build_info", BuildInfo, null, "Always 1; the labels say what runs.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _meter.Dispose();
        _process.Dispose();
    }

    private static IEnumerable<Measurement<long>> OpenFiles() =>
        OperatingSystem.IsLinux()
            ? [new Measurement<long>(Directory.GetFileSystemEntries("/proc/self/fd").Length)]
            : [];

    private static IEnumerable<Measurement<long>> Collections()
    {
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
            yield return new Measurement<long>(
                GC.CollectionCount(generation),
                new KeyValuePair<string, object?>("generation", $"{generation}"));
    }

    private static Measurement<long> BuildInfo()
    {
        string version = typeof(ProcessGauges).Assembly
            .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        string[] parts = version.Split('+');
        return new Measurement<long>(
            1,
            new KeyValuePair<string, object?>("version", parts[0]),
            new KeyValuePair<string, object?>("commit", parts.Length > 1 ? parts[1] : ""),
            new KeyValuePair<string, object?>("runtime", RuntimeInformation.FrameworkDescription));
    }

    private double StartSeconds() =>
        new DateTimeOffset(_process.StartTime.ToUniversalTime()).ToUnixTimeMilliseconds() / 1000.0;

    private Process Refreshed()
    {
        _process.Refresh();
        return _process;
    }
}
