using Streams.Buffers;

namespace Streams.Log.Embedded.Format;

/// <summary>The encoding of a topic's definition.</summary>
internal static class TopicCodec
{
    /// <summary>Appends the definition.</summary>
    /// <remarks>Numbers that may be absent are written plus one, so that zero says absent.</remarks>
    public static void Write(PooledBuffer destination, TopicSpec spec)
    {
        destination.WriteText(spec.Name);
        destination.WriteNumber(spec.Partitions);
        destination.WriteNumber(spec.Compacted ? 1 : 0);
        destination.WriteNumber(spec.Retention is { } retention ? (long)retention.TotalMilliseconds + 1 : 0);
        destination.WriteNumber(spec.RetentionBytes is { } bytes ? bytes + 1 : 0);
        destination.WriteNumber(spec.RecordBytesMax);
        destination.WriteNumber(spec.Schema is null ? 0 : 1);
        destination.WriteText(spec.Schema ?? "");
    }

    /// <summary>Reads a definition; null where the bytes are none.</summary>
    public static TopicSpec? TryRead(ReadOnlySpan<byte> payload)
    {
        var reader = new EntryReader(payload);
        string name = reader.ReadText();
        int partitions = reader.ReadIndex(int.MaxValue);
        bool compacted = reader.ReadNumber() == 1;
        long retentionMs = reader.ReadNumber() - 1;
        long retentionBytes = reader.ReadNumber() - 1;
        int recordBytesMax = reader.ReadIndex(int.MaxValue);
        bool hasSchema = reader.ReadNumber() == 1;
        string schema = reader.ReadText();
        if (reader.Failed || partitions < 1)
            return null;
        return new TopicSpec
        {
            Name = name,
            Partitions = partitions,
            Compacted = compacted,
            Retention = retentionMs >= 0 ? TimeSpan.FromMilliseconds(retentionMs) : null,
            RetentionBytes = retentionBytes >= 0 ? retentionBytes : null,
            RecordBytesMax = recordBytesMax,
            Schema = hasSchema ? schema : null,
        };
    }
}
