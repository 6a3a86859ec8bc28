using Streams.Log.Embedded;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Log;

/// <summary>
/// A disk that loses what was not synced, in any order and in parts, at any instant. STREAMS_LOG_CRASH_SEEDS sets how
/// many seeds are tried, STREAMS_LOG_CRASH_SEED tries one.
/// </summary>
public sealed class CrashSimulationTests
{
    private const int LivesPerSeed = 6;

    [Fact]
    public void After_a_power_cut_the_log_is_a_prefix_of_its_commits_with_all_that_was_durable()
    {
        foreach (int seed in Seeds())
            Run(seed, (files, _) => files.Crash(), work => work.Durable);
    }

    [Fact]
    public void After_a_kill_every_commit_that_returned_is_there()
    {
        foreach (int seed in Seeds())
            Run(seed, (files, _) => files.Kill(), work => work.Returned);
    }

    [Fact]
    public void Kills_and_power_cuts_and_orderly_ends_mix()
    {
        foreach (int seed in Seeds())
        {
            Run(seed, (files, random) =>
            {
                if (random.Next(2) == 0)
                    files.Kill();
                else
                    files.Crash();
            }, work => work.Durable);
        }
    }

    private static void Run(int seed, Action<SimulatedFileSystem, Random> end, Func<LogWorkload, long> promised)
    {
        try
        {
            var random = new Random(seed);
            var files = new SimulatedFileSystem(seed);
            var work = new LogWorkload(seed);
            for (int life = 0; life < LivesPerSeed; life++)
            {
                bool closed = Live(files, work, random);
                long expected = closed ? work.Model.LastCommit : promised(work);
                end(files, random);
                using EmbeddedLog log = Open(files, random.Next(1024, 20_000));
                Assert.InRange(log.Recovery.LastCommit, expected, work.Model.LastCommit);
                work.Restarted(log.Recovery.LastCommit);
                work.Model.AssertEqual(log);
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"Failed with STREAMS_LOG_CRASH_SEED={seed}.", e);
        }
    }

    // Works until the power fails, sometimes in an orderly end.
    private static bool Live(SimulatedFileSystem files, LogWorkload work, Random random)
    {
        files.CrashAtOperation = files.Operations + random.Next(1, 150);
        try
        {
            using EmbeddedLog log = Open(files, random.Next(1024, 20_000));
            for (int steps = random.Next(100); steps > 0; steps--)
                work.Step(log);
        }
        catch (SimulatedPowerCutException)
        {
            return false;
        }
        return true;
    }

    private static EmbeddedLog Open(SimulatedFileSystem files, int segmentBytes) => EmbeddedLog.Open(new EmbeddedLogOptions
    {
        Directory = "",
        FileSystem = files,
        Manual = true,
        DiskFreeBytesMin = 0,
        SegmentBytes = segmentBytes,
        OpenFilesMax = 2,
        IndexCacheBytesMax = 1000,
    });

    private static IEnumerable<int> Seeds()
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("STREAMS_LOG_CRASH_SEED"), out int one))
            return [one];
        return Enumerable.Range(
            1, int.TryParse(Environment.GetEnvironmentVariable("STREAMS_LOG_CRASH_SEEDS"), out int count) ? count : 150);
    }
}
