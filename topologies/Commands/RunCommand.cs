using System.CommandLine;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using Streams.Topologies.Configuration;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams run</c>: runs a topology until it is asked to stop, or until its sources are
/// exhausted.</summary>
internal static class RunCommand
{
    internal static Command Create()
    {
        var options = new RunCommandOptions();
        var drain = new Option<bool>("--drain")
        {
            Description = "Stop when every source is exhausted and all is committed; then print counts.",
        };
        var strict = new Option<bool>("--strict")
        {
            Description = "Exit with 4 when anything became a dead letter.",
        };
        var json = new Option<bool>("--json") { Description = "Print the counts as one line of JSON." };
        var command = new Command(
            "run", "Run a topology until SIGTERM, which drains and commits, or with --drain to the end.")
        {
            drain, strict, json,
        };
        options.AddTo(command);
        options.AddAcceptTo(command);
        options.AddRangeTo(command);
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(() =>
        {
            RunSettings settings = options.Read(parsed, parsed.GetValue(drain), parsed.GetValue(strict));
            return RunAsync(settings, parsed.GetValue(json), cancellation);
        }));
        return command;
    }

    private static async Task<int> RunAsync(RunSettings settings, bool json, CancellationToken cancellation)
    {
        using ILoggerFactory factory = HostLog.CreateFactory(settings.Options.LogFormat);
        ILogger logger = factory.CreateLogger("streams");
        using var stop = new StopSignal(logger.Stopping, cancellation);
        long started = Stopwatch.GetTimestamp();
        await using ApplicationHost host = ApplicationHost.Open(settings, logger);
        foreach (string note in host.Built.Notes)
            logger.Note(note);
        await host.StartAsync(settings.Options.Listen);
        if (host.Address is { } address)
            logger.Listening(address);
        await host.WaitAsync(settings.Drain, null, stop.Token);
        host.Application.Stop();
        // Reported when the log is written, so that the reason is the last line.
        if (host.Application.Failure is { } failure)
            ExceptionDispatchInfo.Throw(failure);
        RunSummary summary = host.Summarise(Stopwatch.GetElapsedTime(started));
        if (json)
            summary.WriteJson(Console.Out);
        else
            summary.Write(Console.Out);
        return settings.Strict && summary.DeadLetters > 0 ? ExitCode.DeadLetters : ExitCode.Done;
    }
}

/// <summary>The options that say what to run.</summary>
internal sealed class RunCommandOptions
{
    private readonly Option<string?> _file = new("--config", "-c")
    {
        Description = "Configuration file (YAML).",
    };
    private readonly Option<string?> _topology = new("--topology") { Description = "The topology's name." };
    private readonly Option<string[]> _sources = new("--source")
    {
        Description = "KIND:LOCATION[?option=value&...]; may be repeated.",
    };

    private readonly Option<string[]> _sinks = new("--sink")
    {
        Description = "KIND:LOCATION[?option=value&...]; may be repeated.",
    };

    private readonly Option<string[]> _options = new("--option")
    {
        Description = "An option of the topology, such as risk.alert_score_min=40; may be repeated.",
    };

    private readonly Option<string?> _data = new("--data") { Description = "The data directory." };
    private readonly Option<string?> _kafka = new("--kafka")
    {
        Description = "Keep the log on Apache Kafka at these brokers, host:port,...[?option=value&...].",
    };

    private readonly Option<string?> _listen = new("--listen")
    {
        Description = "Serve /metrics, /healthz, /readyz and, to this machine, /state here, such as "
            + "127.0.0.1:9464.",
    };

    private readonly Option<string?> _logFormat = new("--log-format")
    {
        Description = "How messages are written: text, or json for one object a line.",
    };

    private readonly Option<string[]> _accept = new("--accept-loss")
    {
        Description = "A store whose state, or another thing that 'streams plan' names, may be lost for a "
            + "change of the topology; may be repeated.",
    };

    private readonly Option<string[]> _from = new("--from")
    {
        Description = "Process again from here: a time such as 2026-11-20, TOPIC:TIME, TOPIC:offset=1200, "
            + "SOURCE:TIME, SOURCE:height=800000, or 'start'; may be repeated.",
    };

    private readonly Option<string[]> _to = new("--to")
    {
        Description = "Write outputs again up to before here only; written like --from.",
    };

    /// <summary>Lets the command say what is to be processed again.</summary>
    internal void AddRangeTo(Command command)
    {
        command.Options.Add(_from);
        command.Options.Add(_to);
    }

    /// <summary>Lets the command say what may be lost.</summary>
    internal void AddAcceptTo(Command command) => command.Options.Add(_accept);

    /// <summary>Whether it is said where the data lies.</summary>
    internal bool NamesLog(ParseResult parsed) => parsed.GetValue(_file) is not null
        || parsed.GetValue(_data) is not null || parsed.GetValue(_kafka) is not null;

    internal void AddTo(Command command)
    {
        foreach (
            Option option in new Option[]
            {
                _file, _topology, _sources, _sinks, _options, _data, _kafka, _listen, _logFormat,
            })
            command.Options.Add(option);
    }

    /// <summary>Reads what is to run.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="drain">Whether it ends with its sources.</param>
    /// <param name="strict">Whether dead letters count as a failure.</param>
    /// <param name="needsData">Whether the command looks into the data directory.</param>
    internal RunSettings Read(
        ParseResult parsed, bool drain = false, bool strict = false, bool needsData = true)
    {
        ConfigSection file = parsed.GetValue(_file) is { } path
            ? ConfigSection.ReadFile(path)
            : ConfigSection.Empty("command line");
        return RunSettingsReader.Read(file, new CommandLineSettings
        {
            Topology = parsed.GetValue(_topology),
            Sources = parsed.GetValue(_sources) ?? [],
            Sinks = parsed.GetValue(_sinks) ?? [],
            Options = parsed.GetValue(_options) ?? [],
            Data = parsed.GetValue(_data) ?? (needsData || file["data"] is not null ? null : "."),
            Kafka = parsed.GetValue(_kafka),
            Listen = parsed.GetValue(_listen),
            LogFormat = parsed.GetValue(_logFormat),
            AcceptedLosses = parsed.GetValue(_accept) ?? [],
            From = parsed.GetValue(_from) ?? [],
            To = parsed.GetValue(_to) ?? [],
            Drain = drain,
            Strict = strict,
        });
    }
}
