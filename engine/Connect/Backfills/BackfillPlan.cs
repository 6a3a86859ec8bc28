using System.Globalization;

namespace Streams.Connect.Backfills;

/// <summary>Something that a backfill cannot have any more, because what it was made of is not
/// kept.</summary>
/// <param name="Name">The store or the topic.</param>
/// <param name="What">What is missing, one sentence.</param>
/// <param name="IsAccepted">Whether that was accepted.</param>
public sealed record BackfillLoss(string Name, string What, bool IsAccepted);

/// <summary>What a backfill would do, or why it cannot. Making one changes nothing.</summary>
public sealed record BackfillPlan
{
    /// <summary>The application.</summary>
    public required string Application { get; init; }

    /// <summary>What was asked for.</summary>
    public required BackfillRequest Request { get; init; }

    /// <summary>The partitions that are read again.</summary>
    public IReadOnlyList<BackfillInput> Inputs { get; init; } = [];

    /// <summary>The sources that are read again.</summary>
    public IReadOnlyList<BackfillSource> Sources { get; init; } = [];

    /// <summary>Stores that are emptied and made anew.</summary>
    public IReadOnlyList<string> Stores { get; init; } = [];

    /// <summary>Topics whose records are not written again where they were delivered.</summary>
    public IReadOnlyList<string> DeliveredOnce { get; init; } = [];

    /// <summary>Why it cannot be done, one each, with what can be done about it.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>What would be incomplete.</summary>
    public IReadOnlyList<BackfillLoss> Losses { get; init; } = [];

    /// <summary>Records that wait and are processed first, as they would be in any run.</summary>
    public long Waiting { get; init; }

    /// <summary>Whether it can begin.</summary>
    public bool CanBegin => Problems.Count == 0 && Losses.All(l => l.IsAccepted);

    /// <summary>Records that are read again.</summary>
    public long Records => Inputs.Sum(i => i.End - i.Start);

    /// <summary>Parts of topics that belong to the application, whose records carry marks.</summary>
    internal IReadOnlyList<string> Internal { get; init; } = [];

    /// <summary>Topics whose ends say what was delivered.</summary>
    internal IReadOnlyList<string> Outputs { get; init; } = [];

    /// <summary>Keys of event times that are forgotten with the state.</summary>
    internal IReadOnlyList<string> TimeKeys { get; init; } = [];

    /// <summary>Writes it for people.</summary>
    public void Write(TextWriter to)
    {
        foreach (string problem in Problems)
            to.WriteLine($"  impossible: {problem}");
        foreach (BackfillLoss loss in Losses)
        {
            to.WriteLine($"  {(loss.IsAccepted ? "loss, accepted" : "LOSS")}: {loss.What}");
            if (!loss.IsAccepted)
                to.WriteLine($"      - to go on with what there is: --accept-loss {loss.Name}");
        }
        if (Problems.Count > 0)
            return;
        if (Waiting > 0)
            to.WriteLine($"  first: {Number(Waiting)} records that wait are processed, as in any run");
        foreach (BackfillSource source in Sources)
            to.WriteLine(
                $"  source {source.Name}: read again from its beginning; outputs from "
                + Place(source, source.From)
                + (source.To is { } end ? $" to before {Place(source, end)}" : "") + " on");
        foreach (BackfillInput input in Inputs.Where(i => i.End > i.Start))
            to.WriteLine(
                $"  {input.Topic} {input.Partition}: read again from offset {Number(input.Start)}; outputs "
                + $"from {Number(input.From)} to before {Number(input.To)}; new from {Number(input.End)} on");
        to.WriteLine(
            $"  state made anew: {(Stores.Count == 0 ? "none" : string.Join(", ", Stores))}");
        to.WriteLine(
            "  not written again where delivered: "
            + (DeliveredOnce.Count == 0 ? "none" : string.Join(", ", DeliveredOnce)));
    }

    private static string Place(BackfillSource source, long at) => source.Unit is null
        ? at == long.MinValue ? "its first record" : Time(at)
        : $"{source.Unit} {Number(at)}";

    private static string Time(long timeMs) => DateTimeOffset.FromUnixTimeMilliseconds(timeMs)
        .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}

/// <summary>A backfill cannot begin as it was asked for; nothing was changed.</summary>
public sealed class BackfillRefusedException : Exception
{
    internal BackfillRefusedException(BackfillPlan plan)
        : base(Text(plan)) => Plan = plan;

    /// <summary>Why, and what can be done.</summary>
    public BackfillPlan Plan { get; }

    private static string Text(BackfillPlan plan)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        text.WriteLine($"'{plan.Application}' cannot be processed again as asked ({plan.Request}):");
        (plan with { Inputs = [], Sources = [] }).Write(text);
        text.Write("Nothing was changed. docs/backfill.md explains it.");
        return text.ToString();
    }
}
