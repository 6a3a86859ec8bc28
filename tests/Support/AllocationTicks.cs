using System.Collections.Concurrent;
using System.Diagnostics.Tracing;

namespace Streams.Tests.Support;

/// <summary>
/// What is allocated on which threads, by type: the runtime tells of about one allocation in every 100 KB.
/// Only of small objects: large arrays are buffers and tables, which grow with what they hold.
/// </summary>
public sealed class AllocationTicks : EventListener
{
    private const EventKeywords Gc = (EventKeywords)1;
    private const uint SmallObjects = 0;

    private readonly ConcurrentDictionary<string, long> _bytes = new(StringComparer.Ordinal);

    /// <summary>Bytes allocated since the last reset.</summary>
    public long Bytes => _bytes.Values.Sum();

    /// <summary>Forgets what was seen so far.</summary>
    public void Reset() => _bytes.Clear();

    /// <summary>The largest by type, for the message of a test that fails.</summary>
    public override string ToString() => string.Join(
        Environment.NewLine,
        _bytes.OrderByDescending(b => b.Value).Take(15).Select(b => $"{b.Value,12:N0} {b.Key}"));

    /// <inheritdoc/>
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
            EnableEvents(eventSource, EventLevel.Verbose, Gc);
    }

    /// <inheritdoc/>
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventName != "GCAllocationTick_V4" || eventData.PayloadNames is null)
            return;
        if ((uint)eventData.Payload![eventData.PayloadNames.IndexOf("AllocationKind")]! != SmallObjects)
            return;
        string type = $"{eventData.Payload[eventData.PayloadNames.IndexOf("TypeName")]}";
        long bytes = (long)(ulong)eventData.Payload[eventData.PayloadNames.IndexOf("AllocationAmount64")]!;
        _bytes.AddOrUpdate(
            $"{type} on thread {eventData.OSThreadId}", bytes, (_, before) => before + bytes);
    }
}
