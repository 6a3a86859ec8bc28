using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Dsl;
using Streams.Errors;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Streams.Tests.Engine.Log;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Processing;

/// <summary>What becomes of a record that an operator throws at, in an application that runs.</summary>
public sealed class FailurePolicyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly EmbeddedLog _log;
    private bool _isRepaired;

    public FailurePolicyTests()
    {
        _log = EmbeddedLog.Open(new EmbeddedLogOptions { Directory = _folder.File("log") });
        TopicPartition input = _log.EnsureTopic(new TopicSpec { Name = "in" })[0];
        using ILogWriter writer = _log.OpenWriter("test");
        foreach (string value in new[] { "1", "2", "bad", "4" })
            writer.Append(input, "key", value, timestampMs: 1000);
        writer.Commit();
    }

    [Fact]
    public void Continue_leaves_it_out()
    {
        Assert.Null(Run(FailurePolicy.Continue));
        Assert.Equal(["10", "20", "40"], Values("out"));
        Assert.Null(_log.FindTopic("in.dead-letter"));
    }

    [Fact]
    public void Dead_letter_keeps_it_with_the_reason_and_the_place()
    {
        Assert.Null(Run(FailurePolicy.DeadLetter));
        Assert.Equal(["10", "20", "40"], Values("out"));
        Serde<DeadLetter> serde = RecordSerde.Protobuf<DeadLetter>();
        DeadLetter letter = Assert.Single(Read("in.dead-letter", value => serde.Deserialize(value)));
        Assert.Equal("process", letter.Stage.ToString());
        Assert.Equal("in", letter.Source.ToString());
        Assert.Equal((0, 2L), (letter.Partition, letter.Offset));
        Assert.Equal("FormatException", letter.Reason.ToString());
        Assert.Contains("'bad'", letter.Detail.ToString(), StringComparison.Ordinal);
        Assert.Equal("times-ten", letter.Operator.ToString());
        Assert.Equal("key"u8, letter.Key!.Value.Span);
        Assert.Equal("bad"u8, letter.Value!.Value.Span);
        Assert.Equal(1000, letter.TimestampMs);
    }

    [Fact]
    public void Fail_stops_before_it_and_a_repaired_operator_goes_on_with_it()
    {
        Exception failure = Run(FailurePolicy.Fail)!;
        Assert.IsType<RecordFailedException>(failure);
        Assert.IsType<FormatException>(failure.InnerException);
        _isRepaired = true;
        Assert.Null(Run(FailurePolicy.Fail));
        // Nothing of the failed attempt was committed, so nothing is there twice.
        Assert.Equal(["10", "20", "0", "40"], Values("out"));
    }

    public void Dispose()
    {
        _log.Dispose();
        _folder.Dispose();
    }

    private Exception? Run(FailurePolicy policy)
    {
        var builder = new StreamsBuilder();
        builder.Stream("in", new Consumed<string, string>(Serdes.String, Serdes.String))
            .MapValues((_, value) => TimesTen(value), "times-ten")
            .To("out", new Produced<string, string>
            {
                KeySerde = Serdes.String,
                ValueSerde = Serdes.String,
            });
        var definition = new ApplicationDefinition
        {
            Id = "test",
            Topology = builder.Build(),
            DataFolder = _folder.Path,
            Runtime = new RuntimeOptions
            {
                ProcessingFailures = policy,
                DecodingFailures = FailurePolicy.Fail,
            },
        };
        using var application = new StreamsApplication(definition, _log, NullLogger.Instance);
        application.Start();
        while (!application.IsDrained() && application.Failure is null)
            Thread.Sleep(2);
        application.Stop();
        return application.Failure;
    }

    private string TimesTen(string value) =>
        int.TryParse(value, out int number) ? $"{number * 10}"
        : _isRepaired ? "0"
        : throw new FormatException($"'{value}' is no number.");

    private List<string> Values(string topic) => Read(topic, System.Text.Encoding.UTF8.GetString);

    private List<T> Read<T>(string topic, Func<ReadOnlySpan<byte>, T> decode)
    {
        var values = new List<T>();
        using ILogReader reader = _log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        TopicPartition partition = _log.FindTopic(topic)![0];
        for (long offset = 0; reader.Read(partition, offset, batch); offset = batch.NextOffset)
        {
            while (batch.TryRead(out LogRecord record))
                values.Add(decode(record.Value));
        }
        return values;
    }
}
