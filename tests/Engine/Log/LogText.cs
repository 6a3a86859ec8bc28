using System.Text;
using Streams.Log;

namespace Streams.Tests.Engine.Log;

/// <summary>Records of text, so that a test says in one line what it writes and what it expects.</summary>
internal static class LogText
{
    /// <summary>Adds a record; a null key or value is an absent one.</summary>
    public static void Append(this ILogWriter writer, TopicPartition partition, string? key, string? value, long timestampMs = 0)
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
        using LogBatch batch = reader.CreateBatch();
        var all = new List<string>();
        while (reader.Read(partition, offset, batch))
        {
            while (batch.TryRead(out LogRecord record))
                all.Add($"{record.Offset}:{Text(record.HasKey, record.Key)}={Text(record.HasValue, record.Value)}");
            Assert(batch.NextOffset > offset);
            offset = batch.NextOffset;
        }
        return all;
    }

    private static string Text(bool isThere, ReadOnlySpan<byte> bytes) => isThere ? Encoding.UTF8.GetString(bytes) : "-";

    private static void Assert(bool holds) => Xunit.Assert.True(holds, "A read that returned records did not advance.");
}
