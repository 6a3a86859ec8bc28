using System.CommandLine;
using Streams.Log.Embedded.Repair;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams log verify</c> and <c>streams log repair</c>: the health of a data
/// directory.</summary>
internal static class LogCommands
{
    internal static Command Create() => new("log", "Verify, repair or copy the log of a data directory.")
    {
        CreateVerify(), CreateRepair(), LogCopyCommand.Create(),
    };

    private static Command CreateVerify()
    {
        Option<string> data = DataOption();
        var command = new Command(
            "verify", "Read every byte and say whether it is what was written; changes nothing.")
        {
            data,
        };
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            VerificationReport report = EmbeddedLogVerifier.Verify(
                DataFolder.LogFolder(parsed.GetValue(data)!));
            Write(report);
            return Task.FromResult(report.IsWhole ? ExitCode.Done : ExitCode.Unavailable);
        }));
        return command;
    }

    private static Command CreateRepair()
    {
        Option<string> data = DataOption();
        var command = new Command(
            "repair", "Keep what is whole, set damaged bytes aside, and say what is lost; the process " +
                "must be stopped.") { data };
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            RepairReport report = EmbeddedLogRepair.Repair(DataFolder.LogFolder(parsed.GetValue(data)!));
            if (report.Before.IsWhole)
            {
                Console.WriteLine("The log is whole; nothing was changed.");
                return Task.FromResult(ExitCode.Done);
            }
            Write(report.Before);
            foreach (string file in report.Rewritten)
                Console.WriteLine($"rewritten {file}");
            foreach (string file in report.SetAside)
                Console.WriteLine($"set aside {file}");
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static Option<string> DataOption() =>
        new("--data") { Description = "The data directory.", Required = true };

    private static void Write(VerificationReport report)
    {
        foreach (PartitionReport partition in report.Partitions)
            Print($"{partition.Topic,-48} {partition.Partition,3}  offsets {partition.StartOffset} to " +
                $"{partition.NextOffset}, {partition.Bytes:N0} bytes");
        Print($"{report.Segments.Count} segments, {report.Commits:N0} commits, " +
            $"{report.Segments.Sum(s => s.Bytes):N0} bytes");
        if (report.TornTail is { } tail)
            Print($"{tail.Bytes:N0} bytes of an unfinished commit at the end of {tail.File}, which the " +
                $"next start cuts off");
        foreach (DamageReport damage in report.Damage)
            Print(
                $"DAMAGED {damage.File} at byte {damage.Position}, {damage.Bytes:N0} bytes: {damage.Reason}");
        foreach (LostRecords lost in report.Lost)
            Print($"LOST {lost.Topic} {lost.Partition}: offsets {lost.FirstOffset} to {lost.LastOffset}");
        if (report.CommitsLostAtEnd > 0)
            Print($"LOST {report.CommitsLostAtEnd} commits at the end");
        if (report.IsWhole)
            Console.WriteLine("whole");
    }

    private static void Print(string line) => Console.WriteLine(line);
}
