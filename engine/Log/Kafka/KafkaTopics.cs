using System.Globalization;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>The cluster's topics: found, created, checked, deleted. Thread-safe.</summary>
internal sealed class KafkaTopics : IDisposable
{
    // A snapshot that is older than this could have missed the deletion of a key.
    private static readonly TimeSpan TombstonesKept = TimeSpan.FromDays(7);

    private readonly KafkaLogOptions _options;
    private readonly Client.IAdminClient _admin;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Topic> _byName = new(StringComparer.Ordinal);
    private readonly List<Topic> _byId = [];

    internal KafkaTopics(KafkaLogOptions options, string clientId, ILogger logger)
    {
        _options = options;
        _admin = new Client.AdminClientBuilder(
            new Client.AdminClientConfig(KafkaProperties.Common(options, $"{clientId}-admin")))
            .SetLogHandler(logger.KafkaSays).SetErrorHandler(logger.KafkaFails).Build();
    }

    /// <summary>All topics but the broker's own, by name.</summary>
    internal IReadOnlyList<Topic> All()
    {
        Client.Metadata metadata = KafkaFailures.Ask(
            "listing topics", _options.Brokers, () => _admin.GetMetadata(_options.RequestTimeout));
        lock (_gate)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (Client.TopicMetadata topic in metadata.Topics)
            {
                if (topic.Error.IsError || topic.Topic.StartsWith("__", StringComparison.Ordinal))
                    continue;
                seen.Add(topic.Topic);
                Remember(new TopicSpec { Name = topic.Topic, Partitions = topic.Partitions.Count });
            }
            return [.. _byName.Values.Where(t => seen.Contains(t.Name))
                .OrderBy(t => t.Name, StringComparer.Ordinal)];
        }
    }

    /// <summary>The topic of that name, or null.</summary>
    internal Topic? Find(string name)
    {
        lock (_gate)
        {
            if (_byName.TryGetValue(name, out Topic? known))
                return known;
        }
        return All().FirstOrDefault(t => t.Name == name);
    }

    /// <summary>Creates the topic, or checks the one that is there.</summary>
    internal Topic Ensure(TopicSpec spec)
    {
        if (Find(spec.Name) is { } known)
            return Check(known, spec);
        Create(spec);
        lock (_gate)
            return Remember(spec);
    }

    /// <summary>Gives a topic more partitions, where it has fewer.</summary>
    internal void Widen(string name, int partitions) => Wait(
        $"adding partitions to {name}",
        _admin.CreatePartitionsAsync(
            [new PartitionsSpecification { Topic = name, IncreaseTo = partitions }]));

    /// <summary>Deletes a topic.</summary>
    internal bool Delete(string name)
    {
        if (Find(name) is null)
            return false;
        Wait($"deleting the topic {name}", _admin.DeleteTopicsAsync([name]));
        lock (_gate)
            _byName.Remove(name);
        return true;
    }

    /// <summary>Deletes records that nobody needs any more.</summary>
    internal void DeleteRecords(TopicPartition partition, long offset) => Wait(
        $"deleting records of {Describe(partition)}",
        _admin.DeleteRecordsAsync([new Client.TopicPartitionOffset(Of(partition), offset)]));

    /// <summary>A topic by the log's number.</summary>
    internal Topic ById(int id)
    {
        lock (_gate)
            return _byId[id];
    }

    /// <summary>A partition as the client names it.</summary>
    internal Client.TopicPartition Of(TopicPartition partition) =>
        new(ById(partition.Topic).Name, partition.Partition);

    /// <summary>A partition for people.</summary>
    internal string Describe(TopicPartition partition) => string.Create(
        CultureInfo.InvariantCulture, $"{ById(partition.Topic).Name} {partition.Partition}");

    /// <inheritdoc/>
    public void Dispose() => _admin.Dispose();

    private Topic Remember(TopicSpec spec)
    {
        if (_byName.TryGetValue(spec.Name, out Topic? known))
        {
            if (known.Partitions == spec.Partitions)
                return known;
            TopicSpec wider = known.Spec with { Partitions = spec.Partitions };
            return _byName[spec.Name] = _byId[known.Id] = known with { Spec = wider };
        }
        var topic = new Topic(_byId.Count, spec);
        _byId.Add(topic);
        _byName.Add(spec.Name, topic);
        return topic;
    }

    private void Create(TopicSpec spec)
    {
        try
        {
            Wait($"creating the topic {spec.Name}", _admin.CreateTopicsAsync([new TopicSpecification
            {
                Name = spec.Name,
                NumPartitions = spec.Partitions,
                ReplicationFactor = (short)_options.ReplicationFactor,
                Configs = Settings(spec),
            }]));
        }
        catch (TopicExistsException)
        {
            // Another process of the application was faster; it is checked like any that was there.
        }
        // Creation is answered before all brokers know of it.
        for (int i = 0; i < 100 && All().All(t => t.Name != spec.Name); i++)
            Thread.Sleep(50);
    }

    private Dictionary<string, string> Settings(TopicSpec spec)
    {
        var settings = new Dictionary<string, string>
        {
            ["cleanup.policy"] = spec.Compacted ? "compact" : "delete",
            ["retention.ms"] = spec.Retention is { } kept && _options.RetentionByEventTime
                ? ((long)kept.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) : "-1",
            ["max.message.bytes"] = (spec.RecordBytesMax + 1024).ToString(CultureInfo.InvariantCulture),
            ["message.timestamp.type"] = "CreateTime",
            // Event times may be of any age; the broker's default refuses those that lie ahead.
            ["message.timestamp.after.max.ms"] = long.MaxValue.ToString(CultureInfo.InvariantCulture),
        };
        if (spec.RetentionBytes is { } bytes)
            settings["retention.bytes"] = bytes.ToString(CultureInfo.InvariantCulture);
        if (spec.Compacted)
            settings["delete.retention.ms"] =
                ((long)TombstonesKept.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        return settings;
    }

    private Topic Check(Topic found, TopicSpec wanted)
    {
        if (found.Partitions != wanted.Partitions)
            throw new TopicMismatchException(
                $"The topic '{wanted.Name}' has {found.Partitions} partitions and should have "
                + $"{wanted.Partitions}.");
        if (wanted.Compacted && PolicyOf(wanted.Name) is var policy
            && !policy.Contains("compact", StringComparison.Ordinal))
            throw new TopicMismatchException(
                $"The topic '{wanted.Name}' has cleanup.policy={policy} and should have compact: it would "
                + "forget what it must keep. Change it with kafka-configs, or delete the topic.");
        lock (_gate)
            return _byName[wanted.Name] = _byId[found.Id] = found with { Spec = wanted };
    }

    private string PolicyOf(string topic)
    {
        List<DescribeConfigsResult> answers = Ask(
            $"describing the topic {topic}",
            _admin.DescribeConfigsAsync(
                [new ConfigResource { Type = ResourceType.Topic, Name = topic }],
                new DescribeConfigsOptions { RequestTimeout = _options.RequestTimeout }));
        return answers[0].Entries["cleanup.policy"].Value;
    }

    private void Wait(string doing, Task task) => Ask(doing, Run(task));

    private static async Task<int> Run(Task task)
    {
        await task.ConfigureAwait(false);
        return 0;
    }

    private T Ask<T>(string doing, Task<T> task)
    {
        try
        {
            return task.GetAwaiter().GetResult();
        }
        catch (CreateTopicsException e)
            when (e.Results.Any(r => r.Error.Code == Client.ErrorCode.TopicAlreadyExists))
        {
            throw new TopicExistsException();
        }
        catch (CreateTopicsException e)
        {
            throw KafkaFailures.Of(e.Results.First(r => r.Error.IsError).Error, doing, _options.Brokers);
        }
        catch (Client.KafkaException e)
        {
            throw KafkaFailures.Of(e.Error, doing, _options.Brokers);
        }
    }

    private sealed class TopicExistsException : Exception;
}
