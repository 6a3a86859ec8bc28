using System.Text;
using Streams.Log;
using Xunit;

namespace Streams.Tests.Engine.Log;

/// <summary>Records of text, so that a test says in one line what it writes and what it expects.</summary>
internal static class LogText
{
    /// <summary>Adds a record; a null key or value is an absent one.</summary>
    public static void Append(
        this ILogWriter writer, TopicPartition partition, string? key, string? value, long timestampMs = 0)
    {
        byte[]? keyBytes = key is null ? null : Encoding.UTF8.GetBytes(key);
        byte[]? valueBytes = value is null ? null : Encoding.UTF8.GetBytes(value);
        writer.Append(partition, new LogRecord
        {
            TimestampMs = timestampMs,
            HasKey = keyBytes is not null,
            Key = keyBytes,
            HasValue = valueBytes is not null,
            Value = valueBytes,
        });
    }

    /// <summary>Adds a record and commits.</summary>
    public static long Commit(this ILogWriter writer, TopicPartition partition, string? key, string? value)
    {
        writer.Append(partition, key, value);
        return writer.Commit();
    }

    /// <summary>All records from an offset on, each as "offset:key=value".</summary>
    public static List<string> ReadAll(
        this ITopicLog log, TopicPartition partition, long offset = 0, ReadLevel level = ReadLevel.Committed)
    {
        using ILogReader reader = log.OpenReader(level);
        return reader.ReadAll(partition, offset);
    }

    /// <summary>All records that a reader sees from an offset on, each as "offset:key=value".</summary>
    public static List<string> ReadAll(this ILogReader reader, TopicPartition partition, long offset = 0)
    {
        using LogBatch batch = reader.CreateBatch();
        var all = new List<string>();
        while (reader.Read(partition, offset, batch))
        {
            while (batch.TryRead(out LogRecord record))
            {
                string key = Text(record.HasKey, record.Key);
                all.Add($"{record.Offset}:{key}={Text(record.HasValue, record.Value)}");
            }
            Assert.True(batch.NextOffset > offset, "A read that returned records did not advance.");
            offset = batch.NextOffset;
        }
        return all;
    }

    private static string Text(bool isThere, ReadOnlySpan<byte> bytes) =>
        isThere ? Encoding.UTF8.GetString(bytes) : "-";
}
