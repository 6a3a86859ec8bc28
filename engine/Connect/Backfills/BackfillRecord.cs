using System.Text.Json;
using System.Text.Json.Serialization;
using Streams.Log;
using Streams.Processing;

namespace Streams.Connect.Backfills;

/// <summary>A partition that is read again.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="Start">Where reading begins, to make the state that comes before.</param>
/// <param name="From">The first offset whose outputs are written again.</param>
/// <param name="To">The first offset behind those.</param>
/// <param name="End">The first offset that was not processed before.</param>
public sealed record BackfillInput(
    string Topic, int Partition, long Start, long From, long To, long End);

/// <summary>A source that is read again from its beginning.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Topic">The topic that it writes.</param>
/// <param name="Unit">What the bounds count: null for event time in milliseconds.</param>
/// <param name="From">The first position whose outputs are written again.</param>
/// <param name="To">The first position behind those; null for up to the end.</param>
/// <param name="EndMs">The latest event time that it had emitted before.</param>
public sealed record BackfillSource(
    string Name, string Topic, string? Unit, long From, long? To, long EndMs);

/// <summary>
/// A backfill as it is kept in the log, from the commit that began it on: what is known territory, so that a
/// restart at any instant goes on with it.
/// </summary>
internal sealed record BackfillRecord
{
    /// <summary>The cursor source that backfills are kept under; its keys are the applications'
    /// ids.</summary>
    internal const string CursorSource = "backfills";

    private const int LatestFormat = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Version of the record's meaning.</summary>
    public int Format { get; init; } = LatestFormat;

    /// <summary>The request as it was written.</summary>
    public required string Words { get; init; }

    /// <summary>Whether all of it was processed; it stays as the answer to the same request.</summary>
    public bool IsDone { get; init; }

    /// <summary>The partitions that are read again.</summary>
    public required IReadOnlyList<BackfillInput> Inputs { get; init; }

    /// <summary>Topics whose records carry marks.</summary>
    public required IReadOnlyList<string> Marked { get; init; }

    /// <summary>The sources that are read again.</summary>
    public required IReadOnlyList<BackfillSource> Sources { get; init; }

    /// <summary>Where the outputs ended whose records are delivered once, and the dead letters, by
    /// partition.</summary>
    public required IReadOnlyDictionary<string, long[]> Ends { get; init; }

    internal byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>The backfill of an application that was begun last; null for none.</summary>
    /// <exception cref="ConfigurationException">A later version of the program began it.</exception>
    internal static BackfillRecord? Read(ILogContents log, string application)
    {
        byte[]? bytes = log.Cursors(CursorSource).FirstOrDefault(c => c.Key == application).Value;
        if (bytes is null)
            return null;
        BackfillRecord record = JsonSerializer.Deserialize<BackfillRecord>(bytes, Json)
            ?? throw new JsonException("The recorded backfill is empty.");
        return record.Format <= LatestFormat
            ? record
            : throw new ConfigurationException(
                $"A later version of the program began the backfill of '{application}' (format "
                + $"{record.Format}; this one knows {LatestFormat}): run that version.");
    }

    /// <summary>Records that are still to be read again, as far as that is known; 0 when it is
    /// over.</summary>
    internal long Left(ILogContents log, string application)
    {
        long left = Inputs.Sum(i => Math.Max(
            0, i.End - (log.CommittedOffset(application, Partition(log, i.Topic, i.Partition)) ?? 0)));
        foreach (Topic topic in Marked.Select(log.FindTopic).OfType<Topic>())
        {
            for (int p = 0; p < topic.Partitions; p++)
                left += log.EndOffset(topic[p])
                    - (log.CommittedOffset(application, topic[p]) ?? log.StartOffset(topic[p]));
        }
        return left;
    }

    /// <summary>Sources that have not come to what is new.</summary>
    internal IEnumerable<BackfillSource> SourcesLeft(ILogContents log) => Sources.Where(
        s => !SourceReread.IsDone(log.Cursors(SourceCursors.Of(s.Name))
            .FirstOrDefault(c => c.Key == SourceReread.Cursor).Value));

    /// <summary>What tasks and sources go by.</summary>
    internal BackfillRun Run(ITopicLog log, int recordsMax) => new(
        log,
        Inputs.ToDictionary(
            i => (i.Topic, i.Partition),
            i => new InputTerritory(i.From, i.To, i.End, Marked.Contains(i.Topic))),
        Marked.ToHashSet(),
        Sources.ToDictionary(s => s.Name, s => new SourceTerritory(s.Unit, s.From, s.To, s.EndMs)),
        Ends, recordsMax);

    private static TopicPartition Partition(ILogContents log, string topic, int partition) =>
        (log.FindTopic(topic) ?? throw new TopologyException(
            $"The topic '{topic}' of a backfill that is under way does not exist any more."))[partition];
}
