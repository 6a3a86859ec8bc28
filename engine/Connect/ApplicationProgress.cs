using Streams.Log;
using Streams.Processing;

namespace Streams.Connect;

/// <summary>How far an application has come with what there is to read.</summary>
public sealed class ApplicationProgress
{
    private readonly string _group;
    private readonly ITopicLog _log;
    private readonly IReadOnlyList<string> _inputs;
    private readonly TaskEnvironment _environment;
    private readonly int _tasks;

    internal ApplicationProgress(
        string group, ITopicLog log, Topology topology, TaskEnvironment environment, int tasks)
    {
        _group = group;
        _log = log;
        _environment = environment;
        _tasks = tasks;
        _inputs = [.. topology.Parts.SelectMany(p => p.Sources).Select(environment.NameOf).Distinct()];
    }

    /// <summary>The topics that the application's tasks read.</summary>
    public IReadOnlyList<string> Inputs => _inputs;

    /// <summary>Records of a topic that the application has not processed; 0 where it does not read the
    /// topic.</summary>
    /// <remarks>On Kafka as of a moment ago, as are <see cref="Lags"/>.</remarks>
    public long LagOf(string topic) => _inputs.Contains(topic) ? KnownLag(_group, topic) : 0;

    /// <summary>Records that have not been processed, per topic that the application reads.</summary>
    public IEnumerable<(string Topic, long Records)> Lags() => _inputs.Select(t => (t, KnownLag(_group, t)));

    /// <summary>Whether everything that the tasks read is processed and committed.</summary>
    /// <remarks>Nothing is under way between parts: outputs and positions are committed together, so with
    /// every position at its end, and nothing held for a call outside, no task can produce anything
    /// further.</remarks>
    internal bool IsCaughtUp()
    {
        long before = _log.WaitForCommit(long.MaxValue, TimeSpan.Zero, CancellationToken.None);
        bool caughtUp = _inputs.All(topic => Lag(_group, topic) == 0) && HoldsNothing();
        return caughtUp && _log.WaitForCommit(long.MaxValue, TimeSpan.Zero, CancellationToken.None) == before;
    }

    /// <summary>Whether a sink has committed everything of its topics.</summary>
    internal bool IsCaughtUp(string sink, IReadOnlyList<string> topics) =>
        topics.All(topic => Lag(sink, topic) == 0);

    // Where processes share the work, each knows what it holds itself.
    private bool HoldsNothing() => _log.SharesWork
        ? _environment.Figures.Values.All(task => task.HeldRecords == 0)
        : _environment.Figures.Values.Count(task => task.HeldRecords == 0) == _tasks;

    /// <summary>Records that the sink that is furthest behind has not committed.</summary>
    internal long SinkLag(IReadOnlyList<SinkBinding> sinks)
    {
        long most = 0;
        // By index: it is asked before each read of a source, and an enumerator would be an object each time.
        for (int s = 0; s < sinks.Count; s++)
        {
            long lag = 0;
            for (int t = 0; t < sinks[s].Topics.Count; t++)
                lag += KnownLag(sinks[s].Name, sinks[s].Topics[t]);
            most = Math.Max(most, lag);
        }
        return most;
    }

    private long KnownLag(string group, string topicName)
    {
        Topic topic = _log.FindTopic(topicName)!;
        long lag = 0;
        for (int p = 0; p < topic.Partitions; p++)
            lag += Math.Max(0, _log.KnownEndOffset(topic[p]) - _log.KnownPosition(group, topic[p]));
        return lag;
    }

    // To where records are, decided or not: Kafka says that a transaction is committed before it lets readers
    // past its records.
    private long Lag(string group, string topicName)
    {
        Topic topic = _log.FindTopic(topicName)!;
        long lag = 0;
        for (int p = 0; p < topic.Partitions; p++)
        {
            long end = _log.HighWatermark(topic[p]);
            lag += end - (_log.CommittedOffset(group, topic[p]) ?? _log.StartOffset(topic[p]));
        }
        return lag;
    }
}
