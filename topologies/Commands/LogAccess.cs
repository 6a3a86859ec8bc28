using System.CommandLine;
using Streams.Connect;
using Streams.Log.Kafka;
using Streams.Topologies.Configuration;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary>The options that say which log a command looks at: a data directory, which may be in use, or
/// Kafka.</summary>
internal sealed class LogAccess
{
    private readonly Option<string?> _file = new("--config", "-c")
    {
        Description = "The configuration file of the application, for 'data' or 'kafka' and its name.",
    };

    private readonly Option<string?> _data = new("--data") { Description = "The data directory." };
    private readonly Option<string?> _kafka = new("--kafka")
    {
        Description = "Brokers, where the log is on Kafka: HOST:PORT[,HOST:PORT][?option=value&...].",
    };

    private readonly Option<string?> _application = new("--application");

    /// <summary>Lets the command say which application is meant.</summary>
    internal void AddApplicationTo(Command command, string description)
    {
        _application.Description = description;
        command.Options.Add(_application);
    }

    internal void AddTo(Command command)
    {
        command.Options.Add(_file);
        command.Options.Add(_data);
        command.Options.Add(_kafka);
    }

    /// <summary>The data directory; null where none was given.</summary>
    internal string? DataOf(ParseResult parsed) =>
        parsed.GetValue(_data) ?? FileOf(parsed)["data"]?.AsText();

    /// <summary>The application that was given or that the configuration names; null for none.</summary>
    internal string? ApplicationOf(ParseResult parsed) =>
        parsed.GetValue(_application) ?? FileOf(parsed)["application"]?.AsText()
            ?? FileOf(parsed)["topology"]?.AsText();

    /// <summary>The application that is meant, where groups and cursors carry its name: the only one, if none
    /// was given.</summary>
    /// <returns>Null for one that needs no name, because the log is a directory.</returns>
    /// <exception cref="ConfigurationException">There are several.</exception>
    internal string? ApplicationMeant(ParseResult parsed)
    {
        if (ApplicationOf(parsed) is { } given)
            return given;
        if (!IsOnKafka(parsed))
            return null;
        IReadOnlyList<string> applications = Applications(parsed);
        return applications.Count == 1 ? applications[0] : throw new ConfigurationException(
            $"Which application? Give --application: {string.Join(", ", applications.DefaultIfEmpty(
                "none is here"))}.");
    }

    /// <summary>Whether the log is on Kafka.</summary>
    internal bool IsOnKafka(ParseResult parsed) => KafkaOf(parsed).Brokers.Length > 0;

    /// <summary>The applications that the log knows.</summary>
    internal IReadOnlyList<string> Applications(ParseResult parsed)
    {
        using OpenedLog log = Look(parsed);
        return IsOnKafka(parsed) ? KafkaLog.ApplicationsAmong(log.Contents.Topics)
            : LagReport.Applications(log.Contents);
    }

    /// <summary>Opens the log to look at it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="application">Whose groups are meant on Kafka; null for that of the
    /// configuration.</param>
    internal OpenedLog Look(ParseResult parsed, string? application = null) =>
        OpenedLog.Look(PlaceOf(parsed, application));

    /// <summary>Opens the log to change it; where it is a directory, no process may run on it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="application">The application; null for the configuration's.</param>
    /// <param name="setsRetention">Whether a topic's retention was asked for, and Kafka is to go by
    /// it.</param>
    /// <param name="usesFolder">Whether the data directory of an application on Kafka is changed
    /// too.</param>
    internal OpenedLog OpenToChange(
        ParseResult parsed, string? application = null, bool setsRetention = false, bool usesFolder = false)
    {
        LogPlace place = PlaceOf(parsed, application);
        return OpenedLog.ToChange(
            place with
            {
                Kafka = place.Kafka with
                {
                    RetentionByEventTime = setsRetention || place.Kafka.RetentionByEventTime,
                },
            },
            usesFolder);
    }

    private LogPlace PlaceOf(ParseResult parsed, string? application) => new()
    {
        Data = DataOf(parsed),
        Application = application ?? ApplicationOf(parsed) ?? "streams",
        Kafka = KafkaOf(parsed),
    };

    private ConfigSection FileOf(ParseResult parsed) => parsed.GetValue(_file) is { } path
        ? ConfigSection.ReadFile(path) : ConfigSection.Empty("command line");

    // A directory on the command line is meant, whatever the file says.
    private KafkaLogOptions KafkaOf(ParseResult parsed) =>
        parsed.GetValue(_data) is not null && parsed.GetValue(_kafka) is null ? new KafkaLogOptions()
            : RunSettingsReader.KafkaOf(FileOf(parsed), parsed.GetValue(_kafka));
}
