using System.CommandLine;
using Streams.Connect;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Kafka;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary>The options that say which log a command looks at: a data directory, which may be in use, or
/// Kafka.</summary>
internal sealed class LogAccess
{
    private readonly Option<string?> _data = new("--data") { Description = "The data directory." };
    private readonly Option<string?> _kafka = new("--kafka")
    {
        Description = "Brokers, where the log is on Kafka: HOST:PORT[,HOST:PORT][?option=value&...].",
    };

    internal void AddTo(Command command)
    {
        command.Options.Add(_data);
        command.Options.Add(_kafka);
    }

    /// <summary>The data directory, for what needs one.</summary>
    internal string DataOf(ParseResult parsed) => parsed.GetValue(_data)
        ?? throw new ConfigurationException("Where is the data? Give --data DIR.");

    /// <summary>Opens the log to look at.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="application">Whose group is meant on Kafka.</param>
    internal OpenedLog Open(ParseResult parsed, string application = "streams")
    {
        if (parsed.GetValue(_kafka) is not { } brokers)
        {
            EmbeddedLogView view = DataFolder.View(DataOf(parsed));
            return new OpenedLog(view, view);
        }
        ITopicLog log = OpenKafka(brokers, application);
        return new OpenedLog(new OpenLogContents(log), log);
    }

    /// <summary>Opens the log to change it; where it is a directory, no process may run on it.</summary>
    internal ITopicLog OpenWritable(ParseResult parsed, string application = "streams")
    {
        if (parsed.GetValue(_kafka) is { } brokers)
            return OpenKafka(brokers, application);
        string data = DataOf(parsed);
        // A directory that is none is not made one.
        DataFolder.View(data).Dispose();
        return EmbeddedLog.Open(new LogOptions().ToLog(DataFolder.LogFolder(data)));
    }

    private static KafkaLog OpenKafka(string brokers, string application) => KafkaLog.Open(
        application, RunSettingsReader.KafkaOf(brokers),
        HostLog.CreateFactory(LogFormat.Text).CreateLogger("streams"));
}

/// <summary>A log that is open to be looked at.</summary>
/// <param name="Contents">What it holds.</param>
/// <param name="Closed">What is to be closed.</param>
internal sealed record OpenedLog(ILogContents Contents, IDisposable Closed) : IDisposable
{
    public void Dispose() => Closed.Dispose();
}
