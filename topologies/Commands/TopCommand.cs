using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Streams.Connect;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams top</c>: what a process does, from its metrics, once a second: a live table on a
/// terminal, a line for each thing elsewhere.</summary>
internal static class TopCommand
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    internal static Command Create()
    {
        var address = new Argument<string>("address")
        {
            Description = "Where the process serves metrics: what it was given as --listen.",
            DefaultValueFactory = _ => "127.0.0.1:9464",
        };
        var interval = new Option<double>("--interval")
        {
            Description = "Seconds between two looks.",
            DefaultValueFactory = _ => 1,
        };
        var count = new Option<int>("--count")
        {
            Description = "End after so many looks; 0 for when it is interrupted.",
        };
        var command = new Command("top", "Show what a running process does: rates, lag, latencies, state.")
        {
            address, interval, count,
        };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            double seconds = parsed.GetValue(interval);
            if (seconds is not (>= 0.1 and <= 3_600))
                throw new ConfigurationException("--interval is between 0.1 and 3600 seconds.");
            string url = Url(parsed.GetValue(address)!);
            await WatchAsync(url, TimeSpan.FromSeconds(seconds), parsed.GetValue(count), cancellation);
            return ExitCode.Done;
        }));
        return command;
    }

    private static string Url(string address) =>
        (address.Contains("://", StringComparison.Ordinal) ? address : $"http://{address}").TrimEnd('/')
        + (address.EndsWith("/metrics", StringComparison.Ordinal) ? "" : "/metrics");

    private static async Task WatchAsync(
        string url, TimeSpan interval, int count, CancellationToken cancellation)
    {
        using var client = new HttpClient { Timeout = RequestTimeout };
        MetricsSample before = await ReadAsync(client, url, cancellation);
        long at = Stopwatch.GetTimestamp();
        bool live = !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi;
        async Task LookAsync(Action<IReadOnlyList<TopRow>> show)
        {
            for (int i = 0; (count == 0 || i < count) && !cancellation.IsCancellationRequested; i++)
            {
                if (!await WaitAsync(interval, cancellation))
                    return;
                MetricsSample now = await ReadAsync(client, url, cancellation);
                show(TopRow.Of(now, before, Stopwatch.GetElapsedTime(at).TotalSeconds));
                before = now;
                at = Stopwatch.GetTimestamp();
            }
        }

        if (live)
            await AnsiConsole.Live(new Text("")).Overflow(VerticalOverflow.Crop).StartAsync(
                view => LookAsync(rows => view.UpdateTarget(Draw(url, rows))));
        else
            await LookAsync(Print);
    }

    private static async Task<bool> WaitAsync(TimeSpan interval, CancellationToken cancellation)
    {
        try
        {
            await Task.Delay(interval, cancellation);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task<MetricsSample> ReadAsync(
        HttpClient client, string url, CancellationToken cancellation)
    {
        try
        {
            return MetricsSample.Parse(await client.GetStringAsync(new Uri(url), cancellation));
        }
        catch (Exception e) when (e is HttpRequestException or UriFormatException
            || (e is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new UnavailableException(
                $"Nothing answers at {url}: {e.Message} Is the process there, and was it given --listen?", e);
        }
    }

    private static void Print(IReadOnlyList<TopRow> rows)
    {
        foreach (TopRow row in rows)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{row.Kind,-9} {row.Name,-36} {row.PerSecond,12} {row.Total,16} {row.More}").TrimEnd());
        Console.WriteLine();
    }

    private static Table Draw(string url, IReadOnlyList<TopRow> rows)
    {
        Table table = new Table().NoBorder().Title(Markup.Escape(url))
            .AddColumn("[grey]what[/]").AddColumn("[grey]name[/]")
            .AddColumn(new TableColumn("[grey]per second[/]").RightAligned())
            .AddColumn(new TableColumn("[grey]total[/]").RightAligned()).AddColumn("");
        foreach (TopRow row in rows)
            table.AddRow(
                new Text(row.Kind), new Text(row.Name), new Text(row.PerSecond), new Text(row.Total),
                new Text(row.More));
        return table;
    }
}

/// <summary>A line of <c>streams top</c>.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Name">Which one.</param>
/// <param name="PerSecond">Its rate; empty where it has none.</param>
/// <param name="Total">How much so far, or now.</param>
/// <param name="More">What else is to be known.</param>
internal sealed record TopRow(string Kind, string Name, string PerSecond, string Total, string More)
{
    /// <summary>The lines of an interval.</summary>
    internal static IReadOnlyList<TopRow> Of(MetricsSample now, MetricsSample before, double seconds)
    {
        var rows = new List<TopRow>();
        Rates("source", "streams_records_produced_total", "source", _ => "");
        IReadOnlyDictionary<string, double> lag = now.By("streams_consumer_lag_records", "topic");
        IReadOnlyDictionary<string, double> waits = now.By("streams_consumer_lag_seconds", "topic");
        Rates("topic", "streams_records_consumed_total", "topic", t => Behind(lag, waits, t));
        IReadOnlyDictionary<string, double> sinkLag = now.By("streams_sink_lag_records", "sink");
        IReadOnlyDictionary<string, double> sinkWaits = now.By("streams_sink_lag_seconds", "sink");
        Rates("sink", "streams_sink_records_total", "sink", s => Behind(sinkLag, sinkWaits, s));
        foreach (string stage in (string[])["read", "process", "sink", "total"])
        {
            if (now.Quantile("streams_stage_latency_seconds", "stage", stage, 0.99, before) is { } p99)
                rows.Add(new TopRow("latency", stage, "", "", $"p50 {Time(now.Quantile(
                    "streams_stage_latency_seconds", "stage", stage, 0.5, before))}  p99 {Time(p99)}"));
        }
        foreach ((string store, double bytes) in now.By("streams_state_bytes", "store"))
            rows.Add(new TopRow("store", store, "",
                Number(now.By("streams_state_entries", "store").GetValueOrDefault(store)),
                $"{Number(bytes / 1_048_576)} MiB"));
        foreach ((string component, double up) in now.By("streams_component_up", "component").Where(c =>
            c.Value < 1))
            rows.Add(new TopRow("component", component, "", "", "is not at work"));
        double letters = now.Sum("streams_dead_letters_total");
        double cpu = now.Sum("process_cpu_seconds_total") - before.Sum("process_cpu_seconds_total");
        rows.Add(new TopRow("process", "", "", "",
            $"cpu {Number(100 * cpu / seconds)} %"
            + $"  memory {Number(now.Sum("process_resident_memory_bytes") / 1_048_576)} MiB"
            + $"  dead letters {Number(letters)}"));
        return rows;

        void Rates(string kind, string metric, string label, Func<string, string> more)
        {
            IReadOnlyDictionary<string, double> older = before.By(metric, label);
            foreach ((string name, double value) in now.By(metric, label))
                rows.Add(new TopRow(
                    kind, name, Number((value - older.GetValueOrDefault(name)) / seconds), Number(value),
                    more(name)));
        }
    }

    private static string Behind(
        IReadOnlyDictionary<string, double> records, IReadOnlyDictionary<string, double> seconds,
            string name) =>
        $"behind {Number(records.GetValueOrDefault(name))}, waits {Time(seconds.GetValueOrDefault(name))}";

    private static string Number(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Time(double? seconds) => seconds switch
    {
        null => "-",
        double.PositiveInfinity => "long",
        < 1 => (seconds.Value * 1_000).ToString("N1", CultureInfo.InvariantCulture) + " ms",
        _ => seconds.Value.ToString("N1", CultureInfo.InvariantCulture) + " s",
    };
}
