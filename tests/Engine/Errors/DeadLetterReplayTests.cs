using Streams.Dsl;
using Streams.Errors;
using Streams.Log;
using Streams.Processing;
using Streams.Records;
using Streams.Testing;
using Streams.Tests.Engine.Dsl;
using Xunit;

namespace Streams.Tests.Engine.Errors;

/// <summary>A replayed record is the one that failed, byte for byte, and none is replayed twice.</summary>
public sealed class DeadLetterReplayTests : IDisposable
{
    private readonly DslRun _run;
    private bool _isRepaired;

    public DeadLetterReplayTests() => _run = new DslRun(
        b => b.Stream("in", new Consumed<string, string>(Serdes.String, new Utf8Only()))
            .MapValues((_, value) => Upper(value), "upper").To("out", DslRun.TextOut),
        new TestDriverOptions
        {
            Partitions = 3,
            Runtime = new RuntimeOptions
            {
                DecodingFailures = FailurePolicy.DeadLetter,
                ProcessingFailures = FailurePolicy.DeadLetter,
            },
        });

    private ITopicLog Log => _run.Driver.Log;

    [Fact]
    public void What_failed_comes_back_byte_for_byte_in_its_partition_and_is_processed()
    {
        Headers headers = Headers.Empty.With("trace", "1").With("empty", []).With("trace", "2");
        Pipe("anna", "good", 1, default, 0);
        Pipe("anna", "bad", 2, headers, 2);
        Pipe(null, "bad without a key", 3, headers, 1);
        Pipe("", "bad with an empty key", 4, default, 0);
        Pipe("gone", null, 5, headers, 2);
        PipeBytes("undecodable", [0xff, 0xfe, 0x00], 6, 1);
        PipeBytes("nothing", [], 7, 1);
        List<string> originals = [.. Dump("in").Where(
            line => !line.Contains(Convert.ToHexString("good"u8), StringComparison.Ordinal))];
        Assert.Equal(6, originals.Count);
        Assert.Equal(["decode", "process", "process", "process", "process", "process"],
            Letters().Select(l => l.Letter.Stage.ToString()).Order(StringComparer.Ordinal));
        _isRepaired = true;
        Assert.Equal(6, ReplayAll());
        List<string> after = Dump("in");
        Assert.Equal(13, after.Count);
        foreach (string original in originals)
            Assert.Equal(2, after.Count(line => line == original));
        Assert.Equal(["anna=GOOD@1"], _run.Read());
        // The tasks find them like any other record; the bytes are what they were, so they fail again.
        _run.Driver.Restart();
        Assert.Equal(
            ["-=BAD WITHOUT A KEY@3", "=BAD WITH AN EMPTY KEY@4", "anna=BAD@2", "gone=-@5", "nothing=@7"],
            _run.Read().Order(StringComparer.Ordinal));
        Assert.Equal(7, Letters().Count);
    }

    [Fact]
    public void None_is_replayed_twice_whatever_happens_in_between()
    {
        for (int i = 0; i < 10; i++)
            Pipe("k", $"bad {i}", i, default, i % 3);
        using (var replay = new DeadLetterReplay(Log, commitBytesMax: 1))
        {
            foreach (StoredLetter letter in Letters().Take(4))
                Assert.True(Replay(replay, letter));
        }
        _run.Driver.Restart();
        Assert.Equal(4 + 10, Letters().Count);
        using (var abandoned = new DeadLetterReplay(Log))
        {
            foreach (StoredLetter letter in Letters().Take(10))
                Replay(abandoned, letter);
        }
        Assert.Equal(14, Dump("in").Count);
        using (var replay = new DeadLetterReplay(Log))
        {
            Assert.Equal(6, Letters().Take(10).Count(letter => Replay(replay, letter)));
            Assert.Equal(0, Letters().Take(10).Count(letter => Replay(replay, letter)));
            replay.Commit();
        }
        Assert.Equal(20, Dump("in").Count);
        var replayed = new ReplayedLetters(new OpenLogContents(Log));
        Assert.Equal(Letters().Select((_, i) => i < 10), Letters().Select(replayed.Contains));
    }

