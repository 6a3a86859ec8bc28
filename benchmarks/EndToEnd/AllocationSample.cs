using System.Collections.Concurrent;
using System.Diagnostics.Tracing;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>
/// What is allocated, by type: the runtime tells of about one allocation in every 100 KB. Costs next to
/// nothing, so it can run beside a measurement.
/// </summary>
internal sealed class AllocationSample : EventListener
{
    private const EventKeywords Gc = (EventKeywords)1;
    private const string Tick = "GCAllocationTick_V4";

    private readonly ConcurrentDictionary<string, long> _bytes = new(StringComparer.Ordinal);

    /// <summary>The types with most bytes so far.</summary>
    internal Dictionary<string, string> Largest(int count)
    {
        long sum = Math.Max(1, _bytes.Values.Sum());
        return _bytes.OrderByDescending(b => b.Value).Take(count)
            .ToDictionary(b => b.Key, b => $"{100.0 * b.Value / sum:0.0} %");
    }

    /// <summary>Forgets what was seen so far.</summary>
    internal void Reset() => _bytes.Clear();

    /// <inheritdoc/>
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
            EnableEvents(eventSource, EventLevel.Verbose, Gc);
    }

    /// <inheritdoc/>
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventName != Tick || eventData.Payload is null || eventData.PayloadNames is null)
            return;
        if (eventData.Payload[eventData.PayloadNames.IndexOf("TypeName")] is string type
            && eventData.Payload[eventData.PayloadNames.IndexOf("AllocationAmount64")] is ulong amount)
            _bytes.AddOrUpdate(type, (long)amount, (_, before) => before + (long)amount);
    }
}
