namespace Streams.Log.Embedded.Catalog;

/// <summary>
/// Topics by number and by name. A topic's number is its index in an array, given once and never again, so
/// that the record path finds a partition without hashing.
/// </summary>
internal sealed class TopicTable
{
    private readonly Dictionary<string, TopicState> _byName = new(StringComparer.Ordinal);
    private TopicState?[] _byId = new TopicState?[16];
    private Topic[] _sorted = [];

    /// <summary>All topics, by name in ordinal order; a new array after each change.</summary>
    public IReadOnlyList<Topic> Sorted => _sorted;

    /// <summary>The number that the next new topic gets; 0 is no topic's.</summary>
    public int NextId { get; private set; } = 1;

    /// <summary>The topic of that number, or null.</summary>
    public TopicState? Find(int id) => (uint)id < (uint)_byId.Length ? _byId[id] : null;

    /// <summary>The topic of that name, or null.</summary>
    public TopicState? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The partition, or null where there is no such topic or partition.</summary>
    public PartitionState? Find(TopicPartition id)
    {
        PartitionState[] partitions = Find(id.Topic)?.Partitions ?? [];
        return (uint)id.Partition < (uint)partitions.Length ? partitions[id.Partition] : null;
    }

    /// <summary>The partition of a caller's choice.</summary>
    /// <exception cref="ArgumentException">There is no such partition.</exception>
    public PartitionState Get(TopicPartition id) =>
        Find(id) ?? throw new ArgumentException(
            $"The log has no partition {id.Partition} of a topic number {id.Topic}.");

    /// <summary>Adds a topic, or changes what may change of an existing one.</summary>
    /// <returns>Whether the definition can be had: the name is free or the topic's own, and the partitions
    /// stay.</returns>
    public bool Define(int id, TopicSpec spec)
    {
        var topic = new Topic(id, spec);
        if (Find(id) is { } existing)
        {
            if (existing.Topic.Name != spec.Name || existing.Topic.Partitions != spec.Partitions)
                return false;
            existing.Topic = topic;
        }
        else
        {
            var state = new TopicState(topic);
            if (id < 1 || !_byName.TryAdd(spec.Name, state))
                return false;
            if (id >= _byId.Length)
                Array.Resize(ref _byId, Math.Max(id + 1, 2 * _byId.Length));
            _byId[id] = state;
            Reserve(id + 1);
        }
        Sort();
        return true;
    }

    /// <summary>Removes a topic.</summary>
    /// <returns>What it was, or null.</returns>
    public TopicState? Remove(int id)
    {
        TopicState? state = Find(id);
        if (state is null)
            return null;
        _byId[id] = null;
        _byName.Remove(state.Topic.Name);
        Sort();
        return state;
    }

    /// <summary>Makes sure that numbers below <paramref name="nextId"/> are not given again.</summary>
    public void Reserve(int nextId) => NextId = Math.Max(NextId, nextId);

    private void Sort()
    {
        Topic[] sorted = new Topic[_byName.Count];
        int at = 0;
        foreach (TopicState state in _byName.Values)
            sorted[at++] = state.Topic;
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        _sorted = sorted;
    }
}
