using System.Globalization;
using System.Text;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Embedded.Maintenance;

namespace Streams.Tests.Engine.Log;

/// <summary>Does random things to a log and the same to a model, from a seed.</summary>
internal sealed class LogWorkload(int seed)
{
    /// <summary>The commits that one round of maintenance makes itself, at most.</summary>
    public const int MaintenanceCommitsMax = 2;

    private static readonly string[] Groups = ["group-a", "group-b"];
    private static readonly string[] Sources = ["source-a", "source-b"];

    private readonly Random _random = new(seed);
    private int _values;

    /// <summary>The clock for logs under this workload.</summary>
    public SteppingTime Time { get; } = new();

    /// <summary>What should be in the log.</summary>
    public LogModel Model { get; } = new();

    /// <summary>The last commit whose durability was reported.</summary>
    public long Durable { get; private set; }

    /// <summary>
    /// The last commit that returned; the model may be one ahead, with one that was under way.
    /// </summary>
    public long Returned { get; private set; }

    /// <summary>What maintenance did, in all.</summary>
    public int SegmentsDropped { get; private set; }

    /// <inheritdoc cref="SegmentsDropped"/>
    public int SegmentsRewritten { get; private set; }

    /// <inheritdoc cref="SegmentsDropped"/>
    public long RecordsCompacted { get; private set; }

    /// <summary>Does one thing. Throws what the log throws.</summary>
    public void Step(EmbeddedLog log)
    {
        int what = _random.Next(100);
        if (log.Topics.Count == 0 || what < 4)
            EnsureTopic(log);
        else if (what == 4)
            DeleteTopic(log);
        else if (what < 80)
            Commit(log);
        else if (what < 88)
            log.Flush();
        else if (what < 92)
            DeleteBefore(log);
        else
            Maintain(log);
        Returned = Model.LastCommit;
        Durable = Math.Max(Durable, log.DurableCommit);
    }

    /// <summary>
    /// After a refusal: what was under way is not in the log, but for what maintenance had done.
    /// </summary>
    public void Refused(EmbeddedLog log)
    {
        Model.CutAfter(Returned);
        Model.CutAfter(log.WaitForCommit(-1, TimeSpan.Zero, default));
        Returned = Model.LastCommit;
    }

    /// <summary>
    /// After a crash: the log has come back with a last commit, and what was behind it is gone.
    /// </summary>
    public void Restarted(long lastCommit)
    {
        Model.CutAfter(lastCommit);
        Returned = Durable = lastCommit;
    }

    private void EnsureTopic(EmbeddedLog log)
    {
        string name = $"topic-{_random.Next(12)}";
        if (log.FindTopic(name) is not null)
            return;
        int partitions = _random.Next(1, 5);
        Model.Add(state => state.AddTopic(name, partitions));
        log.EnsureTopic(new TopicSpec
        {
            Name = name,
            Partitions = partitions,
            Compacted = _random.Next(3) == 0,
            Retention = _random.Next(2) == 0 ? null : TimeSpan.FromMinutes(30),
        });
    }

    private void DeleteTopic(EmbeddedLog log)
    {
        string name = log.Topics[_random.Next(log.Topics.Count)].Name;
        Model.Add(state => state.RemoveTopic(name));
        log.DeleteTopic(name);
    }

    private void Maintain(EmbeddedLog log)
    {
        Time.Now += TimeSpan.FromMinutes(_random.Next(60));
        MaintenanceReport report = log.Maintain(Time.Now);
        SegmentsDropped += report.SegmentsDropped;
        SegmentsRewritten += report.SegmentsRewritten;
        RecordsCompacted += report.RecordsCompacted;
        Model.CutAfter(log.WaitForCommit(-1, TimeSpan.Zero, default));
    }

    private void DeleteBefore(EmbeddedLog log)
    {
        Topic topic = log.Topics[_random.Next(log.Topics.Count)];
        int partition = _random.Next(topic.Partitions);
        long start = log.StartOffset(topic[partition]);
        long end = log.EndOffset(topic[partition], ReadLevel.Committed);
        if (start == end)
            return;
        long offset = _random.NextInt64(start, end) + 1;
        Model.Add(state => state.Topics[topic.Name][partition].Start = offset);
        log.DeleteRecordsBefore(topic[partition], offset);
    }

    private void Commit(EmbeddedLog log)
    {
        using ILogWriter writer = log.OpenWriter($"writer-{_random.Next(3)}");
        Action<LogModel.State> commit = _ => { };
        for (int batches = _random.Next(1, 5); batches > 0; batches--)
        {
            Topic topic = log.Topics[_random.Next(log.Topics.Count)];
            int partition = _random.Next(topic.Partitions);
            for (int records = _random.Next(1, 5); records > 0; records--)
                commit += Append(writer, topic, partition);
        }
        if (_random.Next(2) == 0)
            commit += SetOffset(writer, log.Topics[_random.Next(log.Topics.Count)]);
        if (_random.Next(3) == 0)
            commit += SetCursor(writer);
        Model.Add(commit);
        writer.Commit();
    }

    private Action<LogModel.State> Append(ILogWriter writer, Topic topic, int partition)
    {
        string? key = _random.Next(4) == 0 ? null : $"k{_random.Next(20)}";
        int bytes = _random.Next(20) == 0 ? _random.Next(3000) : _random.Next(100);
        string? value = _random.Next(6) == 0 ? null : $"v{++_values}".PadRight(bytes, '.');
        writer.Append(topic[partition], key, value, _random.Next(1000));
        return state => state.Topics[topic.Name][partition].Records.Add($"{key ?? "-"}={value ?? "-"}");
    }

    private Action<LogModel.State> SetOffset(ILogWriter writer, Topic topic)
    {
        string group = Groups[_random.Next(Groups.Length)];
        int partition = _random.Next(topic.Partitions);
        long next = _random.Next(1000);
        writer.CommitOffset(group, topic[partition], next);
        return state => state.Offsets[(group, topic.Name, partition)] = next;
    }

    private Action<LogModel.State> SetCursor(ILogWriter writer)
    {
        string source = Sources[_random.Next(Sources.Length)];
        string key = $"key-{_random.Next(5)}";
        string value = _random.Next(3) == 0 ? "" : _random.Next(1000).ToString(CultureInfo.InvariantCulture);
        writer.CommitCursor(source, key, Encoding.UTF8.GetBytes(value));
        return state => state.SetCursor(source, key, value);
    }
}
