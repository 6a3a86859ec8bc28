using System.Diagnostics;
using System.Globalization;

namespace Streams.Tests.Simulation;

/// <summary>
/// <c>dotnet run --project tests -c Release -- simulate [--seeds N] [--seed S] [--bug NAME]</c>: runs
/// simulations of the whole engine, one per seed.
/// </summary>
internal static class SimulationCommand
{
    private const int SeedsByDefault = 1_000;
    private const int ProgressEverySeeds = 1_000;
    private const int FailuresShown = 10;

    /// <returns>0 where all seeds are clean, 1 where some are not, 2 where the arguments make no
    /// sense.</returns>
    internal static int Run(string[] args, TextWriter output)
    {
        int seeds = SeedsByDefault;
        int first = 1;
        PlantedBug bug = PlantedBug.None;
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : "";
            bool understood = args[i] switch
            {
                "--seeds" => IsPositive(value, out seeds),
                "--seed" => IsPositive(value, out first),
                "--bug" => Enum.TryParse(value, ignoreCase: true, out bug),
                _ => false,
            };
            if (!understood)
            {
                output.WriteLine(
                    $"'{args[i]} {value}' is not understood. Usage: simulate [--seeds N] [--seed S] " +
                    $"[--bug {string.Join('|', Enum.GetNames<PlantedBug>())}]");
                return 2;
            }
        }
        if (args.Contains("--seed") && !args.Contains("--seeds"))
            seeds = 1;
        return Run(first, seeds, bug, output);
    }

    /// <summary>Runs one simulation.</summary>
    /// <returns>What was found; null for nothing.</returns>
    internal static Exception? Find(int seed, PlantedBug bug, Coverage seen, TextWriter? trace = null)
    {
        SimulatedRun? run = null;
        try
        {
            run = new SimulatedRun(seed, bug) { Trace = trace ?? TextWriter.Null };
            run.Run();
            return null;
        }
        catch (Exception e)
        {
            return new SimulationFailureException(
                $"Seed {seed} found: {e.GetType().Name}: {e.Message}\n" +
                $"Topology: {run?.Plan}\nRepeat it with: {CommandFor(seed, bug)}", e);
        }
        finally
        {
            if (run is not null)
                seen.Add(run.Seen);
        }
    }

    private static int Run(int first, int seeds, PlantedBug bug, TextWriter output)
    {
        var seen = new Coverage();
        int failed = 0;
        long started = Stopwatch.GetTimestamp();
        for (int seed = first; seed < first + seeds; seed++)
        {
            if (Find(seed, bug, seen, seeds == 1 ? output : null) is { } failure && failed++ < FailuresShown)
                output.WriteLine(seeds == 1 ? failure.ToString() : failure.Message);
            int done = seed - first + 1;
            if (done % ProgressEverySeeds == 0)
                output.WriteLine($"{done:N0} seeds, {failed:N0} failed, {Elapsed(started)}");
        }
        output.WriteLine($"{seeds:N0} seeds, {failed:N0} failed, {Elapsed(started)}. What occurred:\n{seen}");
        return failed == 0 ? 0 : 1;
    }

    private static string CommandFor(int seed, PlantedBug bug) =>
        $"dotnet run --project tests -c Release -- simulate --seed {seed}" +
        (bug == PlantedBug.None ? "" : $" --bug {bug}");

    private static bool IsPositive(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;

    private static string Elapsed(long started) =>
        Stopwatch.GetElapsedTime(started).TotalSeconds.ToString("F1", CultureInfo.InvariantCulture) + " s";
}
