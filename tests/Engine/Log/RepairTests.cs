using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Embedded.Repair;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Log;

public sealed class RepairTests
{
    private const int SegmentBytes = 2048;
    private const int Partitions = 2;

    [Fact]
    public void A_whole_log_is_reported_and_left_as_it_is()
    {
        SimulatedFileSystem files = Build(out Dictionary<TopicPartition, List<string>> written);
        VerificationReport report = EmbeddedLogVerifier.Verify(files);
        Assert.True(report.IsWhole && report.ClosedInOrder);
        Assert.Null(report.TornTail);
        Assert.Equal(31, report.Commits);
        Assert.Equal(31, report.LastCommit);
        Assert.Equal(files.List().Count(IsSegment), report.Segments.Count);
        Assert.Equal(
            written.Select(p => $"t/{p.Key.Partition}: 0 to {p.Value.Count}, {p.Value.Count} records"),
            report.Partitions.Select(
                p => $"{p.Topic}/{p.Partition}: {p.StartOffset} to {p.NextOffset}, {p.Records} records"));

        long operations = files.Operations;
        RepairReport repair = EmbeddedLogRepair.Repair(files, new SteppingTime());
        Assert.Empty(repair.Rewritten);
        Assert.Empty(repair.SetAside);
        Assert.InRange(files.Operations - operations, 0, 3);
    }

    [Fact]
    public void Verifying_changes_nothing_and_needs_no_lock()
    {
        SimulatedFileSystem files = Build(out _);
        files.FlipBit("0000000000000002.segment", 700, 3);
        using IDisposable? held = files.TryLock("lock");
        long operations = files.Operations;
        Assert.False(EmbeddedLogVerifier.Verify(files).IsWhole);
        Assert.Equal(operations, files.Operations);
    }

