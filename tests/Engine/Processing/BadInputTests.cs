using System.Globalization;
using Streams.Buffers;
using Streams.Connect;
using Streams.Dsl;
using Streams.Errors;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Testing;
using Streams.Tests.Engine.Dsl;
using Xunit;

namespace Streams.Tests.Engine.Processing;

/// <summary>Each kind of bad input, and each limit, has an error that says what, where and what to do; or the
/// record is left out and counted (<see cref="LateRecordTests"/> for those that lack a key or a
/// value).</summary>
public sealed class BadInputTests
{
    private static readonly TestDriverOptions Strict = new()
    {
        Runtime = new RuntimeOptions { DecodingFailures = FailurePolicy.Fail },
    };

    private static readonly TestDriverOptions Lenient = new()
    {
        Runtime = new RuntimeOptions
        {
            DecodingFailures = FailurePolicy.DeadLetter,
            ProcessingFailures = FailurePolicy.DeadLetter,
        },
    };

    [Fact]
    public void A_value_that_is_too_large_for_its_topic()
    {
        static void Write(StreamsBuilder b)
        {
            b.Topic(new TopicSpec { Name = "out", RecordBytesMax = 1_000 });
            b.Stream("a", DslRun.Text).MapValues((_, v) => new string('x', (int)TimeOf(v)))
                .To("out", DslRun.TextOut);
        }
        using (var strict = new DslRun(Write, Strict))
            AssertStops(
                () => strict.Pipe("a", "k", "2000", 1), typeof(RecordTooLargeException),
                "'KSTREAM-SINK-a-0' cannot process the record at offset 0 of a 0", "2,0", "1,000",
                "runtime.processing_failures to dead_letter");
        using var lenient = new DslRun(Write, Lenient);
        lenient.Pipe("a", "k", "2000", 1);
        lenient.Pipe("a", "k", "3", 2);
        Assert.Equal(["k=xxx@2"], lenient.Read());
        Assert.Equal("RecordTooLargeException", Letter(lenient, "a").Reason.ToString());
    }

    [Fact]
    public void A_timestamp_before_1970_is_left_out()
    {
        using var run = new DslRun(
            b => b.Stream("a", DslRun.Text with { TimestampExtractor = (in r, _) => TimeOf(r.Value) })
                .To("out"), Strict);
        run.Pipe("a", "k", "-1", 0);
        run.Pipe("a", "k", "7", 0);
        Assert.Equal(["k=7@7"], run.Read());
    }

