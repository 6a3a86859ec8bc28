using System.Buffers.Binary;
using System.Globalization;
using Streams.Errors;
using Streams.Log;
using Streams.Processing;

namespace Streams.Connect.Backfills;

/// <summary>Works out what a request comes to on a log: which parts of the topology it concerns, where their
/// state has to begin, and what is not kept any more.</summary>
internal sealed class BackfillPlanner
{
    private readonly ApplicationDefinition _definition;
    private readonly ILogContents _log;
    private readonly BackfillRequest _request;
    private readonly BackfillParts _parts;
    private readonly TopicScan _scan;
    private readonly List<string> _problems = [];
    private readonly Dictionary<string, string> _lost = new(StringComparer.Ordinal);
    private readonly List<BackfillInput> _inputs = [];
    private readonly List<BackfillSource> _sources = [];
    private readonly HashSet<string> _rereadTopics = new(StringComparer.Ordinal);
    private long _earliestMs = long.MaxValue;

    private BackfillPlanner(
        ApplicationDefinition definition, ILogContents log, BackfillRequest request, TopicScan scan)
    {
        _definition = definition;
        _log = log;
        _request = request;
        _scan = scan;
        _parts = new BackfillParts(definition);
    }

    internal static BackfillPlan Make(
        ApplicationDefinition definition, ILogContents log, BackfillRequest request)
    {
        using var scan = new TopicScan(log);
        return new BackfillPlanner(definition, log, request, scan).Make();
    }

    private BackfillPlan Make()
    {
        RequireKnownNames();
        RequireNoneUnderWay();
        foreach (SourceBinding source in _definition.Sources.Where(s => Named(_request.From, s.Name)))
            Reread(source);
        string[] topics = [.. _parts.Topics.Where(
            t => _rereadTopics.Contains(t) || PointFor(_request.From, t) is not null)];
        IReadOnlyList<SubTopology> affected = _parts.Affected(topics);
        foreach (string topic in _parts.TopicsOf(affected))
            Plan(topic, topics);
        string[] once = [.. BackfillParts.DeliveredOnce(affected)];
        foreach (string topic in once)
            RequireDelivered(topic);
        if (_problems.Count == 0 && _sources.Count == 0 && _inputs.All(i => i.From == i.End))
            _problems.Add("nothing was processed at or after that point");
        return new BackfillPlan
        {
            Application = _definition.Id,
            Request = _request,
            Inputs = _inputs,
            Sources = _sources,
            Stores = [.. BackfillParts.StoresOf(affected)],
            DeliveredOnce = once,
            Problems = [.. _problems.Distinct()],
            Losses = [.. _lost.Select(l => new BackfillLoss(
                l.Key, l.Value, _definition.AcceptedLosses.Contains(l.Key)))],
            Waiting = Waiting(),
            Internal = [.. _parts.InternalOf(affected)],
            Outputs = [.. once, .. _parts.TopicsOf(affected).Select(t => t + DeadLetterTopics.Suffix)
                .Where(t => _log.FindTopic(t) is not null)],
            TimeKeys = [.. BackfillParts.TimeKeysOf(affected)],
        };
    }

    private void RequireKnownNames()
    {
        string[] known = [.. _parts.Topics, .. _definition.Sources.Select(s => s.Name)];
        foreach (BackfillPoint point in _request.From.Concat(_request.To))
        {
            if (point.Name is { } name && !known.Contains(name))
                _problems.Add(
                    $"'{point.Words}': '{name}' is no topic that is read and no source; there are "
                    + string.Join(", ", known));
        }
        foreach (string topic in _parts.WrittenAndRead)
            _problems.Add(
                $"the topic '{topic}' is both written and read: what was derived could not be told from what "
                + "came in; send the records through Repartition instead");
        if (_request.From.Count == 0)
            _problems.Add("it needs a point to begin at (--from)");
    }

