using System.Globalization;
using Streams.Log;
using Streams.Processing;

namespace Streams.Connect.Evolution;

/// <summary>What a change of the topology comes to.</summary>
public enum ChangeEffect
{
    /// <summary>Nothing that is kept is touched.</summary>
    Compatible,

    /// <summary>State or records would be lost: the application starts only where that is accepted.</summary>
    LosesState,

    /// <summary>The application cannot start like this, whatever is accepted.</summary>
    Impossible,
}

/// <summary>One difference between the topology as it was recorded and as it is now.</summary>
/// <param name="Effect">What it comes to.</param>
/// <param name="Subject">Name of the store, topic or application.</param>
/// <param name="What">What changed, one sentence.</param>
public sealed record TopologyChange(ChangeEffect Effect, string Subject, string What)
{
    /// <summary>What sort of thing the subject is: store, topic, application or operators.</summary>
    public required string Kind { get; init; }

    /// <summary>Why, one sentence each.</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>What can be done about it, one each.</summary>
    public IReadOnlyList<string> WaysOut { get; init; } = [];

    /// <summary>Whether the loss was accepted.</summary>
    public bool IsAccepted { get; init; }

    /// <summary>Whether it keeps the application from starting.</summary>
    public bool Refuses => Effect == ChangeEffect.Impossible
        || (Effect == ChangeEffect.LosesState && !IsAccepted);
}

/// <summary>
/// How an application's topology differs from the one that its data was made by, and what starting it would
/// come to. Finding it starts, creates and deletes nothing.
/// </summary>
public sealed class TopologyChanges
{
    internal TopologyChanges(string application, bool isFirst, IReadOnlyList<TopologyChange> changes)
    {
        Application = application;
        IsFirst = isFirst;
        Changes = changes;
    }

    /// <summary>The application's id.</summary>
    public string Application { get; }

    /// <summary>Whether nothing of the application is recorded yet.</summary>
    public bool IsFirst { get; }

    /// <summary>The differences: what cannot be first, then what loses state, then the rest.</summary>
    public IReadOnlyList<TopologyChange> Changes { get; }

    /// <summary>Whether the application would start.</summary>
    public bool CanStart => !Changes.Any(c => c.Refuses);

    /// <summary>Whether something would be lost that was not accepted.</summary>
    public bool LosesState => Changes.Any(c => c is { Effect: ChangeEffect.LosesState, IsAccepted: false });

    /// <summary>Whether something stands in the way that nobody can accept.</summary>
    public bool IsImpossible => Changes.Any(c => c.Effect == ChangeEffect.Impossible);

    /// <summary>Accepted losses that would not occur: they do nothing, but would let a later change
    /// pass.</summary>
    public IReadOnlyList<string> NeedlesslyAccepted { get; init; } = [];

    /// <summary>Compares an application with what a log holds, which may be in use.</summary>
    /// <exception cref="TopologyException">The topology cannot run on that log at all.</exception>
    public static TopologyChanges Find(ApplicationDefinition definition, ILogContents log) =>
        ShapeComparison.Compare(definition, log).Changes;

    /// <summary>Writes it for people.</summary>
    public void Write(TextWriter to)
    {
        to.WriteLine(Summary());
        foreach (TopologyChange change in Changes)
            Write(to, change);
        foreach (string name in NeedlesslyAccepted)
            to.WriteLine(
                $"  --accept-loss {name}: nothing of that name would be lost; take it away, or it lets a "
                + "later change pass");
    }

    /// <summary>All of it that refuses, for an exception.</summary>
    internal string Refusal()
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        text.WriteLine(
            $"'{Application}' does not start, because its topology does not fit the data that is there:");
        foreach (TopologyChange change in Changes.Where(c => c.Refuses))
            Write(text, change);
        text.Write(
            "Nothing was changed. 'streams plan' shows all differences; docs/evolution.md explains them.");
        return text.ToString();
    }

    private string Summary()
    {
        if (IsFirst && CanStart)
            return $"{Application}: nothing is recorded yet; it starts with the topology as it is";
        if (Changes.Count == 0)
            return $"{Application}: the topology is as recorded";
        string differences = Changes.Count == 1 ? "one difference" : $"{Changes.Count} differences";
        if (CanStart)
            return $"{Application}: {differences}; it starts";
        return $"{Application}: {differences}; it does not start"
            + (IsImpossible ? "" : " unless the losses are accepted");
    }

    private static void Write(TextWriter to, TopologyChange change)
    {
        string mark = change.Effect switch
        {
            ChangeEffect.Impossible => "impossible",
            ChangeEffect.LosesState when change.IsAccepted => "loss, accepted",
            ChangeEffect.LosesState => "LOSS",
            _ => "fine",
        };
        to.WriteLine($"  {mark}: {change.Kind} '{change.Subject}' {change.What}");
        foreach (string reason in change.Reasons)
            to.WriteLine($"      because {reason}");
        if (!change.Refuses)
            return;
        foreach (string way in change.WaysOut)
            to.WriteLine($"      - {way}");
    }
}

/// <summary>An application's topology does not fit the data that is there.</summary>
public sealed class TopologyChangedException : Exception
{
    internal TopologyChangedException(TopologyChanges changes)
        : base(changes.Refusal()) => Changes = changes;

    /// <summary>What does not fit, and the ways out.</summary>
    public TopologyChanges Changes { get; }
}
