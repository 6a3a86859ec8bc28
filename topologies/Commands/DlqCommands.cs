using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Streams.Connect;
using Streams.Errors;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams dlq list</c>, <c>show</c> and <c>replay</c>: what could not be read, processed or
/// written, and back onto its topic with it.</summary>
internal static class DlqCommands
{
    internal static Command Create() =>
        new("dlq", "List, show or replay dead letters: what could not be read, processed or written.")
        {
            CreateList(), CreateShow(), CreateReplay(),
        };

    private static Command CreateList()
    {
        var access = new LogAccess();
        var filter = new DlqFilterOptions();
        Option<bool> json = JsonOption("One line of JSON per letter.");
        var count = new Option<int>("--count")
        {
            Description = "How many letters at most, the newest of each partition. Default 50.",
            DefaultValueFactory = _ => 50,
        };
        var command = new Command("list", "List the dead letters, one a line, and how many there are.")
        {
            json, count,
        };
        AddTo(command, access);
        filter.AddTo(command);
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            DlqFilter wanted = filter.Read(parsed);
            using OpenedLog log = access.Look(parsed, access.ApplicationMeant(parsed));
            var replayed = new ReplayedLetters(log.Contents);
            List<StoredLetter> letters = [.. wanted.Letters(log.Contents)];
            foreach (StoredLetter letter in letters.TakeLast(parsed.GetValue(count)))
                Console.WriteLine(parsed.GetValue(json)
                    ? DlqText.Json(letter, replayed.Contains(letter))
                    : DlqText.Line(letter, replayed.Contains(letter)));
            if (!parsed.GetValue(json))
                WriteSums(letters, letters.Count(replayed.Contains), parsed.GetValue(count));
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static Command CreateShow()
    {
        var access = new LogAccess();
        Option<bool> json = JsonOption("As one line of JSON.");
        var topic = new Argument<string>("topic") { Description = "The topic that the letter is of." };
        var offset = new Argument<long>("offset") { Description = "The letter's offset, as list shows it." };
        var partition = new Option<int>("--partition")
        {
            Description = "The partition of the letters' topic. Default 0.",
        };
        var command = new Command("show", "Print a dead letter whole: where, why, key, headers, value.")
        {
            topic, offset, partition, json,
        };
        AddTo(command, access);
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            using OpenedLog log = access.Look(parsed, access.ApplicationMeant(parsed));
            var wanted = new DlqFilter
            {
                Topic = parsed.GetValue(topic),
                Partition = parsed.GetValue(partition),
                Offset = parsed.GetValue(offset),
            };
            StoredLetter letter = wanted.Letters(log.Contents).FirstOrDefault()
                ?? throw new ConfigurationException(
                    $"There is no dead letter at offset {wanted.Offset} of partition {wanted.Partition} of "
                    + $"'{wanted.Topic}'; 'streams dlq list' shows those that there are.");
            bool isReplayed = new ReplayedLetters(log.Contents).Contains(letter);
            Console.Write(parsed.GetValue(json)
                ? DlqText.Json(letter, isReplayed) + "\n" : DlqText.Page(letter, isReplayed));
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static Command CreateReplay()
    {
        var access = new LogAccess();
        var filter = new DlqFilterOptions();
        Option<bool> json = JsonOption("The counts as one line of JSON.");
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what it would do; change nothing." };
        var all = new Option<bool>("--all")
        {
            Description = "All that were not replayed; without it name a topic, a stage, a reason or an "
                + "operator.",
        };
        var command = new Command(
            "replay", "Write the records of dead letters to their topics again, byte for byte; none twice. "
                + "What a sink refused only with --stage write. On a data directory the process must be "
                + "stopped; on Kafka it may run.")
        {
            json, dryRun, all,
        };
        AddTo(command, access);
        filter.AddTo(command);
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            DlqFilter wanted = filter.Read(parsed);
            if (!wanted.NamesSomething && !parsed.GetValue(all))
                throw new ConfigurationException(
                    "which dead letters? Give --topic, --stage, --reason, --operator or --offset, or --all");
            var counts = new DlqReplay(wanted);
            if (parsed.GetValue(dryRun))
            {
                using OpenedLog log = access.Look(parsed, access.ApplicationMeant(parsed));
                counts.Count(log.Contents);
            }
            else
            {
                using OpenedLog log = access.OpenToChange(parsed, access.ApplicationMeant(parsed));
                counts.Run(log.Log);
            }
            Console.WriteLine(parsed.GetValue(json)
                ? JsonSerializer.Serialize(new
                {
                    replayed = counts.Replayed,
                    replayed_before = counts.ReplayedBefore,
                    not_replayable = counts.NotReplayable,
                    dry_run = parsed.GetValue(dryRun),
                })
                : string.Create(CultureInfo.InvariantCulture,
                    $"{counts.Replayed:N0} {(parsed.GetValue(dryRun) ? "would be " : "")}replayed, "
                    + $"{counts.ReplayedBefore:N0} were before, {counts.NotReplayable:N0} cannot be"));
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static void AddTo(Command command, LogAccess access)
    {
        access.AddTo(command);
        access.AddApplicationTo(
            command, "The application that replays are kept of, on Kafka where there are several.");
    }

    private static void WriteSums(List<StoredLetter> letters, int replayed, int shown)
    {
        if (letters.Count == 0)
        {
            Console.WriteLine("There are no dead letters.");
            return;
        }
        Console.WriteLine();
        IEnumerable<(string Kind, int Count)> sums = letters
            .GroupBy(l => $"{l.Topic.Name}  {l.Letter.Stage}  {l.Letter.Reason}  {l.Letter.Operator}")
            .Select(g => (g.Key, g.Count()))
            .OrderByDescending(s => s.Item2).ThenBy(s => s.Key, StringComparer.Ordinal);
        foreach ((string kind, int count) in sums)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count,9:N0}  {kind}"));
        string rest = letters.Count > shown ? $"; the last {shown} are shown" : "";
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{letters.Count,9:N0}  in all, {replayed:N0} of them replayed{rest}"));
    }

    private static Option<bool> JsonOption(string description) =>
        new("--json") { Description = description };
}
