using System.Globalization;
using Streams.Log;
using Streams.Processing;

namespace Streams.Connect.Evolution;

/// <summary>What a comparison came to.</summary>
/// <param name="Now">The shape as the application would run.</param>
/// <param name="Recorded">The shape that is recorded; null for none.</param>
/// <param name="Changes">The differences.</param>
/// <param name="Removals">What is to be deleted before it starts, once the losses are accepted.</param>
/// <param name="Migrations">Stores that are to be migrated before it starts.</param>
internal sealed record Comparison(
    TopologyShape Now, TopologyShape? Recorded, TopologyChanges Changes, IReadOnlyList<Removal> Removals,
    IReadOnlyList<string> Migrations);

/// <summary>Compares an application's topology with the recorded one: says what proceeds, what would be lost
/// and what can be done about it.</summary>
internal sealed partial class ShapeComparison
{
    /// <summary>The cursor source that shapes are recorded under; its keys are the applications'
    /// ids.</summary>
    internal const string CursorSource = "topologies";

    private readonly ApplicationDefinition _definition;
    private readonly ILogContents _log;
    private readonly TopologyShape _now;
    private readonly TopologyShape _old;
    private readonly List<TopologyChange> _changes = [];
    private readonly List<Removal> _removals = [];
    private readonly List<string> _migrations = [];

    private ShapeComparison(
        ApplicationDefinition definition, ILogContents log, TopologyShape now, TopologyShape? old)
    {
        _definition = definition;
        _log = log;
        _now = now;
        // Without a record, what runs now is what there was.
        _old = old ?? now;
    }

    /// <summary>Compares.</summary>
    /// <exception cref="TopologyException">The topology cannot run on that log at all.</exception>
    internal static Comparison Compare(ApplicationDefinition definition, ILogContents log)
    {
        var topics = new PlannedTopics(log);
        TopologyShape now = ShapeReader.Read(definition, topics);
        Dictionary<string, TopologyShape> recorded = log.Cursors(CursorSource)
            .ToDictionary(c => c.Key, c => TopologyShape.Read(c.Value));
        TopologyShape? old = recorded.GetValueOrDefault(definition.Id);
        var comparison = new ShapeComparison(definition, log, now, old);
        comparison.CompareTopics(topics);
        if (old is null)
            comparison.CompareApplications(recorded.Values);
        comparison.CompareStores();
        comparison.CompareRepartitions();
        comparison.CompareSources();
        comparison.CompareNames();
        return new Comparison(
            now, old, comparison.Result(old is null), [.. comparison._removals.Distinct()],
            comparison._migrations);
    }

    private TopologyChanges Result(bool isFirst)
    {
        IReadOnlyList<TopologyChange> changes = [.. _changes.OrderByDescending(c => c.Effect)];
        string[] lost = [.. changes.Where(c => c.Effect == ChangeEffect.LosesState).Select(c => c.Subject)];
        return new TopologyChanges(_definition.Id, isFirst, changes)
        {
            NeedlesslyAccepted = [.. _definition.AcceptedLosses.Except(lost)],
        };
    }

    // What belongs to the application is deleted and made anew; other topics are nobody's to change.
    private void CompareTopics(PlannedTopics topics)
    {
        HashSet<string> own = [.. _now.Repartitions.Select(r => r.Name), .. _now.Stores.Select(Changelog)];
        foreach ((Topic existing, Topic planned) in topics.Mismatches
            .Where(t => !own.Contains(t.Planned.Name)))
        {
            Add(new TopologyChange(
                ChangeEffect.Impossible, planned.Name,
                $"has {Partitions(existing.Partitions)}, and the topology asks for {planned.Partitions}")
            {
                Kind = "topic",
                Reasons = ["keys would move between partitions, away from their state"],
                WaysOut =
                [
                    $"ask for {existing.Partitions}",
                    $"give the topic with {planned.Partitions} another name",
                ],
            });
        }
    }

    // Called otherwise, an application begins anew, and writes everything again.
    private void CompareApplications(IEnumerable<TopologyShape> others)
    {
        HashSet<string> stores = [.. UserStores(_now)];
        foreach (TopologyShape other in others.Where(o => UserStores(o).Any(stores.Contains)))
        {
            string shared = Quoted(UserStores(other).Where(stores.Contains));
            string what = $"is what this directory holds, not '{_now.Application}'";
            Add(Loss("application", other.Application, what) with
            {
                Reasons =
                [
                    $"they share the stores {shared}; was it renamed?",
                    $"'{_now.Application}' begins without state and reads every topic from its first record, "
                        + "so all outputs would be written again",
                ],
                WaysOut =
                [
                    $"call the application '{other.Application}' again",
                    "give it a data directory of its own",
                    $"if it is to begin anew beside '{other.Application}', of which nothing is deleted: "
                        + Accept(other.Application),
                ],
            });
        }
    }

