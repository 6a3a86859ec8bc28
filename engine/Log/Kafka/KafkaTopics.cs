using System.Globalization;
using Confluent.Kafka.Admin;
using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>The cluster's topics: found, created, checked, deleted. Thread-safe.</summary>
internal sealed class KafkaTopics
{
    // A snapshot that is older than this could have missed the deletion of a key.
    private static readonly TimeSpan TombstonesKept = TimeSpan.FromDays(7);

    // What a batch of one record has around key, value and headers; brokers bound the batch.
    private const int BatchBytes = 128;

    private readonly KafkaLogOptions _options;
    private readonly Client.IAdminClient _admin;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Topic> _byName = new(StringComparer.Ordinal);
    private readonly List<Topic> _byId = [];
    private readonly HashSet<string> _described = new(StringComparer.Ordinal);
    private readonly HashSet<string> _hidden = new(StringComparer.Ordinal);

    internal KafkaTopics(KafkaLogOptions options, KafkaBrokers brokers)
    {
        _options = options;
        _admin = brokers.Admin;
    }

    /// <summary>The topic of that name, or null.</summary>
    internal Topic? Find(string name)
    {
        if (Described(name) is { } known)
            return known;
        if (List().TrueForAll(t => t.Name != name))
            return null;
        Learn([name]);
        return Described(name);
    }

    /// <summary>Creates the topic, or checks the one that is there.</summary>
    internal Topic Ensure(TopicSpec spec)
    {
        if (Find(spec.Name) is null)
        {
            if (!_options.CreateTopics)
                throw new TopicMismatchException(
                    $"The topic '{spec.Name}' does not exist, and kafka.create_topics is false. Create it "
                    + $"with {spec.Partitions} partitions and "
                    + $"{string.Join(", ", Settings(spec).Select(s => $"{s.Key}={s.Value}"))}.");
            Create(spec);
        }
        // Creation is answered before all brokers know of it.
        Topic? found = Find(spec.Name);
        for (int i = 0; i < 200 && found is null; i++)
        {
            Thread.Sleep(50);
            found = Find(spec.Name);
        }
        return found is not null
            ? Check(found, spec)
            : throw new LogInterruptedException($"The topic '{spec.Name}' was created and is not there yet.");
    }

    /// <summary>The largest record that every topic takes which was looked up by its name.</summary>
    internal int RecordBytesMax()
    {
        lock (_gate)
            return _described.Select(d => _byName[d].Spec.RecordBytesMax).DefaultIfEmpty(int.MaxValue).Min();
    }

    /// <summary>Asks again how large records of topics may be.</summary>
    /// <returns>Whether one of them takes less than was known.</returns>
    internal bool HaveShrunk(IReadOnlyCollection<int> topics)
    {
        Topic[] before = [.. topics.Select(ById)];
        lock (_gate)
            _described.ExceptWith(before.Select(t => t.Name));
        Learn([.. before.Select(t => t.Name)]);
        return before.Any(t => ById(t.Id).Spec.RecordBytesMax < t.Spec.RecordBytesMax);
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
        {
            _byName.Remove(name);
            _described.Remove(name);
        }
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

    /// <summary>All topics but the broker's own, by name. What one is like is asked for when it is looked up
    /// by its name.</summary>
    internal List<Topic> List()
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

    private Topic? Described(string name)
    {
        lock (_gate)
            return _described.Contains(name) ? _byName[name] : null;
    }

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
    }

