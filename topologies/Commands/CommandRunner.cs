using Streams.Connect;
using Streams.Connect.Backfills;
using Streams.Connect.Evolution;
using Streams.Errors;
using Streams.Log;
using Streams.Log.Kafka;
using Streams.Processing;
using Streams.State;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary>Runs a command and turns what it throws into one line and an exit code.</summary>
internal static class CommandRunner
{
    internal static async Task<int> RunAsync(Func<Task<int>> command)
    {
        try
        {
            // On a thread of its own: a signal that comes before a command's first await would otherwise end
            // the process at once.
            return await Task.Run(command);
        }
        catch (Exception e)
        {
            return Report(e);
        }
    }

    private static int Report(Exception e)
    {
        int code = CodeOf(e);
        Console.Error.WriteLine(
            code == ExitCode.Internal ? $"streams: internal error: {e}" : $"streams: {e.Message}");
        return code;
    }

    private static int CodeOf(Exception e) => e switch
    {
        ConfigurationException or TopologyException or TopologyChangedException or BackfillRefusedException
            or TopicMismatchException or KafkaOptionException or StateQueryException => ExitCode.Usage,
        UnavailableException or LogInterruptedException or LogUnavailableException or LogFullException
            or LogDamagedException or StateLostException or RecordRejectedException or ReplayException
            or SinkFencedException or RecordTooLargeException
            => ExitCode.Unavailable,
        _ => ExitCode.Internal,
    };
}
