using Streams.Connect;
using Streams.Log;
using Streams.Records;

namespace Streams.Sinks.Jsonl;

/// <summary>
/// Writes each topic to files of one JSON value a line: <c>TOPIC-NNNNNN.jsonl</c>, or
/// <c>TOPIC.PARTITION-NNNNNN.jsonl</c> where a topic has several partitions.
/// </summary>
/// <remarks>
/// Exactly once: the length that a file had at the commit is committed with the position, and what was
/// written after it is cut off when the sink opens. Where a file ends depends on its length alone, so that an
/// interrupted run leaves the same files as one that was not.
/// </remarks>
public sealed class JsonlSink : ISink
{
    private readonly JsonlOptions _options;
    private readonly IReadOnlyList<TopicFormat> _formats;
    private readonly Dictionary<TopicPartition, JsonlFile> _files = [];

    /// <summary>Prepares a sink.</summary>
    /// <param name="options">Where and how.</param>
    /// <param name="formats">What the records of each topic are.</param>
    public JsonlSink(JsonlOptions options, IReadOnlyList<TopicFormat> formats)
    {
        if (options.FileBytesMax < 1)
            throw new ConfigurationException(
                $"jsonl: file_bytes_max must be at least 1; it is {options.FileBytesMax}.");
        _options = options;
        _formats = formats;
    }

    /// <inheritdoc/>
    public void Open(SinkContext context)
    {
        try
        {
            Directory.CreateDirectory(_options.Folder);
        }
        catch (IOException e) when (File.Exists(_options.Folder))
        {
            throw new ConfigurationException(
                $"jsonl: {_options.Folder} is to be a folder, and there is a file of that name.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UnavailableException(
                $"jsonl: the folder {_options.Folder} cannot be made: {e.Message}", e);
        }
        foreach (Topic topic in context.Topics)
        {
            TopicFormat format = _formats.FirstOrDefault(f => f.Topic == topic.Name)
                ?? throw new ConfigurationException(
                    $"jsonl: nobody says what the records of '{topic.Name}' are.");
            for (int p = 0; p < topic.Partitions; p++)
            {
                string name = topic.Partitions == 1 ? topic.Name : $"{topic.Name}.{p}";
                _files[topic[p]] = new JsonlFile(_options, name, format.CreateJson(), context.Cursor(name));
            }
        }
    }

    /// <inheritdoc/>
    public long? Position(Topic topic, int partition) => null;

    /// <inheritdoc/>
    public int Write(Topic topic, LogBatch batch, SinkRejections rejections)
    {
        JsonlFile file = _files[batch.Partition];
        int count = 0;
        while (batch.TryRead(out LogRecord record))
        {
            try
            {
                file.Write(record);
                count++;
            }
            catch (SerializationException e)
            {
                rejections.Add(topic, batch.Partition.Partition, record, e);
            }
        }
        return count;
    }

    /// <inheritdoc/>
    public void Commit(IReadOnlyDictionary<TopicPartition, long> positions, SinkCursors cursors)
    {
        foreach (JsonlFile file in _files.Values)
            file.Commit(cursors);
    }

    /// <inheritdoc/>
    public long? StoredBytes()
    {
        try
        {
            return new DirectoryInfo(_options.Folder).EnumerateFiles("*.jsonl").Sum(file => file.Length);
        }
        catch (IOException)
        {
            // Somebody took a file away meanwhile.
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (JsonlFile file in _files.Values)
            file.Dispose();
        _files.Clear();
    }
}
