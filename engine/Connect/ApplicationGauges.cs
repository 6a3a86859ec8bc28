using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Streams.Log;
using Streams.Processing;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>How an application is doing, read when somebody scrapes.</summary>
internal sealed class ApplicationGauges : IDisposable
{
    private static readonly TimeSpan SampleInterval = TimeSpan.FromSeconds(1);

    private readonly Meter _meter = new(EngineMeter.Name);
    private readonly Timer? _sampling;
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly ApplicationDefinition _definition;
    private readonly ITopicLog _log;
    private readonly ApplicationProgress _progress;
    private readonly TaskEnvironment _environment;
    private readonly IReadOnlyList<SourceRunner> _sources;
    private readonly IReadOnlyList<SinkRunner> _sinks;
    private readonly Supervisor _supervisor;

    internal ApplicationGauges(
        ApplicationDefinition definition, ITopicLog log, ApplicationProgress progress,
        TaskEnvironment environment, IReadOnlyList<SourceRunner> sources, IReadOnlyList<SinkRunner> sinks,
        Supervisor supervisor, LaneBoard board, Func<bool> isReady)
    {
        _definition = definition;
        _log = log;
        _progress = progress;
        _environment = environment;
        _sources = sources;
        _supervisor = supervisor;
        _sinks = sinks;
        if (_log.SharesWork)
            _log.WhenEndsAreAsked(environment.Times.NoteAll);
        else
            _sampling = new Timer(_ => Sample(), null, SampleInterval, SampleInterval);
        AddProgress();
        AddTasks();
        AddInputs();
        Add(
            "streams_ready", "applications", "1 while the application is at work as /readyz says it, else 0.",
            () => [With(isReady() ? 1 : 0)]);
        Add(
            "streams_lanes", "lanes", "Lanes, which are partition numbers, that this process works on.",
            () => [With(board.Current.Owned.Count())]);
        Add(
            "streams_component_up", "components", "1 while a component is at work, else 0.",
            () => _supervisor.Components.Select(c => With(
                c is { IsReady: true, Waiting: null } ? 1 : 0, ("component", c.Name))));
        Add(
            "streams_log_full", "logs", "1 while commits wait for room on the disk of the log, else 0.",
            () => [With(environment.Room.IsFull ? 1 : 0)]);
    }

