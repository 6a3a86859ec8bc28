using Streams.Errors;
using Streams.Log;
using Streams.Processing;

namespace Streams.Connect;

/// <summary>Creates the topics that an application needs and works out its tasks.</summary>
internal sealed class TopicSetup(ApplicationDefinition definition, ITopics log, bool sharesWork = false)
{
    private readonly Topology _topology = definition.Topology;

    private bool KeepsDeadLetters => definition.Runtime.DecodingFailures == FailurePolicy.DeadLetter
        || definition.Runtime.ProcessingFailures == FailurePolicy.DeadLetter;

    /// <summary>Creates what is missing and checks the rest.</summary>
    /// <returns>The tasks.</returns>
    internal IReadOnlyList<TaskId> Prepare()
    {
        StoresOnDisk.Check(_topology, definition.Runtime);
        foreach (TopicSpec spec in definition.Topics.Concat(_topology.Declared))
            log.EnsureTopic(spec);
        foreach (string topic in _topology.SinkTopics)
            _ = log.FindTopic(topic) ?? log.EnsureTopic(new TopicSpec { Name = topic });
        foreach (string topic in _topology.SourceTopics)
            RequireSource(topic);
        foreach (SourceBinding source in definition.Sources)
            DeadLetterTopics.Ensure(log, RequireSource(source.Topic));
        EnsureRepartitions();
        foreach (Copartition together in _topology.Parts.SelectMany(p => p.Copartitions))
            together.RequireEqualPartitions(
                s => log.FindTopic(FullName(s)) is { } t ? (t.Name, t.Partitions) : null);
        IReadOnlyList<TaskId> tasks = [.. _topology.Parts.SelectMany(PrepareTasks)];
        // The parts share this changelog, so it has the partitions of the widest.
        EnsureChangelog(Topology.StreamTimeStore, tasks.Max(t => t.Partition) + 1, compacted: true);
        return tasks;
    }

    private Topic RequireSource(string name)
    {
        Topic topic = log.FindTopic(name) ?? throw new TopologyException(
            $"The topic '{name}' does not exist. Topics: " +
            $"{string.Join(", ", log.Topics.Select(t => t.Name))}.");
        EnsureDeadLetters(topic);
        return topic;
    }

    // Whatever tasks read can break them: what an operator behind a repartition throws at comes from there.
    private void EnsureDeadLetters(Topic topic)
    {
        if (KeepsDeadLetters)
            DeadLetterTopics.Ensure(log, topic);
    }

    // A part that reads only topics that other parts write waits until those are sized.
    private void EnsureRepartitions()
    {
        var waiting = new Dictionary<string, int?>(_topology.Repartitions);
        void Size(string name, int? partitions)
        {
            if (partitions is not { } count)
                return;
            EnsureDeadLetters(log.EnsureTopic(
                new TopicSpec { Name = $"{definition.Id}-{name}", Partitions = count, IsInternal = true }));
            waiting.Remove(name);
        }

        while (waiting.Count > 0)
        {
            int before = waiting.Count;
            foreach ((string name, int? partitions) in waiting.ToArray())
                Size(name, partitions ?? PartitionsOf(name, all: true));
            // A part may feed itself: then what is sized of the topics that lead to it has to do.
            for (int i = 0; waiting.Count == before && i < before; i++)
                Size(waiting.Keys.ElementAt(i), PartitionsOf(waiting.Keys.ElementAt(i), all: false));
            if (waiting.Count == before)
                throw new TopologyException(
                    $"Repartition topics feed one another: {string.Join(", ", waiting.Keys)}.");
        }
    }

    // As many as the topics that its part reads beside it have, for a join needs them alike; where the part
    // reads nothing else that is sized, as many as the widest of what feeds it and the others.
    private int? PartitionsOf(string topic, bool all)
    {
        SubTopology reading = _topology.Parts.First(p => p.Sources.Any(s => s.IsInternal
            && s.TopicName == topic));
        List<int> sized = [.. reading.Sources.Select(s => log.FindTopic(FullName(s))?.Partitions ?? 0)];
        if (sized.Max() > 0)
            return sized.Max();
        List<int?> feeding = [.. reading.Sources.Where(s => s.IsInternal)
            .Select(s => FeedingPartitions(s.TopicName, all))];
        return all && feeding.Contains(null) ? null : feeding.Max();
    }

    private int? FeedingPartitions(string topic, bool all)
    {
        SubTopology feeding = _topology.Parts.First(
            p => p.Nodes.Any(n => n is ISinkNode { IsInternal: true } && n.TopicName == topic));
        List<Topic?> sources = [.. feeding.Sources.Select(s => log.FindTopic(FullName(s)))];
        return all && sources.Contains(null) ? null : sources.Max(t => t?.Partitions);
    }

    private IEnumerable<TaskId> PrepareTasks(SubTopology part)
    {
        int partitions = part.Sources.Max(s => log.FindTopic(FullName(s))!.Partitions);
        if (KeepsDeadLetters || part.Nodes.Any(n => n.WritesDeadLetters))
        {
            foreach (SourceNode source in part.Sources)
                DeadLetterTopics.Ensure(log, log.FindTopic(FullName(source))!);
        }
        foreach (string store in ChangelogStores(part))
            EnsureChangelog(store, partitions, compacted: IsOnDisk(part, store));
        return Enumerable.Range(0, partitions).Select(p => new TaskId(part.Id, p));
    }

    private static IEnumerable<string> ChangelogStores(SubTopology part)
    {
        foreach (StoreSpec store in part.Stores.Where(s => s.Options.Logged))
            yield return store.Name;
        if (part.Stores.Any(s => s.Savepoints))
            yield return Topology.SavepointStore;
    }

    private bool IsOnDisk(SubTopology part, string store) =>
        part.Stores.Any(s => s.Name == store && definition.Runtime.IsOnDisk(s));

    // A store's snapshots cut its changelog off behind them, which costs next to nothing; compacting it as
    // well would rewrite every record several times. Only what has no snapshots is compacted; that of a store
    // on disk too, which a damaged database is built from again.
    // Where another process may take over, its changelog has to do without them.
    private void EnsureChangelog(string store, int partitions, bool compacted)
    {
        string name = $"{definition.Id}-{store}-changelog";
        // Stream times once needed a wider one: that serves as well.
        int kept = store == Topology.StreamTimeStore ? log.FindTopic(name)?.Partitions ?? 0 : 0;
        log.EnsureTopic(ChangelogOf(name, Math.Max(partitions, kept), compacted || sharesWork));
    }

    /// <summary>What a changelog is to be like.</summary>
    internal static TopicSpec ChangelogOf(string name, int partitions, bool compacted) =>
        new() { Name = name, Partitions = partitions, Compacted = compacted, Retention = null };

    private string FullName(SourceNode source) =>
        source.IsInternal ? $"{definition.Id}-{source.TopicName}" : source.TopicName;
}
