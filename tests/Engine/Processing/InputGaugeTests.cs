using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Telemetry;
using Streams.Tests.Engine.Dsl;
using Streams.Tests.Engine.Log;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Processing;

/// <summary>Metrics name the partition that holds a task up, and say how far each has come.</summary>
public sealed class InputGaugeTests : IDisposable
{
    private const string Id = "input-gauges";

    private readonly TemporaryFolder _folder = new();
    private readonly MetricsText _metrics = new();

    [Fact]
    public void The_silent_partition_is_named_with_how_long_it_holds()
    {
        using EmbeddedLog log = EmbeddedLog.Open(
            new EmbeddedLogOptions { Directory = _folder.File("log") });
        TopicPartition busy = log.EnsureTopic(new TopicSpec { Name = "busy" })[0];
        log.EnsureTopic(new TopicSpec { Name = "silent" });
        using (ILogWriter writer = log.OpenWriter("test"))
        {
            writer.Append(busy, "key", "value", timestampMs: 5_000);
            writer.Commit();
        }
        var builder = new StreamsBuilder();
        builder.Stream("busy", DslRun.Text).Merge(builder.Stream("silent", DslRun.Text))
            .To("out", DslRun.TextOut);
        var definition = new ApplicationDefinition
        {
            Id = Id,
            Topology = builder.Build(),
            DataFolder = _folder.Path,
            Runtime = new RuntimeOptions { MaxTaskIdle = TimeSpan.FromDays(1) },
        };
        using var application = new StreamsApplication(definition, log, NullLogger.Instance);
        application.Start();
        SpinWait.SpinUntil(
            () => application.Failure is not null || Of("streams_input_hold_seconds", "silent") > 0);
        Assert.Null(application.Failure);
        Assert.Equal(0, Of("streams_input_hold_seconds", "busy"));
        Assert.Equal(0, Of("streams_input_idle", "silent"));
        Assert.Equal(1, Of("streams_consumer_lag_records", "busy"));
        application.Stop();
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _folder.Dispose();
    }

    private double Of(string name, string topic) => PrometheusText.Parse(_metrics.Write())[name].Samples
        .Where(s => s.Labels["application"] == Id && s.Labels["topic"] == topic)
        .Select(s => s.Value).DefaultIfEmpty(-1).Single();
}
