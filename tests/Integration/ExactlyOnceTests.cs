using System.Globalization;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>
/// The same input in one run, in interrupted runs and under SIGKILL gives the same files byte for byte and
/// the same rows. STREAMS_TEST_KILLS says how many kills; the checker shares no code with the project.
/// </summary>
public sealed class ExactlyOnceTests
{
    private const string Started = "transactions runs 2 tasks";

    private const int KillsThatMeetSnapshots = 50;

    private static readonly int Kills =
        int.Parse(
            Environment.GetEnvironmentVariable("STREAMS_TEST_KILLS") ?? "12", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Killed_at_random_instants_a_run_leaves_what_an_undisturbed_one_leaves()
    {
        using var folder = new TemporaryFolder();
        string input = TransactionsInput.Make(folder);
        string config = WriteConfig(folder);
        string expected = folder.File("expected");
        TransactionsInput.AssertDone(StreamsProcess.Run(Arguments(input, expected, config)));
        int seed = Environment.TickCount;
        var random = new Random(seed);
        var phases = new SortedDictionary<string, int>(StringComparer.Ordinal);
        int killed = 0, rounds = 0;
        bool fromSnapshot = false;
        for (; killed < Kills; rounds++)
        {
            string actual = folder.File($"actual{rounds}");
            while (killed < Kills)
            {
                using StreamsProcess process = StreamsProcess.Start(Arguments(input, actual, config));
                // Most while records are on their way, however long a start takes here; some before.
                bool early = random.Next(4) == 0;
                if (!early)
                    await process.WaitForAsync(Started);
                bool wasThere = process.KillAfter(TimeSpan.FromMilliseconds(random.Next(early ? 500 : 300)));
                fromSnapshot |= RestoredFromSnapshot(process.Errors);
                if (!wasThere)
                {
                    TransactionsInput.AssertDone(process.WaitForEnd());
                    break;
                }
                killed++;
                string phase = PhaseOf(process.Errors, Directory.Exists(Path.Combine(actual, "data")));
                phases[phase] = phases.GetValueOrDefault(phase) + 1;
            }
            var ended = StreamsProcess.Run(Arguments(input, actual, config));
            TransactionsInput.AssertDone(ended);
            fromSnapshot |= RestoredFromSnapshot(ended.Errors);
            TransactionsInput.AssertSame(expected, actual, $"after {killed} kills, seed {seed}");
            Directory.Delete(actual, recursive: true);
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{killed} kills over {rounds} rounds, seed {seed}; " +
            string.Join(", ", phases.Select(p => $"{p.Value} {p.Key}")));
        // A few kills may all have come before the first snapshot; interruptions in good order do not.
        Assert.True(
            fromSnapshot || Kills < KillsThatMeetSnapshots, "No restart began with a snapshot of so many.");
    }

    [Fact]
    public async Task Interrupted_ten_times_a_run_leaves_what_an_undisturbed_one_leaves()
    {
        using var folder = new TemporaryFolder();
        string input = TransactionsInput.Make(folder);
        string config = WriteConfig(folder);
        string expected = folder.File("expected");
        string actual = folder.File("actual");
        TransactionsInput.AssertDone(StreamsProcess.Run(Arguments(input, expected, config)));
        int interrupted = 0;
        bool fromSnapshot = false;
        for (int i = 0; i < 10; i++)
        {
            using StreamsProcess process = StreamsProcess.Start(Arguments(input, actual, config));
            await process.WaitForAsync(Started);
            await Task.Delay(30 * i, TestContext.Current.CancellationToken);
            process.Terminate();
            var ended = process.WaitForEnd();
            TransactionsInput.AssertDone(ended);
            interrupted += ended.Errors.Contains("Stopping", StringComparison.Ordinal) ? 1 : 0;
            fromSnapshot |= RestoredFromSnapshot(ended.Errors);
        }
        var last = StreamsProcess.Run(Arguments(input, actual, config));
        TransactionsInput.AssertDone(last);
        fromSnapshot |= RestoredFromSnapshot(last.Errors);
        TransactionsInput.AssertSame(expected, actual, "after ten interruptions");
        Assert.True(interrupted > 0, "Every run was over before it could be interrupted.");
        Assert.True(fromSnapshot, "No restart began with a snapshot, so that way back was not tried.");
    }

    // Snapshots of small state, and commits as often as there can be.
    private static string WriteConfig(TemporaryFolder folder)
    {
        string path = folder.File("streams.yaml");
        File.WriteAllText(path, """
            runtime:
              commit_interval: 5ms
              commit_bytes_max: 200000
              snapshots:
                changelog_bytes_min: 1000
                changelog_percent_min: 1
                slice_bytes: 100000
            intake:
              commit_bytes_max: 100000
              commit_interval: 5ms
            delivery:
              commit_records_max: 500
            """);
        return path;
    }

    private static string[] Arguments(string input, string folder, string config) =>
        TransactionsInput.Arguments(input, folder, Path.Combine(folder, "data"), config);

    private static bool RestoredFromSnapshot(string errors) =>
        errors.Contains("from a snapshot", StringComparison.Ordinal);

    private static string PhaseOf(string errors, bool hasData) =>
        errors.Contains("is stopped", StringComparison.Ordinal) ? "after everything was committed"
        : errors.Contains(Started, StringComparison.Ordinal)
            ? errors.Contains(" restored ", StringComparison.Ordinal) ? "while going on with a restored state"
                : "while starting, restoring or processing"
        : hasData ? "before the application started" : "before anything was written";
}
