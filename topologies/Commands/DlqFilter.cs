using System.CommandLine;
using Streams.Connect;
using Streams.Errors;
using Streams.Log;

namespace Streams.Topologies.Commands;

/// <summary>Which dead letters are meant.</summary>
internal sealed record DlqFilter
{
    /// <summary>The topic that they are of, or their own; null for all.</summary>
    internal string? Topic { get; init; }

    internal int? Partition { get; init; }

    internal long? Offset { get; init; }

    internal string? Stage { get; init; }

    internal string? Reason { get; init; }

    internal string? Operator { get; init; }

    /// <summary>Whether it leaves any out.</summary>
    internal bool NamesSomething => Topic is not null || Offset is not null || Stage is not null
        || Reason is not null || Operator is not null;

    /// <summary>The letters that are meant and are there now, by topic, partition and offset.</summary>
    /// <exception cref="ConfigurationException">There are no letters of that topic, or no such
    /// partition.</exception>
    internal IEnumerable<StoredLetter> Letters(ILogContents log)
    {
        using ILogReader reader = log.OpenReader();
        foreach (Topic topic in Topics(log.Topics))
        {
            for (int p = Partition ?? 0; p <= (Partition ?? topic.Partitions - 1); p++)
            {
                long end = log.EndOffset(topic[p]);
                long from = Offset ?? log.StartOffset(topic[p]);
                long to = Offset is { } only ? Math.Min(only + 1, end) : end;
                foreach (StoredLetter letter in StoredLetter.Read(reader, topic, p, from, to))
                {
                    if (IsMeant(letter.Letter) && (Offset is null || letter.Offset == Offset))
                        yield return letter;
                }
            }
        }
    }

    private List<Topic> Topics(IReadOnlyList<Topic> topics)
    {
        List<Topic> letters = [.. topics.Where(t => DeadLetter.IsTopic(t.Name))];
        if (Topic is null)
            return letters;
        Topic found = letters.Find(t => t.Name == Topic || t.Name == DeadLetter.TopicOf(Topic))
            ?? throw new ConfigurationException(
                $"There are no dead letters of '{Topic}'. Topics that have some: "
                + $"{string.Join(", ", letters.Select(t => t.Name))}.");
        if (Partition is { } wanted && (wanted < 0 || wanted >= found.Partitions))
            throw new ConfigurationException(
                $"'{found.Name}' has {found.Partitions} partitions; there is none of number {wanted}.");
        return [found];
    }

    private bool IsMeant(DeadLetter letter) =>
        (Stage is null || letter.Stage.ToString() == Stage)
        && (Reason is null || letter.Reason.ToString() == Reason)
        && (Operator is null || letter.Operator?.ToString() == Operator);
}

/// <summary>The options that make a filter.</summary>
internal sealed class DlqFilterOptions
{
    private static readonly string[] Stages = ["read", "decode", "process", "write"];

    private readonly Option<string?> _topic = new("--topic")
    {
        Description = "Only letters of this topic.",
    };

    private readonly Option<int?> _partition = new("--partition")
    {
        Description = "Only letters in this partition of their topic; needs --topic.",
    };

    private readonly Option<long?> _offset = new("--offset")
    {
        Description = "Only the letter at this offset of its topic; needs --topic.",
    };

    private readonly Option<string?> _stage = new("--stage")
    {
        Description = "Only letters of this stage: read, decode, process or write.",
    };

    private readonly Option<string?> _reason = new("--reason")
    {
        Description = "Only letters of this reason, as list shows it.",
    };

    private readonly Option<string?> _operator = new("--operator")
    {
        Description = "Only letters of this operator, reader or sink.",
    };

    internal void AddTo(Command command)
    {
        command.Options.Add(_topic);
        command.Options.Add(_partition);
        command.Options.Add(_offset);
        command.Options.Add(_stage);
        command.Options.Add(_reason);
        command.Options.Add(_operator);
    }

    /// <summary>What was given.</summary>
    /// <exception cref="ConfigurationException">It contradicts itself.</exception>
    internal DlqFilter Read(ParseResult parsed)
    {
        var filter = new DlqFilter
        {
            Topic = parsed.GetValue(_topic),
            Partition = parsed.GetValue(_partition),
            Offset = parsed.GetValue(_offset),
            Stage = parsed.GetValue(_stage),
            Reason = parsed.GetValue(_reason),
            Operator = parsed.GetValue(_operator),
        };
        if (filter.Topic is null && (filter.Partition ?? filter.Offset) is not null)
            throw new ConfigurationException("--partition and --offset need --topic");
        if (filter.Stage is { } stage && !Stages.Contains(stage))
            throw new ConfigurationException(
                $"there is no stage '{stage}'; stages are {string.Join(", ", Stages)}");
        return filter;
    }
}
