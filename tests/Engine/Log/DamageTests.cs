using Streams.Log;
using Streams.Log.Embedded;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Log;

/// <summary>
/// Every cut and every flipped bit: found and placed, or proved to be a torn tail, and never read as data.
/// </summary>
public sealed class DamageTests
{
    private const string First = "0000000000000001.segment";
    private const string Second = "0000000000000002.segment";
    private const int SegmentBytes = 2048;

    [Fact]
    public void A_tail_torn_at_any_byte_is_cut_and_the_rest_is_intact()
    {
        (SimulatedFileSystem files, LogModel model, long durableEnd) = Build();
        byte[] whole = files.Contents(Second);
        model.CutAfter(model.LastCommit - 1);
        for (long length = durableEnd; length < whole.Length; length++)
        {
            SimulatedFileSystem copy = files.Copy(1);
            copy.SetContents(Second, whole.AsSpan(0, (int)length));
            using EmbeddedLog log = SmallLog.Open(copy, SegmentBytes);
            if (length == durableEnd)
                Assert.Null(log.Recovery.Cut);
            else
                Assert.Equal((Second, durableEnd, length - durableEnd),
                    (log.Recovery.Cut!.File, log.Recovery.Cut.Position, log.Recovery.Cut.Bytes));
            model.AssertEqual(log);
            log.EnsureTopic(new TopicSpec { Name = "goes-on" });
        }
    }

    [Fact]
    public void A_tail_whose_middle_never_reached_the_disk_is_cut()
    {
        (SimulatedFileSystem files, LogModel model, long durableEnd) = Build();
        byte[] whole = files.Contents(Second);
        model.CutAfter(model.LastCommit - 1);
        for (long from = durableEnd; from < whole.Length; from++)
        {
            SimulatedFileSystem copy = files.Copy(1);
            byte[] zeroed = [.. whole];
            if (zeroed.AsSpan((int)from).IndexOfAnyExcept((byte)0) < 0)
                break;
            zeroed.AsSpan((int)from).Clear();
            copy.SetContents(Second, zeroed);
            using EmbeddedLog log = SmallLog.Open(copy, SegmentBytes);
            Assert.Equal(durableEnd, log.Recovery.Cut!.Position);
            model.AssertEqual(log);
        }
    }

    [Fact]
    public void A_durable_end_that_is_missing_is_damage()
    {
        (SimulatedFileSystem files, _, long durableEnd) = Build();
        byte[] whole = files.Contents(Second);
        for (long length = 0; length < durableEnd; length++)
        {
            SimulatedFileSystem copy = files.Copy(1);
            copy.SetContents(Second, whole.AsSpan(0, (int)length));
            LogDamagedException damage =
                Assert.Throws<LogDamagedException>(() => SmallLog.Open(copy, SegmentBytes));
            Assert.EndsWith(Second, damage.File, StringComparison.Ordinal);
            Assert.InRange(damage.Position, 0, length);
        }
    }

    [Fact]
    public void A_commit_behind_it_proves_that_bytes_were_durable_even_without_the_note()
    {
        (SimulatedFileSystem files, _, long durableEnd) = Build();
        files.Delete("durable");
        for (int position = 0; position < durableEnd; position++)
        {
            SimulatedFileSystem copy = files.Copy(1);
            copy.FlipBit(Second, position, position % 8);
            LogDamagedException damage =
                Assert.Throws<LogDamagedException>(() => SmallLog.Open(copy, SegmentBytes));
            Assert.EndsWith(Second, damage.File, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(First)]
    [InlineData(Second)]
    public void A_segment_that_is_missing_is_damage(string name)
    {
        (SimulatedFileSystem files, _, _) = Build();
        files.Delete(name);
        LogDamagedException damage =
            Assert.Throws<LogDamagedException>(() => SmallLog.Open(files, SegmentBytes));
        Assert.EndsWith(name, damage.File, StringComparison.Ordinal);
    }

    [Fact]
    public void A_flipped_bit_is_never_read_as_data()
    {
        (SimulatedFileSystem files, LogModel model, long durableEnd) = Build();
        int damaged = 0, cut = 0, harmless = 0;
        foreach (string name in files.List())
        {
            int length = files.Contents(name).Length;
            for (int position = 0; position < length; position++)
            {
                for (int bit = 0; bit < 8; bit++)
                {
                    SimulatedFileSystem copy = files.Copy(1);
                    copy.FlipBit(name, position, bit);
                    switch (Outcome(copy, model, name, position, durableEnd))
                    {
                        case "damaged":
                            damaged++;
                            break;
                        case "cut":
                            cut++;
                            break;
                        default:
                            harmless++;
                            break;
                    }
                }
            }
        }
        Assert.True(damaged > 5000 && cut > 500 && harmless > 500, $"{damaged}, {cut}, {harmless}");
    }

    private static string Outcome(
        SimulatedFileSystem files, LogModel model, string name, int position, long durableEnd)
    {
        bool isSegment = name is First or Second;
        try
        {
            using EmbeddedLog log = SmallLog.Open(files, SegmentBytes);
            if (log.Recovery.Cut is { } tail)
            {
                Assert.True(name == Second && position >= durableEnd, $"{name} was cut for {position}");
                Assert.InRange(position, tail.Position, tail.Position + tail.Bytes - 1);
                var before = new LogModel(model);
                before.CutAfter(log.Recovery.LastCommit);
                before.AssertEqual(log);
                return "cut";
            }
            model.AssertEqual(log);
            return "harmless";
        }
        catch (LogDamagedException damage)
        {
            Assert.True(isSegment, $"a flip in {name} was reported as {damage.Message}");
            Assert.EndsWith(name, damage.File, StringComparison.Ordinal);
            Assert.InRange(damage.Position, Math.Max(0, position - 600), position);
            return "damaged";
        }
    }

    // A sealed segment, a second one with durable commits, and a last commit that is not durable yet.
    private static (SimulatedFileSystem Files, LogModel Model, long DurableEnd) Build()
    {
        var files = new SimulatedFileSystem(1);
        var model = new LogModel();
        EmbeddedLog log = SmallLog.Open(files, SegmentBytes);
        Topic topic = log.EnsureTopic(new TopicSpec { Name = "t", Partitions = 2 });
        model.Add(state => state.AddTopic("t", 2));
        ILogWriter writer = log.OpenWriter("w");
        for (int i = 0; !files.Exists(Second); i++)
            Commit(i);
        log.Flush();
        long durableEnd = files.Contents(Second).Length;
        Commit(100);
        files.Kill();
        return (files, model, durableEnd);

        void Commit(int i)
        {
            writer.Append(topic[0], $"k{i}", $"a{i}");
            writer.Append(topic[1], null, $"b{i}");
            writer.CommitOffset("g", topic[0], i);
            writer.CommitCursor("s", "k", [(byte)('0' + i % 10)]);
            writer.Commit();
            model.Add(state =>
            {
                state.Topics["t"][0].Records.Add($"k{i}=a{i}");
                state.Topics["t"][1].Records.Add($"-=b{i}");
                state.Offsets[("g", "t", 0)] = i;
                state.SetCursor("s", "k", $"{i % 10}");
            });
        }
    }
}
