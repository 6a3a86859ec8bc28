using Streams.Records;
using Streams.State;
using Xunit;

namespace Streams.Tests.Engine.State;

public sealed class KeyValueStoreTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Ranges_and_prefixes_come_in_the_order_of_their_bytes(int seed)
    {
        var random = new Random(seed);
        using KeyValueStore<string, long> store = Make();
        var model = new SortedDictionary<string, long>(StringComparer.Ordinal);
        for (int turn = 0; turn < 4_000; turn++)
        {
            string key = $"{(char)('a' + random.Next(4))}{random.Next(400)}";
            if (random.Next(3) == 0)
                Assert.Equal(model.Remove(key), store.Delete(key));
            else
                store.Put(key, model[key] = turn, turn);
            if (turn % 97 == 0)
                store.Flush(NoChangelog.Instance);
            if (turn % 50 != 0)
                continue;
            string from = $"{(char)('a' + random.Next(4))}{random.Next(400)}", to = $"d{random.Next(400)}";
            List<KeyValuePair<string, long>> between = [.. model.Where(
                e => string.CompareOrdinal(e.Key, from) >= 0 && string.CompareOrdinal(e.Key, to) <= 0)];
            Assert.Equal(between, store.Range(from, to));
            Assert.Equal(Enumerable.Reverse(between), store.Range(from, to, descending: true));
            Assert.Equal(
                model.Where(e => e.Key.StartsWith("b1", StringComparison.Ordinal)), store.Prefix("b1"u8));
            Assert.Equal(model, store.All());
        }
    }

    [Fact]
    public void A_read_shows_one_moment_whatever_changes_meanwhile()
    {
        using KeyValueStore<string, long> store = Make();
        for (int i = 0; i < 500; i++)
            store.Put($"{i:D3}", i, i);
        var seen = new List<long>();
        foreach ((string key, long value) in store.Range("100", "399"))
        {
            seen.Add(value);
            store.Delete($"{value + 1:D3}");
            store.Put($"{value:D3}x", -1, 0);
            store.Put("399", -1, 0);
        }
        Assert.Equal(Enumerable.Range(100, 300).Select(i => (long)i), seen);
    }

    [Fact]
    public void The_first_entries_of_a_range_are_found_without_an_order()
    {
        using KeyValueStore<string, long> store = Make();
        for (int i = 0; i < 1_000; i++)
            store.Put($"{i * 7 % 1_000:D3}", i, i);
        long reserved = store.BytesReserved;
        var query = new StateQuery { Range = KeyRange.Between("250"u8.ToArray(), null), EntriesMax = 3 };
        Assert.Equal(["\"250\"", "\"251\"", "\"252\""], store.Query(query).Select(e => e.Key));
        Assert.Equal(
            ["\"999\"", "\"998\"", "\"997\""],
            store.Query(query with { Descending = true }).Select(e => e.Key));
        Assert.Equal(reserved, store.BytesReserved);
    }

    [Fact]
    public void An_entry_is_gone_when_its_time_to_live_is_over_and_its_tombstone_is_in_the_changelog()
    {
        using KeyValueStore<string, long> store = Make(TimeSpan.FromSeconds(10));
        long now = 0;
        store.TaskTimeMs = () => now;
        var changelog = new ChangelogModel();
        store.Put("old", 1, 1_000);
        store.Put("renewed", 2, 1_000);
        store.Flush(changelog);
        store.Put("renewed", 3, 9_000);
        now = 10_999;
        Assert.True(store.TryGet("old", out _));
        now = 11_000;
        Assert.False(store.TryGet("old", out _));
        Assert.Equal(["renewed"], store.All().Select(e => e.Key));
        now = 12_000;
        store.Flush(changelog);
        Assert.Equal(1, store.Count);
        Assert.Equal([Convert.ToHexString("renewed"u8)], changelog.Values.Keys);
        now = 40_000;
        store.Flush(changelog);
        Assert.Equal(0, store.Count);
        Assert.Empty(changelog.Values);
    }

    [Fact]
    public void A_restart_forgets_the_same_entries()
    {
        var random = new Random(3);
        using KeyValueStore<string, long> store = Make(TimeSpan.FromSeconds(5));
        KeyValueStore<string, long> restarted = Make(TimeSpan.FromSeconds(5));
        long now = 0;
        var changelog = new ChangelogModel();
        store.TaskTimeMs = () => now;
        for (int turn = 0; turn < 3_000; turn++)
        {
            now = Math.Max(now, turn * 10 + random.Next(200));
            string key = $"{random.Next(300)}";
            store.Put(key, turn, turn * 10);
            if (random.Next(5) == 0)
                store.Delete($"{random.Next(300)}");
            if (turn % 40 != 0)
                continue;
            store.Flush(changelog);
            restarted.Dispose();
            restarted = Make(TimeSpan.FromSeconds(5));
            changelog.ReplayInto(restarted);
            restarted.Restored();
            restarted.TaskTimeMs = () => now;
            Assert.Equal(store.All(), restarted.All());
            restarted.Flush(NoChangelog.Instance);
            Assert.Equal(store.All(), restarted.All());
            Assert.Equal(store.Count, restarted.Count);
        }
        Assert.InRange(store.Count, 1, 299);
        restarted.Dispose();
    }

    [Fact]
    public void A_store_over_its_limit_names_itself_and_the_option()
    {
        using KeyValueStore<string, long> store = new(
            new StoreOptions { Name = "balances", StateBytesMax = 4 << 20 }, Serdes.String, Serdes.Int64,
            null, 0);
        var e = Assert.Throws<StateLimitException>(() =>
        {
            for (int i = 0; i < 1_000_000; i++)
                store.Put($"{i}", i, i);
        });
        Assert.Contains("'balances'", e.Message, StringComparison.Ordinal);
        Assert.Contains("StateBytesMax", e.Message, StringComparison.Ordinal);
        Assert.InRange(store.BytesReserved, 1 << 20, 4 << 20);
    }

    [Fact]
    public void All_segments_of_a_window_store_share_its_limit()
    {
        using WindowStore<string, long> store = new(
            new StoreOptions { Name = "panes", StateBytesMax = 6 << 20 }, 3_600_000, Serdes.String,
            Serdes.Int64, null, 0);
        Assert.Throws<StateLimitException>(() =>
        {
            for (int i = 0; i < 1_000_000; i++)
                store.Put($"{i}", i % 60 * 60_000, i, i);
        });
        Assert.InRange(store.BytesReserved, 1 << 20, 6 << 20);
    }

    private static KeyValueStore<string, long> Make(TimeSpan? timeToLive = null) => new(
        new StoreOptions { Name = "s", TimeToLive = timeToLive }, Serdes.String, Serdes.Int64, null, 0);
}
