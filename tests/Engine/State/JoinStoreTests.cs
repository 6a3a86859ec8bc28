using System.Text;
using Streams.State;
using Xunit;

namespace Streams.Tests.Engine.State;

public sealed class JoinStoreTests
{
    [Theory]
    [InlineData(1, 20, 40)]
    [InlineData(2, 7, 10_000)]
    [InlineData(3, 90_000, 500_000)]
    [InlineData(4, 0, 100)]
    public void Random_records_come_back_by_time_and_arrival(int seed, int windowMs, int stepMs)
    {
        long retentionMs = windowMs + 3L * stepMs;
        var random = new Random(seed);
        using JoinStore store = Make(retentionMs, windowMs);
        var changelog = new ChangelogModel();
        var model = new List<(string Key, long Time, string Value)>();
        long now = 5_000_000;
        long observed = long.MinValue;
        for (int i = 0; i < 3_000; i++)
        {
            now += random.Next(stepMs / 10 + 1);
            string key = "k" + random.Next(4);
            long time = now - random.Next(3) * random.Next(stepMs);
            store.Observe(time);
            observed = Math.Max(observed, time);
            store.Add(Encoding.UTF8.GetBytes(key), time, Encoding.UTF8.GetBytes("v" + i));
            if (time > observed - retentionMs)
                model.Add((key, time, "v" + i));
            if (random.Next(10) == 0)
                store.Flush(changelog);
            long from = now - random.Next(stepMs * 3);
            long to = from + random.Next(windowMs + 2);
            string asked = "k" + random.Next(4);
            Assert.Equal(
                model.Where(r => r.Key == asked && r.Time >= from && r.Time <= to
                    && r.Time > observed - retentionMs).OrderBy(r => r.Time).Select(r => (r.Time, r.Value)),
                Fetch(store, asked, from, to));
        }
        store.Flush(changelog);
        using JoinStore restored = Make(retentionMs, windowMs);
        changelog.ReplayInto(restored);
        restored.ObservedMs = store.ObservedMs;
        foreach (string key in new[] { "k0", "k1", "k2", "k3" })
            Assert.Equal(Fetch(store, key, 0, long.MaxValue / 2), Fetch(restored, key, 0, long.MaxValue / 2));
    }

    private static JoinStore Make(long retentionMs, long windowMs) =>
        new(new StoreOptions { Name = "side" }, retentionMs, windowMs, null, 0);

    private static List<(long, string)> Fetch(JoinStore store, string key, long from, long to)
    {
        var found = new List<(long, string)>();
        JoinStore.Cursor cursor = store.Fetch(Encoding.UTF8.GetBytes(key), from, to);
        while (cursor.MoveNext())
            found.Add((cursor.TimeMs, Encoding.UTF8.GetString(cursor.Value)));
        return found;
    }
}
