using Streams.Log;

namespace Streams.Tests.Engine.Processing;

/// <summary>
/// Reads a log as a client does that fetches ahead: records are there when the test has fetched them, and
/// how far the log goes is known since the partition was last heard of.
/// </summary>
internal sealed class FetchingReader(ITopicLog log) : ILogReader
{
    private readonly ILogReader _reader = log.OpenReader(ReadLevel.Committed);
    private readonly Dictionary<TopicPartition, long> _fetched = [];
    private readonly Dictionary<TopicPartition, long> _ends = [];

    public LogBatch CreateBatch() => _reader.CreateBatch();

    public bool Read(TopicPartition partition, long offset, LogBatch batch) =>
        offset < _fetched.GetValueOrDefault(partition) && _reader.Read(partition, offset, batch);

    public long? Lag(TopicPartition partition, long offset) =>
        _ends.TryGetValue(partition, out long end) ? Math.Max(0, end - offset) : null;

    public void Dispose() => _reader.Dispose();

    /// <summary>Hears of the partition's end.</summary>
    internal void Hear(TopicPartition partition) =>
        _ends[partition] = log.EndOffset(partition, ReadLevel.Committed);

    /// <summary>Fetches the partition to its end.</summary>
    internal void Fetch(TopicPartition partition)
    {
        Hear(partition);
        _fetched[partition] = _ends[partition];
    }
}
