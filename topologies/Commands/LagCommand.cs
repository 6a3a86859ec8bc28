using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Streams.Connect;
using Streams.Log;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams lag</c>: how far applications and sinks are behind, in records and seconds, partition
/// by partition, beside a process that runs or after one that is stopped.</summary>
internal static class LagCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    internal static Command Create()
    {
        var access = new LogAccess();
        var groups = new Option<string[]>("--sink") { Description = "Also this sink; may be repeated." };
        var json = new Option<bool>("--json") { Description = "One line of JSON per partition." };
        var command = new Command(
            "lag",
            "Print how far processing is behind: records, event time that they span, and which partition "
            + "holds the watermark. Works beside a process that runs.")
        {
            groups, json,
        };
        access.AddTo(command);
        access.AddApplicationTo(command, "The application; without it, all that the log knows.");
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            string[] sinks = parsed.GetValue(groups) ?? [];
            // On Kafka a sink's group carries its application's name.
            string? one = sinks.Length > 0 ? access.ApplicationMeant(parsed) : access.ApplicationOf(parsed);
            List<PartitionLag> lags = [.. (one is null ? access.Applications(parsed) : [one]).SelectMany(
                a => OfApplication(access, parsed, a, isNamed: one is not null))];
            if (sinks.Length > 0)
            {
                using OpenedLog log = access.Look(parsed, one);
                lags.AddRange(sinks.SelectMany(s => OfSink(s, log.Contents)));
            }
            if (parsed.GetValue(json))
                lags.ForEach(l => Console.WriteLine(JsonSerializer.Serialize(l, Json)));
            else
                Write(lags);
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static IReadOnlyList<PartitionLag> OfApplication(
        LogAccess access, ParseResult parsed, string application, bool isNamed)
    {
        using OpenedLog log = access.Look(parsed, application);
        // On Kafka applications are known by their topics before they have begun.
        return isNamed || LagReport.Applications(log.Contents).Contains(application)
            ? LagReport.Of(application, log.Contents) : [];
    }

    private static IReadOnlyList<PartitionLag> OfSink(string name, ILogContents log)
    {
        IReadOnlyList<PartitionLag> lags = LagReport.OfGroup(name, log);
        return lags.Count > 0 ? lags : throw new ConfigurationException(
            $"'{name}' has committed no position here; a sink goes by its name in the configuration.");
    }

    private static void Write(List<PartitionLag> lags)
    {
        if (lags.Count == 0)
            Console.WriteLine("No application has run here yet.");
        foreach (IGrouping<string, PartitionLag> group in lags.GroupBy(l => l.Group))
        {
            Print($"{group.Key}: {group.Sum(l => l.Records):N0} records wait");
            Print($"  {"topic",-40} {"partition",9} {"position",14} {"end",14} {"records",12} {"seconds",12}"
                + "  watermark");
            foreach (PartitionLag lag in group)
                Print($"  {lag.Topic,-40} {lag.Partition,9} {lag.Position,14:N0} {lag.End,14:N0} "
                    + $"{lag.Records,12:N0} {lag.Seconds,12:N1}  {Time(lag.WatermarkMs)}"
                    + (lag.HoldsWatermark ? "  holds it" : ""));
        }
    }

    private static string Time(long? timeMs) => timeMs is { } time
        ? DateTimeOffset.FromUnixTimeMilliseconds(time)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
        : "-";

    private static void Print(FormattableString line) =>
        Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private static void Print(string line) => Console.WriteLine(line);
}
