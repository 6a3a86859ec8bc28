using Streams.Records;
using Streams.State;
using Xunit;

namespace Streams.Tests.Engine.State;

public sealed class VersionedStoreTests
{
    private const long HistoryMs = 150_000;

    // Segments are 75 seconds long: the times of a run lie in many of them.
    [Theory]
    [InlineData(1, 10)]
    [InlineData(2, 1_000)]
    [InlineData(3, 20_000)]
    public void Random_versions_answer_as_a_list_of_them_would(int seed, int stepMs)
    {
        var random = new Random(seed);
        using VersionedStore<string, string> store = Make();
        var changelog = new ChangelogModel();
        var model = new Model();
        long now = 1_000_000;
        for (int i = 0; i < 4_000; i++)
        {
            now += random.Next(stepMs);
            string key = "k" + random.Next(5);
            long time = now - random.Next(4) * random.Next(stepMs * 20);
            string? value = random.Next(4) == 0 ? null : "v" + i;
            VersionPut put = value is null ? store.Delete(key, time) : store.Put(key, value, time);
            Assert.Equal(model.Put(key, value, time), put);
            if (random.Next(20) == 0)
                store.Flush(changelog);
            string asked = "k" + random.Next(5);
            long at = now - random.Next(stepMs * 30);
            Assert.Equal(model.AsOf(asked, at), AsOf(store, asked, at));
            Assert.Equal(model.Latest(asked), Latest(store, asked));
        }
        store.Flush(changelog);
        using VersionedStore<string, string> restored = Make();
        changelog.ReplayInto(restored);
        restored.ObservedMs = store.ObservedMs;
        for (int k = 0; k < 5; k++)
        {
            Assert.Equal(Latest(store, "k" + k), Latest(restored, "k" + k));
            for (long at = now - HistoryMs - 10; at <= now; at += Math.Max(1, HistoryMs / 500))
                Assert.Equal(AsOf(store, "k" + k, at), AsOf(restored, "k" + k, at));
        }
    }

    [Fact]
    public void A_key_that_ceased_to_change_keeps_its_latest_version_for_ever()
    {
        using VersionedStore<string, string> store = Make();
        store.Put("still", "v1", 1_000);
        for (long time = 2_000; time < 100 * HistoryMs; time += 10_000)
            store.Put("busy", "x", time);
        Assert.Equal(("v1", 1_000), AsOf(store, "still", 1_500));
        Assert.Null(AsOf(store, "still", 999));
        Assert.True(store.BytesReserved < 8 << 20, $"{store.BytesReserved:N0} bytes are reserved.");
    }

    [Fact]
    public void A_put_at_exactly_the_end_of_the_history_counts_and_one_before_it_does_not()
    {
        using VersionedStore<string, string> store = Make();
        store.Put("a", "now", 1_000_000);
        Assert.Equal(VersionPut.Latest, store.Put("b", "kept", 1_000_000 - HistoryMs));
        Assert.Equal(VersionPut.TooOld, store.Put("c", "gone", 1_000_000 - HistoryMs - 1));
        Assert.Null(Latest(store, "c"));
    }

    private static VersionedStore<string, string> Make() => new(
        new StoreOptions { Name = "versions" }, HistoryMs, Serdes.String, Serdes.String, null, 0);

    private static (string, long)? AsOf(VersionedStore<string, string> store, string key, long at)
    {
        string value = "";
        return store.TryGetAsOf(key, at, ref value, out long from) ? (value, from) : null;
    }

    private static (string, long)? Latest(VersionedStore<string, string> store, string key)
    {
        string value = "";
        return store.TryGet(key, ref value, out long from) ? (value, from) : null;
    }

    /// <summary>All versions that were ever put, and the rules applied to them when asked.</summary>
    private sealed class Model
    {
        private readonly Dictionary<string, SortedList<long, string?>> _versions = [];
        private long _observed = long.MinValue;

        internal VersionPut Put(string key, string? value, long time)
        {
            _observed = Math.Max(_observed, time);
            if (time < _observed - HistoryMs)
                return VersionPut.TooOld;
            if (!_versions.TryGetValue(key, out SortedList<long, string?>? list))
                _versions[key] = list = [];
            // A deletion that the history no longer holds is forgotten, and so is that it was the latest.
            bool latest = list.Count == 0 || time >= list.Keys[^1]
                || (list.Values[^1] is null && list.Keys[^1] <= _observed - HistoryMs);
            list[time] = value;
            return latest ? VersionPut.Latest : VersionPut.History;
        }

        internal (string, long)? Latest(string key) =>
            _versions.TryGetValue(key, out SortedList<long, string?>? list) && list.Values[^1] is { } value
                ? (value, list.Keys[^1])
                : null;

        internal (string, long)? AsOf(string key, long at)
        {
            if (!_versions.TryGetValue(key, out SortedList<long, string?>? list))
                return null;
            if (Latest(key) is { } latest && latest.Item2 <= at)
                return latest;
            if (at < _observed - HistoryMs)
                return null;
            KeyValuePair<long, string?> found = list.LastOrDefault(v => v.Key <= at);
            return found.Value is null ? null : (found.Value, found.Key);
        }
    }
}