    private static Dictionary<string, string> Settings(TopicSpec spec)
    {
        var settings = new Dictionary<string, string>
        {
            ["cleanup.policy"] = spec.Compacted ? "compact" : "delete",
            ["retention.ms"] = spec.Retention is { } kept
                ? ((long)kept.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) : "-1",
            ["max.message.bytes"] = (spec.RecordBytesMax + BatchBytes).ToString(CultureInfo.InvariantCulture),
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
        if (wanted.Compacted && _hidden.Contains(wanted.Name))
            throw new LogUnavailableException(
                $"Kafka at {_options.Brokers} does not say how the topic '{wanted.Name}' is kept: give the "
                + "user DescribeConfigs on it, as docs/kafka.md lists.");
        if (wanted.Compacted && !found.Spec.Compacted)
            throw new TopicMismatchException(
                $"The topic '{wanted.Name}' has cleanup.policy=delete and should have compact: it would "
                + "forget what it must keep. Change it with kafka-configs, or delete the topic.");
        TopicSpec spec = found.Spec with
        {
            RecordBytesMax = Math.Min(wanted.RecordBytesMax, found.Spec.RecordBytesMax),
            Schema = wanted.Schema,
        };
        lock (_gate)
            return _byName[wanted.Name] = _byId[found.Id] = found with { Spec = spec };
    }

    // In one request, for those that were not asked about before. What the user may not see is taken to be as
    // topics are made here.
    private void Learn(IReadOnlyList<string> names)
    {
        string[] asked;
        lock (_gate)
            asked = [.. names.Where(n => !_described.Contains(n))];
        if (asked.Length == 0)
            return;
        foreach (DescribeConfigsReport answer in Ask("describing topics", ConfigsOf(asked)))
        {
            string name = answer.ConfigResource.Name;
            lock (_gate)
            {
                if (!_byName.TryGetValue(name, out Topic? topic))
                    continue;
                if (!answer.Error.IsError)
                {
                    topic = topic with { Spec = SpecOf(topic.Spec, answer.Entries) };
                    _byName[name] = _byId[topic.Id] = topic;
                }
                else if (answer.Error.Code == Client.ErrorCode.UnknownTopicOrPart)
                    continue;
                else if (answer.Error.Code == Client.ErrorCode.TopicAuthorizationFailed)
                    _hidden.Add(name);
                else
                    throw KafkaFailures.Of(answer.Error, $"describing the topic '{name}'", _options.Brokers);
                _described.Add(name);
            }
        }
    }

    private async Task<IReadOnlyList<DescribeConfigsReport>> ConfigsOf(string[] names)
    {
        try
        {
            List<DescribeConfigsResult> answers = await _admin.DescribeConfigsAsync(
                names.Select(n => new ConfigResource { Type = ResourceType.Topic, Name = n }),
                new DescribeConfigsOptions { RequestTimeout = _options.RequestTimeout })
                .ConfigureAwait(false);
            return [.. answers.Select(a => new DescribeConfigsReport
            {
                ConfigResource = a.ConfigResource,
                Entries = a.Entries,
                Error = new Client.Error(Client.ErrorCode.NoError),
            })];
        }
        catch (DescribeConfigsException e)
        {
            return e.Results;
        }
    }

    private TopicSpec SpecOf(TopicSpec known, Dictionary<string, ConfigEntryResult> entries)
    {
        long Number(string name) => long.Parse(entries[name].Value, CultureInfo.InvariantCulture);
        long retentionMs = Number("retention.ms");
        long retentionBytes = Number("retention.bytes");
        bool isCompacted = entries["cleanup.policy"].Value.Contains("compact", StringComparison.Ordinal);
        // Brokers bound what is sent: how small compression makes a record is known only then.
        long recordBytes = KafkaProperties.IsCompressing(_options)
            ? known.RecordBytesMax : Math.Max(1, Number("max.message.bytes") - BatchBytes);
        return known with
        {
            Compacted = isCompacted,
            Retention = isCompacted || retentionMs < 0 || retentionMs >= TimeSpan.MaxValue.TotalMilliseconds
                ? null : TimeSpan.FromMilliseconds(retentionMs),
            RetentionBytes = isCompacted || retentionBytes < 0 ? null : retentionBytes,
            RecordBytesMax = (int)Math.Min(recordBytes, int.MaxValue),
        };
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
