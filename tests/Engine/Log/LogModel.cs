using System.Globalization;
using System.Text;
using Streams.Log;
using Xunit;

namespace Streams.Tests.Engine.Log;

/// <summary>
/// The naive log: a list of what each commit did, from which the state after any commit follows. A log that
/// was cut back by a crash has to equal the model after the commit that it was cut back to.
/// </summary>
internal sealed class LogModel
{
    private readonly List<Action<State>> _commits = [];

    /// <summary>An empty log.</summary>
    public LogModel()
    {
    }

    /// <summary>A copy.</summary>
    public LogModel(LogModel other) => _commits.AddRange(other._commits);

    /// <summary>The last commit; they are numbered from 1.</summary>
    public long LastCommit => _commits.Count;

    /// <summary>Adds what the next commit does.</summary>
    public void Add(Action<State> commit) => _commits.Add(commit);

    /// <summary>
    /// Forgets the commits behind one; where there are none, the log has made commits of its own.
    /// </summary>
    public void CutAfter(long commit)
    {
        if (commit < _commits.Count)
            _commits.RemoveRange((int)commit, _commits.Count - (int)commit);
        while (_commits.Count < commit)
            _commits.Add(_ => { });
    }

    /// <summary>The state after the last commit.</summary>
    public State Now()
    {
        var state = new State();
        foreach (Action<State> commit in _commits)
            commit(state);
        return state;
    }

    /// <summary>Asserts that the log is as the model says, in everything that can be asked of it.</summary>
    public void AssertEqual(ITopicLog log)
    {
        State expected = Now();
        Assert.Equal(expected.Topics.Keys.Order(StringComparer.Ordinal), log.Topics.Select(t => t.Name));
        foreach (Topic topic in log.Topics)
        {
            PartitionModel[] partitions = expected.Topics[topic.Name];
            Assert.Equal(partitions.Length, topic.Partitions);
            for (int i = 0; i < partitions.Length; i++)
            {
                PartitionModel partition = partitions[i];
                Assert.Equal(partition.Records.Count, log.EndOffset(topic[i], ReadLevel.Committed));
                long start = log.StartOffset(topic[i]);
                if (topic.Spec.Compacted)
                    AssertCompacted(partition.From(start).ToList(), log.ReadAll(topic[i]));
                else
                    Assert.Equal(partition.From(start), log.ReadAll(topic[i]));
                if (topic.Spec.Retention is null || topic.Spec.Compacted)
                    Assert.Equal(partition.Start, start);
                else
                    Assert.InRange(start, partition.Start, partition.Records.Count);
            }
        }
        foreach (((string group, string topic, int partition), long next) in expected.Offsets)
            Assert.Equal(next, log.CommittedOffset(group, log.FindTopic(topic)![partition]));
        foreach (string source in expected.Cursors.Keys)
        {
            Assert.Equal(
                expected.Cursors[source].Select(c => $"{c.Key}={c.Value}"),
                log.Cursors(source).Select(c => $"{c.Key}={Encoding.UTF8.GetString(c.Value)}"));
        }
    }

    /// <summary>
    /// Asserts that what is left of a compacted partition is of what was written, has the last record of each
    /// key unless that is a tombstone, and shows no record of a key that a tombstone has deleted.
    /// </summary>
    private static void AssertCompacted(List<string> written, List<string> left)
    {
        Assert.True(left.ToHashSet().IsSubsetOf(written), "There are records that were never written.");
        Assert.Equal(left.OrderBy(Offset), left);
        Assert.Equal(written.LastOrDefault(), left.LastOrDefault());
        Assert.Equal(written.Where(r => Key(r) == "-"), left.Where(r => Key(r) == "-"));
        Dictionary<string, string> lastLeft = left.GroupBy(Key).ToDictionary(g => g.Key, g => g.Last());
        foreach (IGrouping<string, string> key in written.GroupBy(Key).Where(g => g.Key != "-"))
        {
            string last = key.Last();
            bool isDeleted = last.EndsWith("=-", StringComparison.Ordinal);
            string? found = lastLeft.GetValueOrDefault(key.Key);
            Assert.True(found == last || (isDeleted && found is null), $"{found} was left of {last}.");
        }

        static long Offset(string record) => long.Parse(record.Split(':')[0], CultureInfo.InvariantCulture);

        static string Key(string record) => record.Split(':', 2)[1].Split('=')[0];
    }

    /// <summary>Everything at one moment.</summary>
    internal sealed class State
    {
        public Dictionary<string, PartitionModel[]> Topics { get; } = [];

        public Dictionary<(string Group, string Topic, int Partition), long> Offsets { get; } = [];

        public Dictionary<string, SortedDictionary<string, string>> Cursors { get; } = [];

        public void AddTopic(string name, int partitions) =>
            Topics[name] = [.. Enumerable.Range(0, partitions).Select(_ => new PartitionModel())];

        public void RemoveTopic(string name)
        {
            Topics.Remove(name);
            foreach (
                (string Group, string Topic, int Partition) key in Offsets.Keys.Where(k => k.Topic == name))
                Offsets.Remove(key);
        }

        public void SetCursor(string source, string key, string value)
        {
            if (!Cursors.TryGetValue(source, out SortedDictionary<string, string>? cursors))
                Cursors[source] = cursors = new SortedDictionary<string, string>(StringComparer.Ordinal);
            if (value.Length == 0)
                cursors.Remove(key);
            else
                cursors[key] = value;
        }
    }

    /// <summary>The records of a partition, by offset.</summary>
    internal sealed class PartitionModel
    {
        public List<string> Records { get; } = [];

        public long Start { get; set; }

        public IEnumerable<string> From(long offset)
        {
            for (long i = Math.Max(offset, Start); i < Records.Count; i++)
                yield return $"{i}:{Records[(int)i]}";
        }
    }
}