    private void RequireNoneUnderWay()
    {
        if (BackfillRecord.Read(_log, _definition.Id) is { IsDone: false } current
            && (current.Left(_log, _definition.Id) > 0 || current.SourcesLeft(_log).Any()))
            _problems.Add(
                $"a backfill is under way ({current.Words}): run the application until it is through, then "
                + "begin another");
    }

    private void Reread(SourceBinding source)
    {
        BackfillPoint from = PointFor(_request.From, source.Name)!;
        BackfillPoint? to = PointFor(_request.To, source.Name);
        if (!source.CanBeReadAgain)
            _problems.Add(
                $"the source '{source.Name}' cannot be read again; what its topic still keeps can: "
                + $"--from {source.Topic}:TIME");
        string[] together = [.. _definition.Sources.Where(s => s.Topic == source.Topic).Select(s => s.Name)
            .Where(s => !Named(_request.From, s))];
        foreach (string other in together)
            _problems.Add($"'{other}' writes '{source.Topic}' too: say where it begins (--from {other}:...)");
        string? unit = UnitOf(source, from);
        if (to is not null && UnitOf(source, to) != unit)
            _problems.Add($"'{from.Words}' and '{to.Words}' are in different units");
        if (_log.FindTopic(source.Topic) is { } topic && LatestMs(source, topic) is { } endMs)
            _sources.Add(new BackfillSource(
                source.Name, source.Topic, unit, from.Unit == BackfillUnit.Start ? long.MinValue
                    : from.Values[0], to?.Values[0], endMs));
        else
            _problems.Add($"the source '{source.Name}' has emitted nothing yet");
        _rereadTopics.Add(source.Topic);
    }

    private string? UnitOf(SourceBinding source, BackfillPoint point)
    {
        if (point.Unit is BackfillUnit.Start or BackfillUnit.Time)
            return null;
        if (point.Unit == BackfillUnit.Position && point.UnitName == source.PositionUnit)
            return point.UnitName;
        _problems.Add(
            $"'{point.Words}': the source '{source.Name}' goes by time"
            + (source.PositionUnit is { } own ? $" or {own}=NUMBER" : ""));
        return null;
    }

    private long? LatestMs(SourceBinding source, Topic topic)
    {
        byte[]? kept = _log.Cursors(SourceCursors.Of(source.Name))
            .FirstOrDefault(c => c.Key == SourceCursors.LatestTimestamp).Value;
        return kept is { Length: sizeof(long) }
            ? BinaryPrimitives.ReadInt64LittleEndian(kept)
            : _scan.LatestTime(topic);
    }

    private void Plan(string name, string[] given)
    {
        if (_log.FindTopic(name) is not { } topic)
        {
            _problems.Add($"the topic '{name}' does not exist");
            return;
        }
        if (_rereadTopics.Contains(name))
        {
            // What is in it now is not read again: the source brings it anew, behind.
            for (int p = 0; p < topic.Partitions; p++)
            {
                long end = _log.EndOffset(topic[p]);
                _inputs.Add(new BackfillInput(name, p, end, end, end, end));
            }
            _earliestMs = long.MinValue;
            return;
        }
        if (!given.Contains(name))
        {
            _problems.Add(
                $"the topic '{name}' feeds the same state: say where it begins (--from {name}:...)");
            return;
        }
        BackfillPoint from = PointFor(_request.From, name)!;
        if (from.Unit == BackfillUnit.Position)
        {
            _problems.Add($"'{from.Words}': a topic goes by time or offset=NUMBER");
            return;
        }
        PlanPartitions(topic, from, PointFor(_request.To, name));
    }

