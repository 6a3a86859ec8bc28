using Streams.Log;
using Streams.Records;

namespace Streams.Errors;

/// <summary>A dead letter and where it lies.</summary>
/// <param name="Topic">The topic of the letter.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Offset">Its offset.</param>
/// <param name="Letter">What it says.</param>
public sealed record StoredLetter(Topic Topic, int Partition, long Offset, DeadLetter Letter)
{
    private static readonly Serde<DeadLetter> Serde = RecordSerde.Protobuf<DeadLetter>();

    /// <summary>Reads the letters of a partition that there are now.</summary>
    /// <param name="reader">Reads the log.</param>
    /// <param name="topic">A topic of letters.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="from">The first offset.</param>
    /// <param name="end">One past the last one.</param>
    /// <exception cref="SerializationException">The topic holds something else.</exception>
    public static IEnumerable<StoredLetter> Read(
        ILogReader reader, Topic topic, int partition, long from, long end)
    {
        using LogBatch batch = reader.CreateBatch();
        while (from < end && reader.ReadOrWait(topic[partition], from, batch))
        {
            foreach (StoredLetter letter in ReadBatch(batch, topic, partition, end))
                yield return letter;
            from = batch.NextOffset;
        }
    }

    private static List<StoredLetter> ReadBatch(LogBatch batch, Topic topic, int partition, long end)
    {
        var letters = new List<StoredLetter>();
        while (batch.TryRead(out LogRecord record))
        {
            if (record.Offset < end)
                letters.Add(new StoredLetter(
                    topic, partition, record.Offset, Serde.Deserialize(record.Value)));
        }
        return letters;
    }
}
