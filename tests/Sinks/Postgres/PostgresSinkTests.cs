using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Log;
using Streams.Processing;
using Streams.Records;
using Streams.Sinks.Postgres;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Sinks.Postgres;

/// <summary>CSIC-022, CSIC-110: rows in PostgreSQL, each once, in exact types. On a real server.</summary>
public sealed class PostgresSinkTests(PostgresServers servers) : IDisposable
{
    private const long FarNs = 5_000_000_000_000_000_000;

    private readonly PostgresRun _run = new(servers.Postgres);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Records_become_rows_once_however_often_the_sink_is_opened(bool staged)
    {
        _run.Add("a", 1);
        _run.Deliver(staged);
        _run.Add("b", 1);
        _run.Deliver(staged);
        _run.Deliver(staged);
        Assert.Equal(["a|1", "b|1"], _run.Query("SELECT device, number FROM readings ORDER BY 1"));
        Assert.Equal(2, _run.Number("SELECT next_offset FROM streams_offsets"));
        Assert.Equal(3, _run.Number("SELECT epoch FROM streams_offsets"));
    }

    [Fact]
    public void Values_arrive_exactly_and_in_the_types_of_the_database()
    {
        _run.Add("a", long.MinValue, r =>
        {
            r.TimeNs = 1_700_000_000_123_456_789;
            r.Large = ulong.MaxValue;
            r.Wei = UInt256.MaxValue;
            r.Hash = new Bytes32([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);
            r.Raw = new Bytes([0, 255]);
            r.Level = 0.1;
            r.IsGood = true;
            r.Count = uint.MaxValue;
            r.Note = new Text("ß\t\\N\"");
            r.Tags.Add(new Text("x"));
            r.Tags.Add(new Text("y"));
        });
        _run.Deliver();
        Assert.Equal(
            [
                "-9223372036854775808|2023-11-14 22:13:20.123456+00|1700000000123456789|" +
                "18446744073709551615|" +
                "115792089237316195423570985008687907853269984665640564039457584007913129639935|" +
                "115792089237316195423570985008687907853269984665640564039457.584007913129639935|" +
                "\\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f|\\x00ff|0.1|t|" +
                "4294967295|NULL|ß\t\\N\"|holds|x",
            ],
            _run.Query("SET timezone = 'UTC'; SELECT number, at, time_ns, large, wei, ether, hash, raw, " +
                "level, is_good, count, maybe, note, state, first_tag FROM readings"));
        Assert.Equal(
            ["a|-9223372036854775808|0|x", "a|-9223372036854775808|1|y"],
            _run.Query("SELECT device, number, position, value FROM reading_tags ORDER BY position"));
        Assert.Equal(
            ["t|t"],
            _run.Query("SELECT hash_id = streams_uuid(hash), device_id = streams_uuid(sha256('a'::bytea)) " +
                "FROM readings"));
    }

    [Fact]
    public void Every_number_is_the_one_that_the_server_would_read_from_its_digits()
    {
        var random = new Random(81);
        var expected = new List<string>();
        for (int i = 0; i < 600; i++)
        {
            var wei = new UInt256(
                Part(random, i), i % 3 > 0 ? Part(random, i) : 0, i % 5 > 2 ? Part(random, i) : 0,
                i % 7 > 4 ? Part(random, i) : 0);
            // Instants before 1970 and between microseconds too.
            long time = i % 2 == 0 ? random.NextInt64(-FarNs, FarNs) : i - 300;
            _run.Add("n", i, r => (r.Wei, r.TimeNs) = (wei, time));
            expected.Add(string.Create(CultureInfo.InvariantCulture, $"({i}, {wei}, {time})"));
        }
        _run.Deliver();
        Assert.Equal(
            ["600|0"],
            _run.Query($"""
                SELECT count(*), count(*) FILTER (WHERE r.wei <> v.wei OR r.wei::text <> v.wei::text
                  OR r.ether * 1000000000000000000 <> v.wei OR scale(r.ether) <> 18
                  OR extract(epoch FROM r.at) * 1000000 <> floor(v.ns / 1000.0))
                FROM (VALUES {string.Join(", ", expected)}) v (n, wei, ns)
                JOIN readings r ON r.number = v.n
                """));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_further_record_of_a_key_replaces_its_row_and_its_list(bool staged)
    {
        _run.Add("a", 1, r => Tag(r, "x", "y"));
        _run.Deliver(staged);
        _run.Add("a", 1, r => Tag(r, "z"));
        _run.Add("b", 1);
        _run.Deliver(staged);
        Assert.Equal(["a|z", "b|NULL"], _run.Query("SELECT device, first_tag FROM readings ORDER BY 1"));
        Assert.Equal(["z"], _run.Query("SELECT value FROM reading_tags"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_several_records_of_a_key_in_one_commit_the_last_counts(bool staged)
    {
        _run.Add("a", 1, r => Tag(r, "x", "y"));
        _run.Retract("a", 1);
        _run.Add("a", 1, r => Tag(r, "z"));
        _run.Add("b", 1, r => Tag(r, "q"));
        _run.Retract("b", 1);
        _run.Add("c", 1);
        _run.Add("c", 1, r => r.Note = new Text("second"));
        _run.Deliver(staged);
        Assert.Equal(["a|", "c|second"], _run.Query("SELECT device, note FROM readings ORDER BY 1"));
        Assert.Equal(["z"], _run.Query("SELECT value FROM reading_tags"));
    }

    [Fact]
    public void A_retracted_record_deletes_its_row_and_may_come_again()
    {
        _run.Add("a", 1, r => Tag(r, "x"));
        _run.Add("b", 1, r => Tag(r, "y"));
        _run.Deliver();
        _run.Retract("a", 1);
        _run.Retract("never", 1);
        _run.Deliver();
        Assert.Equal(["b"], _run.Query("SELECT device FROM readings"));
        Assert.Equal(["y"], _run.Query("SELECT value FROM reading_tags"));
        _run.Add("a", 1, r => Tag(r, "z"));
        _run.Deliver();
        Assert.Equal(["y", "z"], _run.Query("SELECT value FROM reading_tags ORDER BY 1"));
    }

    [Fact]
    public void Rows_without_a_key_are_only_added()
    {
        _run.Mapping = PostgresRun.Added;
        _run.Add("a", 1);
        _run.Add("a", 1);
        _run.Deliver();
        _run.Add("a", 1);
        _run.Deliver();
        Assert.Equal(3, _run.Number("SELECT count(*) FROM readings"));
    }

    [Fact]
    public void What_was_not_committed_is_written_again_and_not_doubled()
    {
        _run.Mapping = PostgresRun.Added;
        _run.Add("a", 1);
        using (PostgresSink sink = _run.Make())
            _run.Write(sink, _run.Open(sink));
        Assert.Equal(0, _run.Number("SELECT count(*) FROM readings"));
        _run.Deliver();
        Assert.Equal(1, _run.Number("SELECT count(*) FROM readings"));
    }

    [Fact]
    public void The_transaction_of_a_writer_that_another_followed_fails()
    {
        _run.Mapping = PostgresRun.Added;
        _run.Add("a", 1);
        using PostgresSink older = _run.Make();
        long from = _run.Open(older);
        long to = _run.Write(older, from);
        _run.Deliver();
        var e = Assert.Throws<SinkFencedException>(() => _run.Commit(older, to));
        Assert.Contains("another process has taken over", e.Message, StringComparison.Ordinal);
        older.Dispose();
        Assert.Equal(
            ["1|1"], _run.Query("SELECT (SELECT count(*) FROM readings), next_offset FROM streams_offsets"));
    }

    [Fact]
    public void Results_of_another_log_under_the_same_name_are_refused()
    {
        _run.Add("a", 1);
        _run.Deliver();
        _run.Execute("UPDATE streams_offsets SET log_id = 'other'");
        var e = Assert.Throws<ConfigurationException>(() => _run.Deliver());
        Assert.Contains("results of another log", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_that_violate_a_constraint_become_dead_letters_and_all_others_land()
    {
        _run.Deliver();
        _run.Execute("ALTER TABLE readings ADD CONSTRAINT plausible CHECK (level < 100)");
        for (int i = 0; i < 1000; i++)
            _run.Add("a", i, r => r.Level = i is 0 or 500 or 501 or 999 ? 100 : 1);
        _run.Deliver();
        Assert.Equal(996, _run.Number("SELECT count(*) FROM readings"));
        Assert.Equal(1000, _run.Number("SELECT next_offset FROM streams_offsets"));
        List<(long Offset, string Detail)> letters = _run.DeadLetters();
        Assert.Equal([0, 500, 501, 999], letters.Select(l => l.Offset));
        Assert.All(
            letters, l => Assert.Contains("\"plausible\" (23514)", l.Detail, StringComparison.Ordinal));
        _run.Deliver();
        Assert.Equal(4, _run.DeadLetters().Count);
    }

    [Fact]
    public void A_refused_record_leaves_the_row_of_its_key_that_was_there_before()
    {
        _run.Deliver();
        _run.Execute("ALTER TABLE readings ADD CONSTRAINT plausible CHECK (level < 100)");
        _run.Add("a", 1, r => Tag(r, "good"));
        _run.Add("a", 1, r =>
        {
            r.Level = 100;
            Tag(r, "bad");
        });
        _run.Add("b", 1);
        _run.Deliver();
        Assert.Equal(["a|good", "b|NULL"], _run.Query("SELECT device, first_tag FROM readings ORDER BY 1"));
        Assert.Equal([1], _run.DeadLetters().Select(l => l.Offset));
    }

    [Fact]
    public void Bytes_and_texts_that_no_row_can_hold_become_dead_letters_in_their_order()
    {
        _run.Deliver();
        _run.Execute("ALTER TABLE readings ADD CONSTRAINT plausible CHECK (level < 100)");
        _run.Add("a", 1, r => r.Level = 100);
        _run.AddBytes("no record"u8);
        _run.Add("b", 1, r => r.Note = new Text("zero\0"));
        _run.Add("c", 1, r => r.Level = 100);
        _run.Add("d", 1);
        _run.Deliver();
        Assert.Equal(["d"], _run.Query("SELECT device FROM readings"));
        Assert.Equal([0, 1, 2, 3], _run.DeadLetters().Select(l => l.Offset));
        Assert.Contains("zero character", _run.DeadLetters()[2].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_policy_is_to_stop_a_refused_row_stops_the_sink()
    {
        _run.Deliver();
        _run.Execute("ALTER TABLE readings ADD CONSTRAINT plausible CHECK (level < 100)");
        _run.Add("a", 1, r => r.Level = 100);
        using PostgresSink sink = _run.Make();
        long from = _run.Open(sink);
        var e = Assert.Throws<RecordRejectedException>(
            () => _run.Write(sink, from, new SinkOptions { RejectedRecords = FailurePolicy.Fail }));
        Assert.Contains("offset 0 of readings 0", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_waits_in_memory_is_sent_before_it_exceeds_its_bound()
    {
        _run.Options = _run.Options with { CopyBytesMax = 4096 };
        for (int i = 0; i < 2000; i++)
            _run.Add("a", i, r => r.Note = new Text(new string('x', 50)));
        _run.Deliver();
        Assert.Equal(2000, _run.Number("SELECT count(*) FROM readings"));
    }

    [Fact]
    public void Encoding_a_record_allocates_nothing()
    {
        var writer = new PostgresRecordWriter<Reading>(RecordSerde.Protobuf<Reading>());
        using var rows = new PostgresRows(
            PostgresRun.Keyed, Streams.Records.Relational.RelationalModel.Of<Reading>(), partitionsMax: 10);
        using var pending = new PendingRecords(_run.Topic, writer, [rows]);
        using var value = new Streams.Buffers.PooledBuffer();
        var reading = new Reading
        {
            Device = new Text("a"),
            Wei = UInt256.MaxValue,
            Large = 7,
            Note = new Text("n"),
        };
        Tag(reading, "x", "y");
        RecordSerde.Protobuf<Reading>().Serialize(reading, value);
        using var rejections = new SinkRejections(
            "sink", _run.Log, new SinkOptions(), NullLogger.Instance);
        void Fill()
        {
            for (int i = 0; i < 100; i++)
                pending.Add(0, new LogRecord { TimestampMs = 0, HasValue = true, Value = value.WrittenSpan });
            pending.Mappings[0].Choose(0, pending.Count, pending);
            pending.Clear(rejections);
        }
        Allocation.AssertNone(Fill, warmupRuns: 20, measuredRuns: 100);
    }

    public void Dispose() => _run.Dispose();

    private static void Tag(Reading reading, params string[] tags)
    {
        foreach (string tag in tags)
            reading.Tags.Add(new Text(tag));
    }

    private static ulong Part(Random random, int i) => i % 11 == 0 ? ulong.MaxValue
        : (ulong)random.NextInt64() >> random.Next(64);
}
