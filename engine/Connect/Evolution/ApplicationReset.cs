using Streams.Connect.Backfills;
using Streams.Log;
using Streams.Processing;

namespace Streams.Connect.Evolution;

/// <summary>Where a group's position is to be set in one partition.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="From">Where it is; null where none was committed.</param>
/// <param name="To">Where it is to be.</param>
public sealed record ResetPosition(string Topic, int Partition, long? From, long To);

/// <summary>What resetting an application comes to: it begins as if it had never run, and its topics'
/// records, outputs among them, stay.</summary>
public sealed record ApplicationReset
{
    private ApplicationReset()
    {
    }

    /// <summary>The application.</summary>
    public required string Application { get; init; }

    /// <summary>Its positions, as they are to be.</summary>
    public IReadOnlyList<ResetPosition> Positions { get; init; } = [];

    /// <summary>Topics of its own that are deleted: changelogs, and those between its parts.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>Sources that are read again from their beginning.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>Stores whose state goes.</summary>
    public IReadOnlyList<string> Stores { get; init; } = [];

    /// <summary>Works out what a reset comes to. Changes nothing; the log may be in use.</summary>
    /// <param name="application">The application; null where the log knows one only.</param>
    /// <param name="log">The log.</param>
    /// <param name="toEnd">Whether positions are set to the end, to process only what is new.</param>
    /// <param name="sources">Sources whose cursors are removed, so that they are read again.</param>
    /// <exception cref="ConfigurationException">There is no such application, or no such source.</exception>
    public static ApplicationReset Plan(
        string? application, ILogContents log, bool toEnd, IReadOnlyList<string> sources)
    {
        IReadOnlyList<string> known = LagReport.Applications(log);
        string id = application ?? (known.Count == 1 ? known[0] : throw new ConfigurationException(
            "Which application? Give --application: "
            + $"{string.Join(", ", known.DefaultIfEmpty("none is here"))}."));
        byte[] recorded = log.Cursors(ShapeComparison.CursorSource).FirstOrDefault(c => c.Key == id).Value
            ?? throw new ConfigurationException(
                $"There is no application '{id}' here. Applications: "
                + $"{string.Join(", ", known.DefaultIfEmpty("none"))}.");
        foreach (string source in sources.Where(s => log.Cursors(s).Count == 0))
            throw new ConfigurationException($"No source '{source}' has kept a cursor here.");
        TopologyShape shape = TopologyShape.Read(recorded);
        return new ApplicationReset
        {
            Application = id,
            Positions = [.. shape.Sources.Select(s => log.FindTopic(s.Name)).OfType<Topic>().SelectMany(
                t => Enumerable.Range(0, t.Partitions).Select(p => new ResetPosition(
                    t.Name, p, log.CommittedOffset(id, t[p]),
                    toEnd ? log.EndOffset(t[p]) : log.StartOffset(t[p]))))],
            Topics = [.. shape.Stores.Where(s => s.Logged).Select(s => $"{id}-{s.Name}-changelog")
                .Concat(shape.Repartitions.Select(r => r.Name)).Where(t => log.FindTopic(t) is not null)],
            Stores = [.. shape.Stores.Select(s => s.Name)
                .Except([Topology.StreamTimeStore, Topology.SavepointStore])],
            Sources = sources,
        };
    }

    /// <summary>Resets the application, which must not run.</summary>
    /// <remarks>Positions and the list of what goes are one commit; a crash behind it leaves what the next
    /// start, or another reset, works off.</remarks>
    /// <param name="log">The log.</param>
    /// <param name="dataFolder">Where its snapshots are; null where there is none at hand. Those of other
    /// folders are known to be old by the record of the reset.</param>
    /// <exception cref="LogUnavailableException">A process of the application runs.</exception>
    public void Apply(ITopicLog log, string? dataFolder)
    {
        StateEpoch.RequireNoProcess(Application, log);
        using ILogWriter writer = log.OpenWriter($"{Application}-reset");
        foreach (ResetPosition position in Positions)
            writer.CommitOffset(
                Application, log.FindTopic(position.Topic)![position.Partition], position.To);
        foreach (string name in Sources.SelectMany(s => new[] { s, SourceCursors.Of(s) }))
        {
            foreach ((string key, _) in log.Cursors(name))
                writer.CommitCursor(name, key, default);
        }
        TopologyShape shape = TopologyShape.Read(log.Cursor(ShapeComparison.CursorSource, Application)!);
        string suffix = "-changelog";
        Removal[] removals = [.. Topics.Select(t => new Removal(
            t, t.EndsWith(suffix, StringComparison.Ordinal)
                ? t[(Application.Length + 1)..^suffix.Length]
                : null))];
        writer.CommitCursor(
            ShapeComparison.CursorSource, Application, (shape with { Removals = removals }).Write());
        writer.CommitCursor(BackfillRecord.CursorSource, Application, default);
        StateEpoch.Begin(writer, Application, log);
        log.WaitDurable(writer.Commit(), CancellationToken.None);
        if (dataFolder is not null)
            StateEpoch.DeleteAll(dataFolder, Application, log);
        foreach (string topic in Topics)
            log.DeleteTopic(topic);
        writer.CommitCursor(ShapeComparison.CursorSource, Application, default);
        log.WaitDurable(writer.Commit(), CancellationToken.None);
    }
}
