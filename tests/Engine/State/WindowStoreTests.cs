using Streams.Records;
using Streams.State;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.State;

public sealed class WindowStoreTests
{
    private const long RetentionMs = 200_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_changes_leave_what_a_dictionary_would_hold_and_a_replay_ends_there_too(int seed)
    {
        var random = new Random(seed);
        using WindowStore<string, string> store = Make();
        var model = new SortedDictionary<(string Key, long Start), (string Value, long Ts)>();
        var changelog = new ChangelogModel();
        long timeMs = 10_000_000;
        long observed = long.MinValue;
        for (int i = 0; i < 10_000; i++)
        {
            timeMs += random.Next(300);
            string key = "k" + random.Next(20);
            long start = Math.Max(0, timeMs - random.Next(400_000)) / 1000 * 1000;
            if (random.Next(5) == 0)
            {
                bool expected = start > observed - RetentionMs && model.Remove((key, start));
                if (start > observed - RetentionMs)
                    Assert.Equal(expected, store.Delete(key, start));
            }
            else
            {
                string value = new('v', random.Next(40));
                observed = Math.Max(observed, start);
                bool stored = store.Put(key, start, value, timeMs);
                Assert.Equal(start > observed - RetentionMs, stored);
                if (stored)
                    model[(key, start)] = (value, timeMs);
            }
            if (random.Next(40) == 0)
                store.Flush(changelog);
        }
        AssertSame(model, store, observed);
        store.Flush(changelog);
        using WindowStore<string, string> restored = Make();
        changelog.ReplayInto(restored);
        restored.Flush(new ChangelogModel());
        AssertSame(model, restored, observed);
    }

    [Fact]
    public void Old_windows_are_found_until_exactly_their_retention()
    {
        using WindowStore<string, string> store = Make();
        string value = "";
        store.Put("k", 1_000_000, "old", 1);
        store.Put("k", 1_000_000 + RetentionMs - 1, "new", 2);
        Assert.True(store.TryGet("k", 1_000_000, ref value, out _));
        store.Put("k", 1_000_000 + RetentionMs, "newest", 3);
        Assert.False(store.TryGet("k", 1_000_000, ref value, out _));
        Assert.True(store.TryGet("k", 1_000_000 + RetentionMs - 1, ref value, out long ts));
        Assert.Equal(("new", 2L), (value, ts));
    }

    [Fact]
    public void Memory_of_expired_windows_is_given_back()
    {
        using WindowStore<string, string> store = Make();
        for (long start = 0; start < 100 * RetentionMs; start += 1000)
            store.Put("k" + start, start, new string('x', 500), start);
        Assert.True(store.BytesReserved < 10 << 20, $"{store.BytesReserved:N0} bytes are reserved.");
    }

    [Fact]
    public void Updating_a_window_in_place_allocates_nothing()
    {
        using var store = new WindowStore<long, long>(
            new StoreOptions { Name = "w" }, RetentionMs, Serdes.Int64, Serdes.Int64, null, 0);
        long turn = 0;
        Allocation.AssertNone(() =>
        {
            long count = 0;
            turn++;
            store.TryGet(turn % 50, turn / 1000 * 1000, ref count, out _);
            store.Put(turn % 50, turn / 1000 * 1000, count + 1, turn);
            if (turn % 100 == 0)
                store.Flush(NoChangelog.Instance);
        }, warmupRuns: 3000, measuredRuns: 3000);
    }

    private static WindowStore<string, string> Make() =>
        new(new StoreOptions { Name = "w" }, RetentionMs, Serdes.String, Serdes.String, null, 0);

    private static void AssertSame(
        SortedDictionary<(string Key, long Start), (string Value, long Ts)> model,
        WindowStore<string, string> store,
        long observed)
    {
        var live = model.Where(e => e.Key.Start > observed - RetentionMs)
            .Select(e => (e.Key.Key, e.Key.Start, e.Value.Value, e.Value.Ts));
        var actual = Enumerable.Range(0, 20).Select(i => "k" + i).Order(StringComparer.Ordinal)
            .SelectMany(k =>
                store.Fetch(k, 0, long.MaxValue).Select(w => (k, w.WindowStartMs, w.Value, w.TimestampMs)));
        Assert.Equal(live.OrderBy(e => e.Key, StringComparer.Ordinal).ThenBy(e => e.Start), actual);
    }
}