    private void CompareRepartitions()
    {
        foreach (RecordedTopic old in _old.Repartitions)
        {
            RecordedTopic? now = _now.Repartitions.FirstOrDefault(r => r.Name == old.Name);
            if (now is null ? _log.FindTopic(old.Name) is null : PartitionsKept(now))
                continue;
            string what = now is null
                ? "is not written any more"
                : $"gets {Partitions(now.Partitions)} instead of {old.Partitions}";
            _removals.Add(new Removal(old.Name, null));
            long waiting = Unread(old.Name);
            Add(waiting == 0
                ? Fine("topic", old.Name, $"{what}; all in it is processed, and it is deleted")
                : Loss("topic", old.Name, $"{what}, and {waiting:N0} records in it are not processed") with
                {
                    Reasons = RenamedTo(now, NewRepartitions()),
                    WaysOut =
                    [
                        now is null
                            ? "if it was renamed, give the operator the old name: Repartitioned.Name or "
                                + $"Grouped.Name = \"{ShortName(old.Name)}\""
                            : $"keep {Partitions(old.Partitions)}",
                        "run the old topology until it has processed them (--drain), then this one",
                        $"give the records up: {Accept(old.Name)}",
                    ],
                });
        }
    }

    private bool PartitionsKept(RecordedTopic topic) =>
        _log.FindTopic(topic.Name) is not { } existing || existing.Partitions == topic.Partitions;

    private string[] NewRepartitions() => [.. _now.Repartitions.Select(r => r.Name)
        .Except(_old.Repartitions.Select(r => r.Name))];

    private static string[] RenamedTo(RecordedTopic? now, string[] candidates) => now is null
        && candidates.Length > 0
        ? [$"new is {Quoted(candidates)}: was it renamed?"]
        : [];

    private void CompareSources()
    {
        foreach (RecordedTopic old in _old.Sources.Where(o => _now.Sources.All(s => s.Name != o.Name)))
            Add(Fine("topic", old.Name, $"is not read any more; its position stays, {Unread(old.Name):N0} "
                + "records before the end"));
        foreach (RecordedTopic now in _now.Sources.Where(s => _old.Sources.All(o => o.Name != s.Name)))
            Add(Fine("topic", now.Name, $"is read as well, {Begin(now.Name)}"));
        foreach (string sink in _old.Sinks.Except(_now.Sinks))
            Add(Fine("topic", sink, "is not written any more; what is in it stays"));
        foreach (string sink in _now.Sinks.Except(_old.Sinks))
            Add(Fine("topic", sink, "is written as well"));
    }

    private void CompareNames()
    {
        foreach (string name in _old.Operators.Except(_now.Operators))
            Add(Fine("operator", name, "is gone"));
        foreach (string name in _now.Operators.Except(_old.Operators))
            Add(Fine("operator", name, "is new"));
    }

    private void Add(TopologyChange change) => _changes.Add(change);

    private static TopologyChange Fine(string kind, string subject, string what) =>
        new(ChangeEffect.Compatible, subject, what) { Kind = kind };

    private TopologyChange Loss(string kind, string subject, string what) =>
        new(ChangeEffect.LosesState, subject, what)
        {
            Kind = kind,
            IsAccepted = _definition.AcceptedLosses.Contains(subject),
        };

    // Whatever its group has not processed of what is still kept.
    private long Unread(string name)
    {
        if (_log.FindTopic(name) is not { } topic)
            return 0;
        return Enumerable.Range(0, topic.Partitions).Sum(p =>
            _log.EndOffset(topic[p]) - Math.Max(Position(topic[p]), _log.StartOffset(topic[p])));
    }

    private long Position(TopicPartition partition) =>
        _log.CommittedOffset(_definition.Id, partition) ?? _log.StartOffset(partition);

    // Where reading begins, such as "from offset 0" or "from offsets 3, 0, 7".
    private string Begin(string name) => _log.FindTopic(name) is { } topic
        ? Offsets(topic, Position)
        : "from offset 0";

    private static string Offsets(Topic topic, Func<TopicPartition, long> offsetOf) =>
        (topic.Partitions == 1 ? "from offset " : "from offsets ") + string.Join(
            ", ", Enumerable.Range(0, topic.Partitions)
                .Select(p => offsetOf(topic[p]).ToString("N0", CultureInfo.InvariantCulture)));

    private string Changelog(RecordedStore store) => $"{_definition.Id}-{store.Name}-changelog";

    private string ShortName(string topic)
    {
        string name = topic[(_definition.Id.Length + 1)..];
        const string Suffix = "-repartition";
        return name.EndsWith(Suffix, StringComparison.Ordinal) ? name[..^Suffix.Length] : name;
    }

    private static string Accept(string name) => $"--accept-loss {name}";

    private static string Partitions(int count) => count == 1 ? "1 partition" : $"{count} partitions";

    private static string Quoted(IEnumerable<string> names) =>
        string.Join(", ", names.Order(StringComparer.Ordinal).Select(n => $"'{n}'"));

    private static IEnumerable<string> UserStores(TopologyShape shape) => shape.Stores.Select(s => s.Name)
        .Except([Topology.SavepointStore, Topology.StreamTimeStore]);
}
