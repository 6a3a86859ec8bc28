using System.CommandLine;
using System.Net;
using Streams.Connect;
using Streams.Log.Embedded;
using Streams.State;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams state</c>: shows what an application's stores hold, by asking the process that runs it
/// or by reading what a stopped one left.</summary>
internal static class StateCommand
{
    private const string DefaultUrl = "http://127.0.0.1:9464";

    // A little more than a running application takes to say that it cannot answer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    internal static Command Create()
    {
        var run = new RunCommandOptions();
        var store = new Argument<string?>("store")
        {
            Description = "The store; without it, the names of all.",
            DefaultValueFactory = _ => null,
        };
        var url = new Option<string?>("--url")
        {
            Description = $"Where the running application listens. Default {DefaultUrl}, where neither -c "
                + "nor --data is given.",
        };
        var question = new QuestionOptions();
        var command = new Command(
            "state",
            "Print entries of a store, one JSON object a line: of the application that listens on --url, or, "
            + "with -c, or --topology and --data or --kafka, as the last commit left them where none runs in "
            + "the directory.")
        {
            store, url,
        };
        question.AddTo(command);
        run.AddTo(command);
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            bool isStopped = parsed.GetValue(url) is null && run.NamesLog(parsed);
            string? name = parsed.GetValue(store);
            string answer = isStopped
                ? await ReadAsync(run.Read(parsed), name, question.Read(parsed), cancellation)
                : await AskAsync(
                    parsed.GetValue(url) ?? DefaultUrl, name, question.Read(parsed), cancellation);
            Console.Out.Write(answer);
            return ExitCode.Done;
        }));
        return command;
    }

    private static async Task<string> AskAsync(
        string url, string? store, StateQuestion question, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? root))
            throw new ConfigurationException($"--url {url}: write such as {DefaultUrl}.");
        using var client = new HttpClient { BaseAddress = root, Timeout = Patience };
        string path = store is null ? "/state" : $"/state/{Uri.EscapeDataString(store)}?{question.ToUrl()}";
        try
        {
            using HttpResponseMessage response = await client.GetAsync(path, cancellation);
            string text = await response.Content.ReadAsStringAsync(cancellation);
            return response.IsSuccessStatusCode
                ? text
                : throw new StateQueryException(
                    response.StatusCode == HttpStatusCode.NotFound
                        ? $"{url} shows no state: is it the 'listen' address of an application that runs?"
                        : text.TrimEnd());
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException
            && !cancellation.IsCancellationRequested)
        {
            throw new UnavailableException(
                $"Nothing answers at {url}: {e.Message} Give the 'listen' address of the running "
                + "application with --url, or read its directory with -c FILE.", e);
        }
    }

    private static async Task<string> ReadAsync(
        RunSettings settings, string? store, StateQuestion question, CancellationToken cancellation)
    {
        var place = LogPlace.Of(settings);
        ApplicationDefinition definition =
            ApplicationHost.Define(settings, settings.Topology.Build(settings.TopologyOptions));
        if (place.IsOnKafka)
        {
            using OpenedLog log = OpenedLog.ToChange(place, usesFolder: true);
            return await AnswerAsync(new StoppedState(definition, log.Log), store, question, cancellation);
        }
        using EmbeddedLogView view = DataFolder.View(settings.DataFolder);
        return await AnswerAsync(new StoppedState(definition, view), store, question, cancellation);
    }

    private static async Task<string> AnswerAsync(
        StoppedState state, string? store, StateQuestion question, CancellationToken cancellation) =>
        store is null
            ? string.Concat(state.Stores.Select(s => s + "\n"))
            : await question.AnswerAsync(state, store, cancellation);

    /// <summary>The options that say what to read.</summary>
    private sealed class QuestionOptions
    {
        private readonly Option<string?> _key = new("--key")
        {
            Description = "One key: text, a number, JSON of a record, or bytes in hexadecimal behind 0x.",
        };

        private readonly Option<string?> _prefix = new("--prefix")
        {
            Description = "What keys begin with: text, or bytes in hexadecimal behind 0x.",
        };

        private readonly Option<string?> _range = new("--range")
        {
            Description = "FIRST..LAST, both included and each may be left out: keys as --key has them.",
        };

        private readonly Option<DateTimeOffset?> _from = new("--from")
        {
            Description = "Windows and sessions that start then or later, such as 2026-01-31T12:00Z.",
        };

        private readonly Option<DateTimeOffset?> _to = new("--to")
        {
            Description = "Windows and sessions that start then or earlier; versions as they were then.",
        };

        private readonly Option<int> _limit = new("--limit")
        {
            Description = $"How many entries at most, up to {StateQuery.AnswerEntriesMax}. Default 100.",
            DefaultValueFactory = _ => 100,
        };

        private readonly Option<bool> _descending = new("--descending")
        {
            Description = "From the last key to the first.",
        };

        internal void AddTo(Command command)
        {
            foreach (Option option in new Option[] { _key, _prefix, _range, _from, _to, _limit, _descending })
                command.Options.Add(option);
        }

        internal StateQuestion Read(ParseResult parsed)
        {
            string[]? range = parsed.GetValue(_range)?.Split("..", 2);
            if (range is { Length: 1 })
                throw new ConfigurationException(
                    $"--range {range[0]}: write FIRST..LAST, FIRST.. or ..LAST.");
            return new StateQuestion
            {
                Key = parsed.GetValue(_key),
                Prefix = parsed.GetValue(_prefix),
                First = range is [{ Length: > 0 } first, _] ? first : null,
                Last = range is [_, { Length: > 0 } last] ? last : null,
                FromMs = parsed.GetValue(_from)?.ToUnixTimeMilliseconds(),
                ToMs = parsed.GetValue(_to)?.ToUnixTimeMilliseconds(),
                EntriesMax = parsed.GetValue(_limit),
                Descending = parsed.GetValue(_descending),
            };
        }
    }
}
