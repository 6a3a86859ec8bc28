using System.Diagnostics;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>Numbers that grow with each key, sent by Kafka's own producer until it is told to stop.</summary>
internal sealed class ChaosFeed : IDisposable
{
    internal const int Keys = 50;

    private const int NumbersPerSecond = 400;
    private const int NumbersAtOnce = 20;

    private readonly List<long>[] _sent = [.. Enumerable.Range(0, Keys).Select(_ => new List<long>())];
    private readonly Process _producer;
    private readonly int _seed;

    internal ChaosFeed(KafkaCluster cluster, int seed, ChaosJournal journal)
    {
        _seed = seed;
        _producer = cluster.StartTool(
            "console-producer", "--topic", KafkaWorker.Input, "--property", "parse.key=true",
            "--producer-property", "enable.idempotence=true", "--producer-property",
            "delivery.timeout.ms=240000", "--producer-property", "max.block.ms=240000",
            "--message-send-max-retries", "1000000");
        // It stands still when nobody takes what it says.
        _producer.OutputDataReceived += (_, line) => journal.Write($"producer: {line.Data}");
        _producer.BeginOutputReadLine();
    }

    /// <summary>The numbers of each key, in order; complete once the sending has ended.</summary>
    internal IReadOnlyList<IReadOnlyList<long>> Sent => _sent;

    internal int Total => _sent.Sum(s => s.Count);

    internal Task SendAsync(CancellationToken over) => Task.Run(() => Send(over), CancellationToken.None);

    public void Dispose()
    {
        if (!_producer.HasExited)
            _producer.Kill(entireProcessTree: true);
        _producer.Dispose();
    }

    private void Send(CancellationToken over)
    {
        var random = new Random(_seed);
        for (long number = 0; !over.IsCancellationRequested; number++)
        {
            int key = random.Next(Keys);
            _producer.StandardInput.Write($"k{key}\t{number}\n");
            _sent[key].Add(number);
            if (number % NumbersAtOnce == 0)
            {
                _producer.StandardInput.Flush();
                Thread.Sleep(NumbersAtOnce * 1_000 / NumbersPerSecond);
            }
        }
        _producer.StandardInput.Close();
        Assert.True(_producer.WaitForExit(TimeSpan.FromMinutes(5)), "Kafka's producer does not end.");
    }
}