    [Fact]
    public void After_any_flipped_bit_a_repair_keeps_all_but_what_it_reports_as_lost()
    {
        SimulatedFileSystem files = Build(out Dictionary<TopicPartition, List<string>> written);
        int damaged = 0;
        foreach (string name in files.List().Where(IsSegment))
        {
            int length = files.Contents(name).Length;
            for (int position = 0; position < length; position++)
            {
                SimulatedFileSystem copy = files.Copy(1);
                copy.FlipBit(name, position, position % 8);
                RepairReport report = RepairAndCheck(copy, written);
                if (report.Before.IsWhole)
                    continue;
                damaged++;
                DamageReport damage = report.Before.Damage[0];
                Assert.Equal(name, damage.File);
                Assert.InRange(position, damage.Position, damage.Position + damage.Bytes - 1);
                // One flipped bit costs one batch at most.
                Assert.InRange(report.Before.Lost.Sum(l => l.LastOffset - l.FirstOffset + 1), 0, 2);
                string setAside = Assert.Single(report.SetAside);
                Assert.Equal($"{name}.damaged-{damage.Position}", setAside);
                Assert.Equal(damage.Bytes, copy.Contents(setAside).Length);
            }
        }
        Assert.True(damaged > 5000, $"{damaged} flips were found.");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void After_random_damage_a_repair_keeps_all_but_what_it_reports_as_lost(int seed)
    {
        SimulatedFileSystem files = Build(out Dictionary<TopicPartition, List<string>> written);
        var random = new Random(seed);
        string[] segments = [.. files.List().Where(IsSegment)];
        for (int round = 0; round < 100; round++)
        {
            SimulatedFileSystem copy = files.Copy(1);
            for (int places = random.Next(1, 4); places > 0; places--)
            {
                string name = segments[random.Next(segments.Length)];
                byte[] bytes = copy.Contents(name);
                int from = random.Next(bytes.Length);
                int count = Math.Min(random.Next(1, 1500), bytes.Length - from);
                if (random.Next(5) == 0)
                    bytes = bytes[..from];
                else
                    random.NextBytes(bytes.AsSpan(from, count));
                copy.SetContents(name, bytes);
            }
            RepairAndCheck(copy, written);
        }
    }

    [Theory]
    [InlineData("0000000000000001.segment")]
    [InlineData("0000000000000003.segment")]
    public void A_missing_segment_is_reported_and_the_log_goes_on_without_it(string name)
    {
        SimulatedFileSystem files = Build(out Dictionary<TopicPartition, List<string>> written);
        files.Delete(name);
        RepairReport report = RepairAndCheck(files, written);
        Assert.Contains(report.Before.Damage, damage => damage.File == name);
        Assert.NotEmpty(report.Before.Lost);
    }

    [Fact]
    public void A_repair_that_is_cut_off_can_be_done_again()
    {
        SimulatedFileSystem files = Build(out Dictionary<TopicPartition, List<string>> written);
        string last = files.List().Where(IsSegment).Max()!;
        files.FlipBit("0000000000000002.segment", 900, 1);
        files.FlipBit(last, 300, 1);
        for (int operation = 1; ; operation++)
        {
            SimulatedFileSystem copy = files.Copy(operation);
            copy.CrashAtOperation = operation;
            try
            {
                EmbeddedLogRepair.Repair(copy, new SteppingTime());
                Assert.True(operation > 10);
                break;
            }
            catch (SimulatedPowerCutException)
            {
                copy.Crash();
            }
            EmbeddedLogRepair.Repair(copy, new SteppingTime());
            using EmbeddedLog log = SmallLog.Open(copy, SegmentBytes);
            foreach ((TopicPartition partition, List<string> records) in written)
                Assert.InRange(log.ReadAll(partition).Count, records.Count - 8, records.Count);
        }
    }

    [Fact]
    public void A_log_in_use_is_not_repaired_and_a_directory_without_one_is_named()
    {
        SimulatedFileSystem files = Build(out _);
        using (SmallLog.Open(files, SegmentBytes))
            Assert.Throws<LogUnavailableException>(() => EmbeddedLogRepair.Repair(files, new SteppingTime()));
        var empty = new SimulatedFileSystem(1);
        LogUnavailableException none =
            Assert.Throws<LogUnavailableException>(() => EmbeddedLogVerifier.Verify(empty));
        Assert.Contains("There is no log in /simulated", none.Message, StringComparison.Ordinal);
    }

    private static RepairReport RepairAndCheck(
        SimulatedFileSystem files, Dictionary<TopicPartition, List<string>> written)
    {
        RepairReport report = EmbeddedLogRepair.Repair(files, new SteppingTime());
        VerificationReport after = EmbeddedLogVerifier.Verify(files);
        Assert.True(after.IsWhole, string.Join("; ", after.Damage));
        using EmbeddedLog log = SmallLog.Open(files, SegmentBytes);
        if (log.FindTopic("t") is null)
            return report;
        foreach ((TopicPartition partition, List<string> records) in written)
        {
            List<string> left = log.ReadAll(partition);
            var lost = report.Before.Lost.Where(l => l.Partition == partition.Partition).ToList();
            List<string> expected = records.Where((_, offset) => !IsLost(offset)).ToList();
            Assert.Equal(report.Before.CommitsLostAtEnd == 0 ? expected : expected[..left.Count], left);

            bool IsLost(int offset) => lost.Exists(l => offset >= l.FirstOffset && offset <= l.LastOffset);
        }
        using ILogWriter writer = log.OpenWriter("after");
        foreach (TopicPartition partition in written.Keys)
        {
            long next = log.EndOffset(partition, ReadLevel.Committed);
            writer.Commit(partition, "after", "repair");
            Assert.Equal($"{next}:after=repair", log.ReadAll(partition, next).Single());
        }
        return report;
    }

    private static bool IsSegment(string name) => name.EndsWith(".segment", StringComparison.Ordinal);

    private static SimulatedFileSystem Build(out Dictionary<TopicPartition, List<string>> written)
    {
        var files = new SimulatedFileSystem(1);
        using EmbeddedLog log = SmallLog.Open(files, SegmentBytes);
        Topic topic = log.EnsureTopic(new TopicSpec { Name = "t", Partitions = Partitions });
        using ILogWriter writer = log.OpenWriter("w");
        for (int i = 0; i < 30; i++)
        {
            for (int partition = 0; partition < Partitions; partition++)
            {
                writer.Append(topic[partition], $"k{i}", $"v{i}");
                writer.Append(topic[partition], null, $"v{i}");
            }
            writer.CommitOffset("g", topic[0], i);
            writer.Commit();
        }
        written = [];
        for (int partition = 0; partition < Partitions; partition++)
            written[topic[partition]] = log.ReadAll(topic[partition]);
        return files;
    }
}