    private void PlanPartitions(Topic topic, BackfillPoint from, BackfillPoint? to)
    {
        var ranges = new List<(int Partition, long From, long To, long End)>();
        long earliest = long.MaxValue;
        for (int p = 0; p < topic.Partitions; p++)
        {
            long start = _log.StartOffset(topic[p]);
            long end = Math.Max(start, _log.CommittedOffset(_definition.Id, topic[p]) ?? start);
            long first = Find(topic, p, from, start, end);
            long last = to is null ? end : Math.Max(first, Find(topic, p, to, start, end));
            ranges.Add((p, first, last, end));
            if (first == end)
                continue;
            // State goes by the latest time before, which can lie far back where nothing came for long.
            long at = _scan.TimeAt(topic[p], first) ?? long.MaxValue;
            at = Math.Min(at, _scan.TimeBefore(topic[p], start, first) ?? at);
            earliest = Math.Min(earliest, at);
        }
        _earliestMs = Math.Min(_earliestMs, earliest);
        foreach ((int p, long first, long last, long end) in ranges)
            _inputs.Add(new BackfillInput(
                topic.Name, p, StartOf(topic, p, first, end, earliest), first, last, end));
    }

    private long Find(Topic topic, int p, BackfillPoint point, long start, long end)
    {
        switch (point.Unit)
        {
            case BackfillUnit.Time:
                return _scan.FirstAtOrAfter(topic[p], point.Values[0], start, end);
            case BackfillUnit.Offset:
                if (point.Values.Count != 1 && point.Values.Count != topic.Partitions)
                    _problems.Add(
                        $"'{point.Words}': give one offset, or one for each of {topic.Partitions} "
                        + "partitions");
                long wanted = point.Values.Count == topic.Partitions ? point.Values[p] : point.Values[0];
                if (wanted < start || wanted > end)
                    _problems.Add(string.Create(
                        CultureInfo.InvariantCulture,
                        $"'{point.Words}': of {topic.Name} {p}, {start} to {end} are kept and processed"));
                return Math.Clamp(wanted, start, end);
            default:
                return start;
        }
    }

    // Where the state that the first outputs need begins, as far as that is kept.
    private long StartOf(Topic topic, int p, long from, long end, long earliestMs)
    {
        BackfillReach reach = _parts.ReachOf(topic.Name);
        long start = _log.StartOffset(topic[p]);
        if (reach.IsNone)
            return from;
        if (reach.LookbackMs is { } lookback && earliestMs != long.MaxValue)
        {
            long sinceMs = earliestMs - Math.Min(lookback, earliestMs);
            long found = _scan.FirstAtOrAfter(topic[p], sinceMs, start, from);
            if (found > start || start == 0 || (_scan.TimeAt(topic[p], start) < sinceMs))
                return found;
        }
        if (start > 0)
        {
            foreach (string store in reach.Stores)
                _lost[store] = $"the store '{store}' would lack what records of {topic.Name} {p} before "
                    + $"offset {start:N0} made of it, which are not kept any more";
        }
        return Math.Min(start, end);
    }

    // What was delivered and is not kept any more cannot be known to have been delivered.
    private void RequireDelivered(string name)
    {
        if (_log.FindTopic(name) is not { } topic)
            return;
        for (int p = 0; p < topic.Partitions; p++)
        {
            long start = _log.StartOffset(topic[p]);
            if (start > 0 && (_scan.TimeAt(topic[p], start) ?? long.MaxValue) > _earliestMs)
                _lost[name] = $"records of '{name}' before offset {start:N0} were delivered and are not kept "
                    + "any more: those that are made again would be delivered again";
        }
    }

    private long Waiting() => _parts.AllInputs.Select(_log.FindTopic).OfType<Topic>().Sum(
        t => Enumerable.Range(0, t.Partitions).Sum(p => _log.EndOffset(t[p]) - Math.Max(
            _log.StartOffset(t[p]), _log.CommittedOffset(_definition.Id, t[p]) ?? 0)));

    private static bool Named(IReadOnlyList<BackfillPoint> points, string name) =>
        points.Any(p => p.Name == name);

    private static BackfillPoint? PointFor(IReadOnlyList<BackfillPoint> points, string name) =>
        points.FirstOrDefault(p => p.Name == name)
        ?? points.FirstOrDefault(p => p.Name is null);
}
