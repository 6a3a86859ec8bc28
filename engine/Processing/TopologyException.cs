namespace Streams.Processing;

/// <summary>A topology that cannot run as written: found when it is built or opened, never while records
/// flow.</summary>
public sealed class TopologyException(string message) : Exception(message);