    private void Sample()
    {
        try
        {
            _environment.Times.NoteAll(Stopwatch.GetTimestamp());
        }
        catch (LogException)
        {
            // The log has failed. Whoever works with it is told so, and ends the run with the reason.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // A sample that is under way reads the log, which is about to be closed.
        using var ended = new ManualResetEvent(false);
        if (_sampling?.Dispose(ended) == true)
            ended.WaitOne();
        _meter.Dispose();
    }

    private void AddProgress()
    {
        Add(
            "streams_topic_end_offset", "records", "One past the last offset of a partition.",
            () => Partitions(Topics()).Select(p => With(
                _log.KnownEndOffset(p.Id), ("topic", p.Topic), ("partition", p.Number))));
        Add(
            "streams_consumer_lag_records", "records", "Records that tasks have not processed.",
            () => Partitions(_progress.Inputs).Select(p => With(
                Lag(_definition.Id, p.Id), ("topic", p.Topic), ("partition", p.Number))));
        AddSeconds(
            "streams_consumer_lag",
            "How long the oldest record that tasks have not processed has waited; 0 where none waits.",
            () => Partitions(_progress.Inputs).Select(p => WithSeconds(
                LagSeconds(_definition.Id, p.Id), ("topic", p.Topic), ("partition", p.Number))));
        Add(
            "streams_sink_lag_records", "records", "Records that a sink has not committed.",
            () => SinkPartitions().Select(p => With(
                Lag(p.Sink, p.Id), ("sink", p.Sink), ("topic", p.Topic), ("partition", p.Number))));
        AddSeconds(
            "streams_sink_lag",
            "How long the oldest record that a sink has not committed has waited; 0 where none waits.",
            () => SinkPartitions().Select(p => WithSeconds(
                LagSeconds(p.Sink, p.Id), ("sink", p.Sink), ("topic", p.Topic), ("partition", p.Number))));
        Add(
            "streams_sink_stored_bytes", "bytes",
            "Bytes that a sink's target held when it was asked last, once a minute, where it says so.",
            () => _sinks.Where(s => s.StoredBytes is not null).Select(s => With(
                s.StoredBytes!.Value, ("sink", s.Name))));
        Add(
            "streams_source_lead_records", "records",
            "Records by which a source is ahead of the tasks that read its topic.",
            () => _sources.Select(s => With(_progress.LagOf(s.Topic), ("source", s.Name))));
        Add(
            "streams_source_waiting", "sources",
            "1 while a source waits for the tasks that read its topic, or for a sink, else 0.",
            () => _sources.Select(s => With(s.IsWaiting ? 1 : 0, ("source", s.Name))));
    }

    private void AddTasks()
    {
        Add(
            "streams_state_bytes", "bytes", "Memory that a store of a task has reserved.",
            () => Stores().Select(s => With(
                s.Task.Bytes(s.Store), ("task", s.Task.Task), ("store", s.Task.Stores[s.Store]))));
        Add(
            "streams_state_entries", "entries", "Entries of a store of a task.",
            () => Stores().Select(s => With(
                s.Task.Entries(s.Store), ("task", s.Task.Task), ("store", s.Task.Stores[s.Store]))));
        Add(
            "streams_state_bytes_max", "bytes", "Memory that a store of a task may reserve.",
            () => Stores().Select(s => With(
                s.Task.BytesMax[s.Store], ("task", s.Task.Task), ("store", s.Task.Stores[s.Store]))));
        Add(
            "streams_state_disk_bytes", "bytes", "Bytes of the files of a store that a task keeps on disk.",
            () => Stores().Where(s => s.Task.DiskBytes(s.Store) >= 0).Select(s => With(
                s.Task.DiskBytes(s.Store), ("task", s.Task.Task), ("store", s.Task.Stores[s.Store]))));
        Add(
            "streams_restore_progress", "percent",
            "How much of its snapshot or changelog a store that is being restored has read.",
            () => _environment.Restores.Keys.Select(r => With(
                r.Percent, ("task", r.Task), ("store", r.Store))));
        Add(
            "streams_standby_lag_records", "records",
            "Records of its changelog that a store of a standby is behind, as far as is known.",
            () => _environment.Standbys.SelectMany(s => s.Value.Lags().Select(l => With(
                l.Records, ("task", s.Key.ToString()), ("store", l.Store)))));
        Add(
            "streams_async_held_records", "records",
            "Records that an asynchronous operator of a task has taken and not passed on.",
            () => Calling().Select(c => With(
                c.Figures.Held, ("task", c.Task), ("operator", c.Figures.Name))));
        Add(
            "streams_async_calls", "calls",
            "Calls of an asynchronous operator of a task that are under way, pauses between attempts " +
                "included.",
            () => Calling().Select(c => With(
                c.Figures.Calls, ("task", c.Task), ("operator", c.Figures.Name))));
        Add(
            "streams_async_breaker_state", "state",
            "The circuit breaker of an asynchronous operator of a task: 0 closed, 1 trying one call, 2 open.",
            () => Calling().Select(c => With(
                (int)c.Figures.Breaker, ("task", c.Task), ("operator", c.Figures.Name))));
        AddSeconds(
            "streams_stream_time",
            "The highest record time that a task has seen, Unix time: its watermark.",
            () => Timed().Select(t => WithSeconds(t.StreamTimeMs / 1000.0, ("task", t.Task))));
        AddSeconds(
            "streams_stream_time_skew",
            "By how much the stream times of a sub-topology's tasks lie apart.",
            () => Timed().GroupBy(t => t.SubTopology).Select(g => WithSeconds(
                (g.Max(t => t.StreamTimeMs) - g.Min(t => t.StreamTimeMs)) / 1000.0,
                ("sub_topology", g.Key.ToString(CultureInfo.InvariantCulture)))));
    }

    private void AddInputs()
    {
        AddSeconds(
            "streams_input_time",
            "The highest record time that a task has read from a partition, Unix time: its watermark.",
            () => Inputs().Where(i => i.Input.TimeMs >= 0).Select(
                i => WithSeconds(i.Input.TimeMs / 1000.0, LabelsOf(i))));
        AddSeconds(
            "streams_input_hold",
            "How long a partition without records has kept its task from going on; 0 where it does not.",
            () => Inputs().Select(i => WithSeconds(
                i.Input.HoldsSince is { } since ? _environment.Clock.GetElapsedTime(since).TotalSeconds : 0,
                LabelsOf(i))));
        Add(
            "streams_input_idle", "partitions",
            "1 while a partition is passed over because it was silent for longer than max_task_idle, else 0.",
            () => Inputs().Select(i => With(i.Input.IsIdle ? 1 : 0, LabelsOf(i))));
    }

    private void Add(string name, string unit, string meaning, Func<IEnumerable<Measurement<long>>> read) =>
        _meter.CreateObservableGauge(name, read, unit, meaning);

    private void AddSeconds(string name, string meaning, Func<IEnumerable<Measurement<double>>> read) =>
        _meter.CreateObservableGauge(name, read, "s", meaning);

    private IEnumerable<string> Topics() => _progress.Inputs
        .Concat(_definition.Sinks.SelectMany(s => s.Topics)).Distinct(StringComparer.Ordinal);

    private IEnumerable<(string Topic, string Number, TopicPartition Id)> Partitions(
        IEnumerable<string> topics)
    {
        foreach (string name in topics)
        {
            if (_log.FindTopic(name) is not { } topic)
                continue;
            for (int p = 0; p < topic.Partitions; p++)
                yield return (name, p.ToString(CultureInfo.InvariantCulture), topic[p]);
        }
    }

    private IEnumerable<(string Sink, string Topic, string Number, TopicPartition Id)> SinkPartitions() =>
        _definition.Sinks.SelectMany(
            s => Partitions(s.Topics).Select(p => (s.Name, p.Topic, p.Number, p.Id)));

    private IEnumerable<(TaskFigures Task, int Store)> Stores() => _environment.Figures.Values
        .SelectMany(t => Enumerable.Range(0, t.Stores.Count).Select(s => (t, s)));

    private IEnumerable<(TaskFigures Task, InputFigures Input)> Inputs() =>
        _environment.Figures.Values.SelectMany(t => t.Inputs.Select(i => (t, i)));

    private static (string Name, string Value)[] LabelsOf((TaskFigures Task, InputFigures Input) input) =>
        [
            ("task", input.Task.Task), ("topic", input.Input.Topic), ("partition", input.Input.Partition),
        ];
    private IEnumerable<(string Task, AsyncFigures Figures)> Calling() =>
        _environment.Figures.Values.SelectMany(t => t.Async.Select(a => (t.Task, a)));

    private IEnumerable<TaskFigures> Timed() =>
        _environment.Figures.Values.Where(t => t.StreamTimeMs != long.MinValue);

    private long Lag(string group, TopicPartition partition) =>
        Math.Max(0, _log.KnownEndOffset(partition) - Position(group, partition));

    // What was committed before this process started has waited at least as long as it runs.
    private double LagSeconds(string group, TopicPartition partition)
    {
        long position = Position(group, partition);
        if (_log.KnownEndOffset(partition) <= position)
            return 0;
        // What others have just written is going to be noted the next time that ends are asked for.
        long since = _environment.Times.TryFind(partition, position, out CommitTime time) ? time.Committed
            : _environment.Times.IsAhead(partition, position) ? Stopwatch.GetTimestamp()
            : _started;
        return Stopwatch.GetElapsedTime(since).TotalSeconds;
    }

    private long Position(string group, TopicPartition partition) =>
        _log.KnownPosition(group, partition);

    private Measurement<long> With(long value, params (string Name, string Value)[] labels) =>
        new(value, Tags(labels));

    private Measurement<double> WithSeconds(double value, params (string Name, string Value)[] labels) =>
        new(value, Tags(labels));

    private IEnumerable<KeyValuePair<string, object?>> Tags((string Name, string Value)[] labels) =>
        labels.Select(l => new KeyValuePair<string, object?>(l.Name, l.Value))
            .Prepend(new KeyValuePair<string, object?>("application", _definition.Id));
}
