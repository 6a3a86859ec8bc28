using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Embedded.Repair;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Log;

/// <summary>
/// A disk that loses what was not synced, in any order and in parts, at any instant. STREAMS_LOG_CRASH_SEEDS
/// sets how many seeds are tried, STREAMS_LOG_CRASH_SEED tries one.
/// </summary>
public sealed class CrashSimulationTests
{
    private const int LivesPerSeed = 8;

    [Fact]
    public void After_a_power_cut_the_log_is_a_prefix_of_its_commits_with_all_that_was_durable() =>
        RunAll((files, _) => files.Crash(), work => work.Durable);

    [Fact]
    public void After_a_kill_every_commit_that_returned_is_there() =>
        RunAll((files, _) => files.Kill(), work => work.Returned);

    [Fact]
    public void Kills_and_power_cuts_mix() => RunAll(
        (files, random) =>
        {
            if (random.Next(2) == 0)
                files.Kill();
            else
                files.Crash();
        },
        work => work.Durable);

    private static void RunAll(Action<SimulatedFileSystem, Random> end, Func<LogWorkload, long> promised)
    {
        var seen = new Coverage();
        int[] seeds = [.. Seeds()];
        foreach (int seed in seeds)
        {
            try
            {
                Run(seed, end, promised, seen);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Failed with STREAMS_LOG_CRASH_SEED={seed}.", e);
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine(seen.ToString());
        // A simulation in which nothing happens proves nothing.
        bool happened = seen is { Closed: > 0, Dropped: > 0, Rewritten: > 0, Compacted: > 0 };
        Assert.True(happened || seeds.Length == 1, $"{seen}");
    }

    private static void Run(
        int seed, Action<SimulatedFileSystem, Random> end, Func<LogWorkload, long> promised, Coverage seen)
    {
        var random = new Random(seed);
        var files = new SimulatedFileSystem(seed);
        var work = new LogWorkload(seed);
        for (int life = 0; life < LivesPerSeed; life++)
        {
            bool closed = Live(files, work, random);
            long expected = closed ? work.Model.LastCommit : promised(work);
            end(files, random);
            VerificationReport? verified = Count(files, ".segment") > 0 ? EmbeddedLogVerifier.Verify(files)
                : null;
            using EmbeddedLog log = Open(files, work, random);
            // Two ways to read what a crash has left come to one result.
            Assert.Empty(verified?.Damage ?? []);
            Assert.Equal(log.Recovery.LastCommit, verified?.LastCommit ?? 0);
            Assert.Equal(log.Recovery.Cut, verified?.TornTail);
            Assert.InRange(log.Recovery.LastCommit, expected,
                work.Model.LastCommit + LogWorkload.MaintenanceCommitsMax);
            Assert.Equal(log.Recovery.Segments, Count(files, ".segment"));
            Assert.InRange(Count(files, ".index"), 0, log.Recovery.Segments - 1);
            Assert.Equal(0, Count(files, ".new"));
            seen.Closed += closed ? 1 : 0;
            seen.Cut += log.Recovery.Cut is null ? 0 : 1;
            seen.Lost += log.Recovery.LastCommit < work.Model.LastCommit ? 1 : 0;
            work.Restarted(log.Recovery.LastCommit);
            work.Model.AssertEqual(log);
        }
        seen.Dropped += work.SegmentsDropped;
        seen.Rewritten += work.SegmentsRewritten;
        seen.Compacted += work.RecordsCompacted;
    }

    // Works until the power fails, sometimes in an orderly end.
    private static bool Live(SimulatedFileSystem files, LogWorkload work, Random random)
    {
        files.CrashAtOperation = files.Operations + random.Next(1, 250);
        try
        {
            using EmbeddedLog log = Open(files, work, random);
            for (int steps = random.Next(150); steps > 0; steps--)
            {
                if (random.Next(30) == 0)
                    files.CapacityBytes = files.UsedBytes() + random.Next(2000);
                try
                {
                    work.Step(log);
                }
                catch (LogFullException)
                {
                    work.Refused(log);
                    files.CapacityBytes = long.MaxValue;
                }
            }
        }
        catch (SimulatedPowerCutException)
        {
            return false;
        }
        return true;
    }

    private static int Count(SimulatedFileSystem files, string suffix) =>
        files.List().Count(name => name.EndsWith(suffix, StringComparison.Ordinal));

    private static EmbeddedLog Open(SimulatedFileSystem files, LogWorkload work, Random random) =>
        EmbeddedLog.Open(SmallLog.Options(files, random.Next(1024, 20_000)) with
        {
            TimeProvider = work.Time,
            OpenFilesMax = 2,
            IndexCacheBytesMax = 1000,
            TombstoneRetention = TimeSpan.FromMinutes(random.Next(2) * 60),
            // From one key at a time to all of them.
            CompactionMapBytesMax = 24 << random.Next(4, 12),
        });

    private static IEnumerable<int> Seeds()
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("STREAMS_LOG_CRASH_SEED"), out int one))
            return [one];
        string? asked = Environment.GetEnvironmentVariable("STREAMS_LOG_CRASH_SEEDS");
        return Enumerable.Range(1, int.TryParse(asked, out int count) ? count : 100);
    }

    private sealed record Coverage
    {
        public int Closed { get; set; }

        public int Cut { get; set; }

        public int Lost { get; set; }

        public int Dropped { get; set; }

        public int Rewritten { get; set; }

        public long Compacted { get; set; }
    }
}
