using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;
using static Streams.Topologies.Demo.DemoWords;

namespace Streams.Topologies.Demo;

/// <summary>Shows a demonstration while it runs.</summary>
internal interface IDemoView
{
    /// <summary>Runs the work and shows what it reports.</summary>
    /// <param name="work">Given what to call with each snapshot, from one thread.</param>
    Task<DemoOutcome> ShowAsync(Func<Action<DemoSnapshot>, Task<DemoOutcome>> work);
}

/// <summary>A line each second, for where no terminal is.</summary>
internal sealed class PlainDemoView(DemoPlan plan, TextWriter to) : IDemoView
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private TimeSpan _next = Interval;
    private bool _isDraining;
    private bool _isListening;
    private string? _trouble;

    /// <inheritdoc/>
    public Task<DemoOutcome> ShowAsync(Func<Action<DemoSnapshot>, Task<DemoOutcome>> work) => work(Show);

    internal void Show(DemoSnapshot now)
    {
        if (now.Address is { } address && !_isListening)
            to.WriteLine($"  metrics are served at {address}/metrics");
        _isListening = now.Address is not null;
        if (now.Trouble is { } trouble && trouble != _trouble)
            to.WriteLine($"warning: {trouble}");
        _trouble = now.Trouble;
        if (now.IsDraining)
        {
            if (!_isDraining)
                to.WriteLine("  feeding has ended; what was fed is worked off");
            _isDraining = true;
        }
        else if (now.Elapsed >= _next)
        {
            _next = TimeSpan.FromSeconds(Math.Floor(now.Elapsed.TotalSeconds) + 1);
            to.WriteLine(Line(now));
        }
    }

    private string Line(DemoSnapshot now)
    {
        string seconds = Invariant($"{Math.Round(now.Elapsed.TotalSeconds):F0}/{plan.Seconds} s");
        string line = Invariant($"  {seconds,8}  {now.Transactions.PerSecond,7:N0} tx/s  ") +
            Invariant($"{now.Blocks.PerSecond,4:N0} blocks/s  {Bytes(now.Bytes.PerSecond),8}/s  ") +
            Invariant($"scored in {Time(now.ToEnriched.P50),6}, p99 {Time(now.ToEnriched.P99),6}  ") +
            Invariant($"{now.Alerts.Total,5:N0} alerts");
        return now.LatestAlerts.Count == 0
            ? line
            : $"{line}, last: {NameOf(now.LatestAlerts[0].Rule)}";
    }
}

/// <summary>A table that is drawn anew several times a second.</summary>
internal sealed class LiveDemoView(DemoPlan plan, IAnsiConsole console) : IDemoView
{
    /// <summary>Least width that the table fits in.</summary>
    internal const int WidthMin = 72;

    private const int BarWidth = 30;
    private const int RuleWidth = 22;
    private const int ScoreWidth = 5;
    private const int AmountWidth = 17;
    private const int PaddingWidth = 8;

    /// <inheritdoc/>
    public Task<DemoOutcome> ShowAsync(Func<Action<DemoSnapshot>, Task<DemoOutcome>> work) => console
        .Live(new Text("starting"))
        .AutoClear(true)
        .Overflow(VerticalOverflow.Crop)
        .StartAsync(live => work(snapshot =>
        {
            live.UpdateTarget(Draw(snapshot));
        }));

    /// <summary>The whole picture.</summary>
    internal IRenderable Draw(DemoSnapshot now)
    {
        var parts = new List<IRenderable> { Head(now), Text.Empty, Rates(now), Text.Empty, Latencies(now) };
        parts.Add(Text.Empty);
        parts.Add(Alerts(now));
        if (now.Address is { } address)
            parts.Add(new Markup($"[grey]metrics are served at {Markup.Escape(address)}/metrics[/]"));
        if (now.Trouble is { } trouble)
            parts.Add(new Markup($"[yellow]{Markup.Escape(trouble)}[/]"));
        return new Rows(parts);
    }