    [Theory]
    [InlineData("253402300800000")]
    [InlineData("1700000000000000000")]
    [InlineData("9223372036854775807")]
    public void A_timestamp_after_the_year_9999(string timestampMs)
    {
        static void Write(StreamsBuilder b) => b
            .Stream("a", DslRun.Text with { TimestampExtractor = (in r, _) => TimeOf(r.Value) })
            .GroupByKey().WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromSeconds(1))).Count()
            .ToStream().Map((window, count) => (window.Key, $"{count}")).To("out", DslRun.TextOut);
        using (var strict = new DslRun(Write, Strict))
            AssertStops(
                () => strict.Pipe("a", "k", timestampMs, 0), typeof(InvalidDataException),
                "The record at offset 0 of a 0 cannot be decoded", timestampMs, "after the year 9999",
                "runtime.decoding_failures");
        using var lenient = new DslRun(Write, Lenient);
        lenient.Pipe("a", "k", timestampMs, 0);
        lenient.Pipe("a", "k", "253402300799999", 0);
        // The record that was refused did not make this one late.
        Assert.Equal(["k=1@253402300799999"], lenient.Read());
        Assert.Equal("decode", Letter(lenient, "a").Stage.ToString());
    }

    [Fact]
    public void A_timestamp_far_ahead_of_its_partition_is_left_out_where_that_is_asked_for()
    {
        using var run = new DslRun(b => b
            .Stream("a", DslRun.Text with
            {
                TimestampExtractor = TimestampExtractors.NoFurtherAheadThan<string, string>(
                    TimeSpan.FromMilliseconds(100)),
            })
            .To("out"));
        run.Pipe("a", "k", "1", 1000);
        run.Pipe("a", "k", "2", 1101);
        run.Pipe("a", "k", "3", 1100);
        run.Driver.Restart();
        run.Pipe("a", "k", "4", 1201);
        run.Pipe("a", "k", "5", 1200);
        Assert.Equal(["k=1@1000", "k=3@1100", "k=5@1200"], run.Read());
    }

    [Fact]
    public void A_record_without_a_time_takes_its_partitions_where_that_is_asked_for()
    {
        using var run = new DslRun(b => b
            .Stream("a", DslRun.Text with
            {
                TimestampExtractor = TimestampExtractors.PartitionTimeWhereInvalid<string, string>(),
            })
            .To("out"));
        run.Pipe("a", "k", "too early", -1);
        run.Pipe("a", "k", "1", 1000);
        run.Pipe("a", "k", "2", -1);
        Assert.Equal(["k=1@1000", "k=2@1000"], run.Read());
    }

    [Fact]
    public void A_store_over_its_limit()
    {
        using var run = new DslRun(b => b.Stream("a", DslRun.Text).GroupByKey()
            .Count(new Materialized<string, long> { StoreName = "small", StateBytesMax = 2 << 20 }), Lenient);
        string message = Assert.Throws<StateLimitException>(() =>
        {
            for (int i = 0; i < 100_000; i++)
                run.Pipe("a", $"key {i}{new string('-', 5_000)}", "v", i);
        }).Message;
        Assert.Contains("'KSTREAM-AGGREGATE-a-0' cannot keep", message, StringComparison.Ordinal);
        Assert.Contains("(stores: small)", message, StringComparison.Ordinal);
        Assert.Contains("may hold 2,097,152. Raise its StateBytesMax", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_topic_to_read_that_does_not_exist()
    {
        var builder = new StreamsBuilder();
        builder.Stream("missing", DslRun.Text).To("out");
        using EmbeddedLog log = OpenLog();
        log.EnsureTopic(new TopicSpec { Name = "there" });
        string message = Assert.Throws<TopologyException>(() => new TopicSetup(
            new() { Id = "test", Topology = builder.Build(), DataFolder = "" }, log).Prepare()).Message;
        Assert.StartsWith("The topic 'missing' does not exist. Topics: ", message, StringComparison.Ordinal);
        Assert.Contains("there", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_computed_topic_that_does_not_exist()
    {
        static void Write(StreamsBuilder b) => b.Topic(new TopicSpec { Name = "out" })
            .Stream("a", DslRun.Text).To((in r) => r.Value, DslRun.TextOut);
        using (var strict = new DslRun(Write, Strict))
            AssertStops(
                () => strict.Pipe("a", "k", "nowhere", 1), typeof(TopologyException),
                "'KSTREAM-SINK-a-0' cannot process the record at offset 0 of a 0",
                "The topic 'nowhere' does not exist");
        using var lenient = new DslRun(Write, Lenient);
        lenient.Pipe("a", "k", "nowhere", 1);
        lenient.Pipe("a", "k", "out", 2);
        Assert.Equal(["k=out@2"], lenient.Read());
        Assert.Equal("nowhere", System.Text.Encoding.UTF8.GetString(Letter(lenient, "a").Value!.Value.Span));
    }

    [Fact]
    public void A_codec_that_throws_when_it_reads()
    {
        static void Write(StreamsBuilder b) => b
            .Stream("a", new Consumed<string, string>(Serdes.String, new Moody())).To("out", DslRun.TextOut);
        using (var strict = new DslRun(Write, Strict))
            AssertStops(
                () => strict.Pipe("a", "k", "unreadable", 1), typeof(NotSupportedException),
                "The record at offset 0 of a 0 cannot be decoded", "in no mood",
                "runtime.decoding_failures to dead_letter");
        using var lenient = new DslRun(Write, Lenient);
        lenient.Pipe("a", "k", "unreadable", 1);
        lenient.Pipe("a", "k", "fine", 2);
        Assert.Equal(["k=fine@2"], lenient.Read());
        Assert.Equal(("decode", "NotSupportedException"), (
            Letter(lenient, "a").Stage.ToString(), Letter(lenient, "a").Reason.ToString()));
    }

    [Fact]
    public void A_codec_that_throws_when_it_writes()
    {
        static void Write(StreamsBuilder b) => b.Stream("a", DslRun.Text)
            .To("out", new Produced<string, string> { ValueSerde = new Moody(), Name = "moody-sink" });
        using (var strict = new DslRun(Write, Strict))
            AssertStops(
                () => strict.Pipe("a", "k", "unwritable", 1), typeof(NotSupportedException),
                "'moody-sink' cannot process the record at offset 0 of a 0", "in no mood");
        using var lenient = new DslRun(Write, Lenient);
        lenient.Pipe("a", "k", "unwritable", 1);
        lenient.Pipe("a", "k", "fine", 2);
        Assert.Equal(["k=fine@2"], lenient.Read());
        Assert.Equal("moody-sink", Letter(lenient, "a").Operator.ToString());
    }

    [Fact]
    public void User_code_that_throws_is_named_with_the_record()
    {
        static void Write(StreamsBuilder b) => b.Stream("a", DslRun.Text)
            .MapValues((_, v) => v == "bad" ? throw new FormatException("Not this one.") : v, "picky")
            .To("out", DslRun.TextOut);
        using (var strict = new DslRun(Write, Strict))
        {
            strict.Pipe("a", "k", "fine", 1);
            AssertStops(
                () => strict.Pipe("a", "k", "bad", 2), typeof(FormatException),
                "'picky' cannot process the record at offset 1 of a 0: FormatException: Not this one.",
                "'streams tap a'");
        }
        using var lenient = new DslRun(Write, Lenient);
        lenient.Pipe("a", "k", "bad", 1);
        Assert.Equal("picky", Letter(lenient, "a").Operator.ToString());
    }

    [Fact]
    public void A_topology_that_reads_nothing_or_has_an_unconnected_node_or_an_unused_store()
    {
        AssertRefused("The topology reads no topic.", _ => { });
        AssertRefused("is not connected to any source", b =>
        {
            b.Stream("a", DslRun.Text).To("out");
            b.Add(new SinkNode<string, string>(
                b.NextId, "lonely", "nowhere", false, null, Serdes.String, Serdes.String, null));
        });
        AssertRefused("The store 'idle' is used by no node", b =>
        {
            b.AddStateStore(Stores.Bytes(new StoreOptions { Name = "idle" }));
            b.Stream("a", DslRun.Text).To("out");
        });
        AssertRefused("uses a store 'none' that nobody added", b => b.Stream("a", DslRun.Text)
            .ProcessValues<string>(
                () => throw new InvalidOperationException(), new ProcessOptions(null, "none")));
        AssertRefused("The topic 'a' is read by", b =>
        {
            b.Stream("a", DslRun.Text);
            b.Stream("a", DslRun.Text);
        });
    }

    [Fact]
    public void A_topology_with_a_cycle()
    {
        var builder = new StreamsBuilder();
        KStream<string, string> stream = builder.Stream("a", DslRun.Text);
        KStream<string, string> first = stream.Filter((_, _) => true, "first");
        KStream<string, string> second = first.Filter((_, _) => true, "second");
        // No operator can be put before itself: this is how it would look.
        second.Output.Attach((IGraphInput<string, string>)stream.Output.Nodes.Single());
        string message = Assert.Throws<TopologyException>(builder.Build).Message;
        Assert.Contains("first -> second -> first", message, StringComparison.Ordinal);
        Assert.Contains("through a topic", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Topics_of_a_join_with_different_numbers_of_partitions()
    {
        static void Write(StreamsBuilder b, Action<KStream<string, string>, StreamsBuilder> join)
        {
            b.Topic(new TopicSpec { Name = "a", Partitions = 4 });
            b.Topic(new TopicSpec { Name = "b", Partitions = 6 });
            join(b.Stream("a", DslRun.Text), b);
        }
        Action<KStream<string, string>, StreamsBuilder>[] joins =
        [
            (stream, b) => stream.Join(
                b.Stream("b", DslRun.Text), (_, l, r) => l + r,
                JoinWindows.OfTimeDifferenceWithNoGrace(TimeSpan.FromSeconds(1))),
            (stream, b) => stream.Join(b.Table("b", DslRun.Text), (_, l, r) => l + r),
            (stream, b) => stream.ToTable().Join(b.Table("b", DslRun.Text), (_, l, r) => l + r),
        ];
        foreach (Action<KStream<string, string>, StreamsBuilder> join in joins)
        {
            string message = Assert.Throws<TopologyException>(
                () => new DslRun(b => Write(b, join)).Dispose()).Message;
            Assert.Contains("'a' has 4, 'b' has 6", message, StringComparison.Ordinal);
            Assert.Contains("Repartition", message, StringComparison.Ordinal);
        }
    }

    private static void AssertRefused(string expected, Action<StreamsBuilder> write)
    {
        var builder = new StreamsBuilder();
        string message = Assert.Throws<TopologyException>(() =>
        {
            write(builder);
            builder.Build();
        }).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    private static void AssertStops(Action pipe, Type reason, params string[] expected)
    {
        RecordFailedException failure = Assert.Throws<RecordFailedException>(pipe);
        Assert.IsType(reason, failure.InnerException);
        foreach (string part in expected)
            Assert.Contains(part, failure.Message, StringComparison.Ordinal);
    }

    private static long TimeOf(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static DeadLetter Letter(DslRun run, string topic)
    {
        Serde<DeadLetter> serde = RecordSerde.Protobuf<DeadLetter>();
        return Assert.Single(run.Driver.CreateOutputTopic(
            DeadLetter.TopicOf(topic), Serdes.String, serde).ReadAll()).Value;
    }

    private static EmbeddedLog OpenLog() =>
        EmbeddedLog.Open(new EmbeddedLogOptions
        {
            Directory = "memory",
            FileSystem = new MemoryFileSystem(),
            Manual = true,
        });

    /// <summary>A codec that throws what no codec should.</summary>
    private sealed class Moody : Serde<string>
    {
        public override string Name => "moody";

        public override void Serialize(in string value, PooledBuffer destination)
        {
            if (value == "unwritable")
                throw new NotSupportedException("I am in no mood to write this.");
            Serdes.String.Serialize(value, destination);
        }

        public override void Deserialize(ReadOnlySpan<byte> source, ref string value)
        {
            Serdes.String.Deserialize(source, ref value);
            if (value == "unreadable")
                throw new NotSupportedException("I am in no mood to read this.");
        }
    }
}
