using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Streams.Telemetry;
using Streams.Testing;
using Streams.Tests.Engine.Log;
using Xunit;

namespace Streams.Tests.Engine.Processing;

/// <summary>A task waits for records that a log that fetches ahead knows of, or may know of soon.</summary>
public sealed class InputLagTests : IDisposable
{
    private readonly VirtualClock _clock = new();
    private readonly EmbeddedLog _log;
    private readonly FetchingReader _reader;
    private readonly ILogWriter _writer;
    private readonly ILogWriter _input;
    private readonly List<string> _seen = [];
    private StreamTask? _task;

    public InputLagTests()
    {
        _log = EmbeddedLog.Open(new EmbeddedLogOptions
        {
            Directory = "memory",
            FileSystem = new MemoryFileSystem(),
            Manual = true,
        });
        _log.EnsureTopic(new TopicSpec { Name = "a" });
        _log.EnsureTopic(new TopicSpec { Name = "b" });
        _reader = new FetchingReader(_log);
        _writer = _log.OpenWriter("task");
        _input = _log.OpenWriter("input");
    }

    private TopicPartition A => _log.FindTopic("a")![0];

    private TopicPartition B => _log.FindTopic("b")![0];

    [Fact]
    public void Nothing_is_processed_before_every_partition_was_heard_of()
    {
        StreamTask task = Start(TimeSpan.Zero);
        Append(A, "1", 10);
        _reader.Fetch(A);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, task.Process(_reader, 100));
        _reader.Hear(B);
        Assert.Equal(1, task.Process(_reader, 100));
    }

    [Fact]
    public void Records_that_are_known_to_be_there_are_waited_for_without_a_bound()
    {
        StreamTask task = Start(TimeSpan.Zero);
        Append(A, "1", 10);
        Append(B, "2", 5);
        _reader.Fetch(A);
        _reader.Hear(B);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, task.Process(_reader, 100));
        InputFigures holder = task.Inputs.Single(i => i.Partition == B).Figures;
        Assert.Equal(("b", "0"), (holder.Topic, holder.Partition));
        Assert.NotNull(holder.HoldsSince);
        _reader.Fetch(B);
        Assert.Equal(2, task.Process(_reader, 100));
        Assert.Null(holder.HoldsSince);
        Assert.Equal(["2", "1"], _seen);
    }

    [Fact]
    public void Below_zero_nobody_is_waited_for()
    {
        StreamTask task = Start(TimeSpan.FromMilliseconds(-1));
        Append(A, "1", 10);
        Append(B, "2", 5);
        _reader.Fetch(A);
        Assert.Equal(1, task.Process(_reader, 100));
        Assert.Equal(["1"], _seen);
    }

    [Fact]
    public void The_partition_that_holds_and_the_one_that_was_given_up_on_are_named()
    {
        StreamTask task = Start(TimeSpan.FromSeconds(2));
        InputFigures silent = task.Inputs.Single(i => i.Partition == B).Figures;
        Append(A, "1", 10);
        _reader.Fetch(A);
        _reader.Hear(B);
        task.Process(_reader, 100);
        long since = silent.HoldsSince!.Value;
        _clock.Advance(TimeSpan.FromSeconds(1));
        task.Process(_reader, 100);
        Assert.Equal(TimeSpan.FromSeconds(1), _clock.GetElapsedTime(since));
        Assert.Equal((since, false), (silent.HoldsSince, silent.IsIdle));
        _clock.Advance(TimeSpan.FromSeconds(1));
        task.Process(_reader, 100);
        Assert.Equal((null, true), (silent.HoldsSince, silent.IsIdle));
        Append(B, "2", 11);
        _reader.Fetch(B);
        task.Process(_reader, 100);
        Assert.False(silent.IsIdle);
    }

    public void Dispose()
    {
        _task?.Dispose();
        _input.Dispose();
        _writer.Dispose();
        _reader.Dispose();
        _log.Dispose();
    }

    private StreamTask Start(TimeSpan maxTaskIdle)
    {
        var consumed = new Consumed<string, string>(Serdes.String, Serdes.String);
        var builder = new StreamsBuilder();
        builder.Stream("a", consumed).Merge(builder.Stream("b", consumed))
            .ForEach((_, value) => _seen.Add(value));
        var definition = new ApplicationDefinition
        {
            Id = "test",
            Topology = builder.Build(),
            DataFolder = "",
            Runtime = new RuntimeOptions { MaxTaskIdle = maxTaskIdle },
        };
        TaskId id = Assert.Single(new TopicSetup(definition, _log).Prepare());
        var environment = new TaskEnvironment(
            "test", _log, new LogRoom(), "", definition.Runtime, _clock);
        _task = new StreamTask(id, definition.Topology.Parts[0], environment, _writer);
        _task.Restore(_log, _reader, CancellationToken.None);
        return _task;
    }

    private void Append(TopicPartition partition, string value, long timestampMs)
    {
        _input.Append(partition, "key", value, timestampMs: timestampMs);
        _input.Commit();
    }
}