    private Markup Head(DemoSnapshot now)
    {
        double part = Math.Clamp(now.Elapsed.TotalSeconds / plan.Seconds, 0, 1);
        int full = (int)Math.Round(part * BarWidth);
        string bar = $"[green]{new string('━', full)}[/][grey]{new string('━', BarWidth - full)}[/]";
        string state = now.IsDraining
            ? "[yellow]working off what was fed[/]"
            : Invariant($"{now.Elapsed.TotalSeconds:F0} of {plan.Seconds} s");
        return new Markup(
            $"[bold]streams demo[/]  {bar}  {state}  [grey]Ctrl-C ends it[/]");
    }

    private static Table Rates(DemoSnapshot now)
    {
        Table table = Grid("", "per second", "so far");
        Row("transactions in", Count(now.Transactions.PerSecond), Count(now.Transactions.Total));
        Row("  in blocks", Count(now.Blocks.PerSecond), Count(now.Blocks.Total));
        Row("  in raw bytes", Bytes(now.Bytes.PerSecond), Bytes(now.Bytes.Total));
        Row("transactions scored", Count(now.Enriched.PerSecond), Count(now.Enriched.Total));
        Row("records in SQLite", Count(now.Written.PerSecond), Count(now.Written.Total));
        Row("blocks that came twice", "", Count(now.DuplicateBlocks));
        Row("damaged blocks refused", "", Count(now.RefusedBlocks));
        Row("alerts", "", Count(now.Alerts.Total));
        return table;

        void Row(string what, string rate, string total) => table.AddRow(
            new Text(what), new Text(rate).RightJustified(), new Text(total).RightJustified());
    }

    private static Table Latencies(DemoSnapshot now)
    {
        Table table = Grid("from the raw block to", "p50", "p99");
        Row("its scored transactions, durable", now.ToEnriched);
        Row("an alert", now.ToAlert);
        Row("its rows in SQLite, committed", now.ToSink);
        return table;

        void Row(string what, Latency latency) => table.AddRow(
            new Text(what), new Text(Time(latency.P50)).RightJustified(),
            new Text(Time(latency.P99)).RightJustified());
    }

    private Table Alerts(DemoSnapshot now)
    {
        Table table = new Table().NoBorder()
            .AddColumn(new TableColumn("[grey]latest alerts[/]").Width(RuleWidth).NoWrap().PadLeft(0))
            .AddColumn(new TableColumn("[grey]score[/]").RightAligned().Width(ScoreWidth))
            .AddColumn(new TableColumn("[grey]amount[/]").RightAligned().Width(AmountWidth).NoWrap())
            .AddColumn(new TableColumn("[grey]why[/]").NoWrap());
        int left = console.Profile.Width - RuleWidth - ScoreWidth - AmountWidth - PaddingWidth;
        foreach (ShownAlert alert in now.LatestAlerts)
        {
            string why = alert.Evidence.Length <= left
                ? alert.Evidence
                : alert.Evidence[..(left - 1)] + "…";
            table.AddRow(
                new Text(NameOf(alert.Rule), StyleOf(alert.Score)),
                new Text(alert.Score.ToString(CultureInfo.InvariantCulture)).RightJustified(),
                new Text(Bitcoins(alert.SumSatoshi)).RightJustified(), new Text(why));
        }
        // The picture keeps its height from the first alert to the last.
        for (int i = now.LatestAlerts.Count; i < DemoObserver.ShownMax; i++)
            table.AddRow(Text.Empty, Text.Empty, Text.Empty, Text.Empty);
        return table;
    }

    private static Style StyleOf(int score) => new(score switch
    {
        >= 90 => Color.Red,
        >= 70 => Color.Orange1,
        _ => Color.Yellow,
    });

    private static Table Grid(string first, string second, string third) => new Table().NoBorder()
        .AddColumn(new TableColumn($"[grey]{first}[/]").Width(34).PadLeft(0))
        .AddColumn(new TableColumn($"[grey]{second}[/]").RightAligned().Width(12))
        .AddColumn(new TableColumn($"[grey]{third}[/]").RightAligned().Width(14));
}