    [Fact]
    public void What_cannot_become_a_record_again_says_why()
    {
        var letter = new DeadLetter { Partition = 0, Offset = 0 };
        letter.Stage = letter.Memory.Text("read");
        Assert.Contains("a source could not", DeadLetterReplay.Obstacle(letter), StringComparison.Ordinal);
        letter.Stage = letter.Memory.Text("process");
        letter.Value = letter.Memory.Bytes("abc"u8);
        letter.WholeBytes = 5_000;
        Assert.Contains(
            "the first 3 of 5,000 bytes", DeadLetterReplay.Obstacle(letter), StringComparison.Ordinal);
        letter.WholeBytes = null;
        Assert.Null(DeadLetterReplay.Obstacle(letter));
        letter.Source = letter.Memory.Text("nowhere");
        Pipe("k", "bad", 1, default, 0);
        using var replay = new DeadLetterReplay(Log);
        Topic topic = Log.FindTopic("in.dead-letter")!;
        string message = Assert.Throws<ReplayException>(
            () => replay.Replay(topic, 0, 0, letter)).Message;
        Assert.Contains("of nowhere 0, which is not there", message, StringComparison.Ordinal);
        letter.Source = letter.Memory.Text("in");
        letter.Partition = 3;
        Assert.Throws<ReplayException>(() => replay.Replay(topic, 0, 0, letter));
    }

    public void Dispose() => _run.Dispose();

    private static bool Replay(DeadLetterReplay replay, StoredLetter letter) =>
        replay.Replay(letter.Topic, letter.Partition, letter.Offset, letter.Letter);

    private int ReplayAll()
    {
        using var replay = new DeadLetterReplay(Log);
        int count = Letters().Count(letter => Replay(replay, letter));
        replay.Commit();
        return count;
    }

    private List<StoredLetter> Letters()
    {
        Topic topic = Log.FindTopic("in.dead-letter")!;
        using ILogReader reader = Log.OpenReader(ReadLevel.Committed);
        return [.. Enumerable.Range(0, topic.Partitions).SelectMany(p => StoredLetter.Read(
            reader, topic, p, 0, Log.EndOffset(topic[p], ReadLevel.Committed)).ToList())];
    }

    // Partition, key, value, headers and time of each record, without its offset.
    private List<string> Dump(string name)
    {
        var lines = new List<string>();
        Topic topic = Log.FindTopic(name)!;
        using ILogReader reader = Log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (int p = 0; p < topic.Partitions; p++)
        {
            for (long offset = 0; reader.Read(topic[p], offset, batch); offset = batch.NextOffset)
            {
                while (batch.TryRead(out LogRecord r))
                    lines.Add($"{p} {Hex(r.HasKey, r.Key)} {Hex(r.HasValue, r.Value)} "
                        + $"{Convert.ToHexString(r.Headers)} {r.TimestampMs}");
            }
        }
        return lines;
    }

    private static string Hex(bool isThere, ReadOnlySpan<byte> bytes) =>
        isThere ? $"<{Convert.ToHexString(bytes)}>" : "-";

    private string Upper(string? value) => !_isRepaired && value != "good"
        ? throw new InvalidDataException($"'{value}' is bad.")
        : value?.ToUpperInvariant()!;

    private void Pipe(string? key, string? value, long timestampMs, Headers headers, int partition) =>
        _run.Driver.CreateInputTopic("in", Serdes.String, Serdes.String)
            .Pipe(key!, value!, timestampMs, headers, partition);

    private void PipeBytes(string key, byte[] value, long timestampMs, int partition) =>
        _run.Driver.CreateInputTopic("in", Serdes.String, Serdes.ByteArray)
            .Pipe(key, value, timestampMs, default, partition);

    private sealed class Utf8Only : Serde<string>
    {
        public override string Name => "utf8";

        public override void Serialize(in string value, Streams.Buffers.PooledBuffer destination) =>
            Serdes.String.Serialize(value, destination);

        public override void Deserialize(ReadOnlySpan<byte> source, ref string value)
        {
            if (!System.Text.Unicode.Utf8.IsValid(source))
                throw new SerializationException(Name, "this is no text", 0);
            Serdes.String.Deserialize(source, ref value);
        }
    }
}
