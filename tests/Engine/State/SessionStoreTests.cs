using Streams.Records;
using Streams.State;
using Xunit;

namespace Streams.Tests.Engine.State;

public sealed class SessionStoreTests
{
    private const long RetentionMs = 400_000;
    private const long GapMs = 3_000;

    [Fact]
    public void Random_sessions_are_found_by_what_they_touch_until_their_retention()
    {
        var random = new Random(11);
        using SessionStore<string, long> store = Make();
        var model = new SortedDictionary<(string Key, long End), (long Start, long Count)>();
        var changelog = new ChangelogModel();
        long now = 1_000_000;
        long observed = long.MinValue;
        for (int i = 0; i < 5_000; i++)
        {
            now += random.Next(1_500);
            string key = "k" + random.Next(3);
            long time = now - random.Next(3) * random.Next(100_000);
            var touched = model.Where(s => s.Key.Key == key && s.Key.End >= time - GapMs
                && s.Value.Start <= time + GapMs && s.Key.End > observed - RetentionMs).ToList();
            Assert.Equal(
                touched.Select(s => (new SessionSpan(s.Value.Start, s.Key.End), s.Value.Count)),
                store.Fetch(key, time - GapMs, time + GapMs));
            long start = Math.Min(time, touched.Select(s => s.Value.Start).DefaultIfEmpty(time).Min());
            long end = Math.Max(time, touched.Select(s => s.Key.End).DefaultIfEmpty(time).Max());
            foreach (var session in touched)
            {
                store.Delete(key, new SessionSpan(session.Value.Start, session.Key.End));
                model.Remove(session.Key);
            }
            observed = Math.Max(observed, end);
            store.Put(key, new SessionSpan(start, end), i);
            model[(key, end)] = (start, i);
            if (random.Next(7) == 0)
                store.Flush(changelog);
        }
        store.Flush(changelog);
        using SessionStore<string, long> restored = Make();
        changelog.ReplayInto(restored);
        restored.ObservedMs = store.ObservedMs;
        foreach (string key in new[] { "k0", "k1", "k2" })
            Assert.Equal(store.Fetch(key, 0, long.MaxValue), restored.Fetch(key, 0, long.MaxValue));
    }

    [Fact]
    public void A_session_that_grows_at_every_record_takes_no_more_room()
    {
        using SessionStore<string, long> store = Make();
        store.Put("k", new SessionSpan(1_000_000, 1_000_000), 0);
        for (int i = 1; i < 30_000; i++)
        {
            store.Delete("k", new SessionSpan(1_000_000, 1_000_000 + i - 1));
            store.Put("k", new SessionSpan(1_000_000, 1_000_000 + i), i);
            if (i % 100 == 0)
                store.Flush(NoChangelog.Instance);
        }
        Assert.Single(store.Fetch("k", 0, long.MaxValue));
        Assert.True(store.BytesReserved <= 2 << 20, $"{store.BytesReserved:N0} bytes are reserved.");
    }

    private static SessionStore<string, long> Make() => new(
        new StoreOptions { Name = "sessions" }, RetentionMs, Serdes.String, Serdes.Int64, null, 0);
}
