using Streams.Connect;
using Streams.Errors;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Records;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Connect;

/// <summary>What a source emits does not depend on where it was interrupted (CSIC-114, invariant
/// 2).</summary>
public sealed class SourceOutputTests : IDisposable
{
    private readonly EmbeddedLog _log = EmbeddedLog.Open(new EmbeddedLogOptions
    {
        Directory = "memory",
        FileSystem = new MemoryFileSystem(),
        DiskFreeBytesMin = 0,
        Manual = true,
    });

    public void Dispose() => _log.Dispose();

    [Fact]
    public void A_dead_letter_has_the_time_of_the_record_before_it_after_a_restart_too()
    {
        _log.EnsureTopic(new TopicSpec { Name = "t" });
        Topic letters = _log.EnsureTopic(new TopicSpec { Name = "t" + DeadLetterTopics.Suffix });
        Run(output =>
        {
            output.DeadLetter("file", "reason", "before any record", [1]);
            output.Emit(new Record<string, string>("k", "v", 5_000));
            output.DeadLetter("file", "reason", "in the same run", [2]);
        });
        Run(output => output.DeadLetter("file", "reason", "in the next run", [3]));
        Assert.Equal([0, 5_000, 5_000], Times(letters));
    }

    private void Run(Action<SourceOutput<string, string>> read)
    {
        var binding = new SourceBinding<string, string>(
            "source", "t", Serdes.String, Serdes.String, () => throw new NotSupportedException());
        using ILogWriter writer = _log.OpenWriter("source");
        using var output = new SourceOutput<string, string>(binding, _log, writer, deadLetterBytesMax: 1024);
        read(output);
        output.PrepareCommit();
        writer.Commit();
    }

    private List<long> Times(Topic topic)
    {
        var times = new List<long>();
        using ILogReader reader = _log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (long offset = 0; reader.Read(topic[0], offset, batch); offset = batch.NextOffset)
        {
            while (batch.TryRead(out LogRecord record))
                times.Add(record.TimestampMs);
        }
        return times;
    }
}
