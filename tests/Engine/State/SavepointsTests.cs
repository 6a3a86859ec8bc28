using Streams.Dsl;
using Streams.Records;
using Streams.State;
using Xunit;

namespace Streams.Tests.Engine.State;

public sealed class SavepointsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_rollback_sets_every_store_back_to_exactly_what_it_was(int seed)
    {
        var random = new Random(seed);
        var state = new Stores();
        var saved = new Dictionary<uint, string>();
        for (int step = 0; step < 3000; step++)
        {
            int choice = random.Next(100);
            if (choice < 2)
                saved[state.Savepoints.Begin()] = "";
            if (choice < 2 && state.Savepoints.Current != 0)
                saved[state.Savepoints.Current] = state.Contents();
            else if (choice == 2 && saved.Count > 0)
                RollBack(state, saved, random);
            else if (choice == 3 && saved.Count > 3)
                Release(state, saved);
            else if (choice == 4)
                state.Flush();
            else if (choice == 5)
                state.Restart();
            else
                state.Change(random);
        }
    }

    [Fact]
    public void An_observer_hears_of_each_entry_that_was_set_back()
    {
        var state = new Stores();
        state.Bytes.Put("kept"u8, "1"u8);
        uint savepoint = state.Savepoints.Begin();
        state.Bytes.Put("changed"u8, "2"u8);
        var heard = new List<string>();
        state.Savepoints.Rollback(
            savepoint, (store, key) => heard.Add($"{store}/{System.Text.Encoding.UTF8.GetString(key)}"));
        Assert.Equal(["bytes/changed"], heard);
    }

    [Fact]
    public void A_savepoint_that_was_released_cannot_be_rolled_back_to()
    {
        var state = new Stores();
        uint first = state.Savepoints.Begin();
        uint second = state.Savepoints.Begin();
        state.Savepoints.Release(second);
        Assert.Throws<ArgumentException>(() => state.Savepoints.Rollback(first));
        state.Savepoints.Rollback(second);
    }

    private static void RollBack(Stores state, Dictionary<uint, string> saved, Random random)
    {
        uint target = saved.Keys.Order().ElementAt(random.Next(saved.Count));
        state.Savepoints.Rollback(target);
        Assert.Equal(saved[target], state.Contents());
        foreach (uint gone in saved.Keys.Where(k => k >= target).ToList())
            saved.Remove(gone);
    }

    private static void Release(Stores state, Dictionary<uint, string> saved)
    {
        uint before = saved.Keys.Order().ElementAt(2);
        state.Savepoints.Release(before);
        foreach (uint gone in saved.Keys.Where(k => k < before).ToList())
            saved.Remove(gone);
    }

    /// <summary>Stores of each kind with savepoints, and their changelogs.</summary>
    private sealed class Stores
    {
        private readonly Dictionary<string, ChangelogModel> _changelogs = [];
        private BytesStore _chunks = null!;
        private DeduplicateStore _seen = null!;
        private WindowStore<string, string> _windows = null!;
        private List<StateStore> _all = [];
        private long _timeMs = 1_000_000;

        internal Stores() => Open();

        internal BytesStore Bytes { get; private set; } = null!;

        internal Savepoints Savepoints { get; private set; } = null!;

        internal void Change(Random random)
        {
            // Slow enough that all savepoints stay within a segment of the stores with retention.
            _timeMs += random.Next(20);
            byte[] key = [(byte)random.Next(100)];
            string name = "k" + random.Next(30);
            switch (random.Next(5))
            {
                case 0: Bytes.Delete(key); break;
                case 1: Bytes.Put(key, new byte[random.Next(100)]); break;
                case 2: _seen.IsDuplicate(key, _timeMs - random.Next(5000)); break;
                case 3:
                    _windows.Put(name, (_timeMs - random.Next(5_000)) / 1000 * 1000,
                    "v" + random.Next(1000), _timeMs); break;
                default: _windows.Delete(name, (_timeMs - random.Next(5_000)) / 1000 * 1000); break;
            }
        }

        internal void Flush()
        {
            Savepoints.Seal();
            foreach (StateStore store in _all)
            {
                if (!_changelogs.TryGetValue(store.Name, out ChangelogModel? changelog))
                    _changelogs[store.Name] = changelog = new ChangelogModel();
                store.Flush(changelog);
            }
        }

        /// <summary>Everything in memory is lost and comes back from the changelogs.</summary>
        internal void Restart()
        {
            Flush();
            string before = Contents();
            (long seen, long windows) = (_seen.ObservedMs, _windows.ObservedMs);
            Open();
            foreach (StateStore store in _all)
            {
                if (_changelogs.TryGetValue(store.Name, out ChangelogModel? changelog))
                    changelog.ReplayInto(store);
                store.Flush(new ChangelogModel());
            }
            (_seen.ObservedMs, _windows.ObservedMs) = (seen, windows);
            Savepoints.Reopen();
            Assert.Equal(before, Contents());
        }

        internal string Contents()
        {
            var text = new System.Text.StringBuilder();
            foreach ((string key, string value) in StoreContents.Of(Bytes))
                text.Append(key).Append('=').Append(value).Append('\n');
            for (int k = 0; k < 30; k++)
            {
                foreach ((long start, string value, long ts) in _windows.Fetch("k" + k, 0, long.MaxValue))
                    text.Append($"k{k}@{start}={value}@{ts}\n");
            }
            text.Append(_windows.ObservedMs).Append('/').Append(_seen.ObservedMs).Append('/').Append(
                _seen.Count);
            return text.ToString();
        }

        private void Open()
        {
            _chunks = new BytesStore(new StoreOptions { Name = "savepoints" }, null, 0);
            Savepoints = new Savepoints(_chunks);
            Savepoints.Register(n =>
                new BytesStore(new StoreOptions { Name = "bytes" }, Savepoints, n), out StateStore bytes);
            Savepoints.Register(
                n => new DeduplicateStore(new StoreOptions { Name = "seen" }, 60_000, Savepoints, n),
                out StateStore seen);
            Savepoints.Register(
                n => new WindowStore<string, string>(
                    new StoreOptions { Name = "windows" }, 3_600_000, Serdes.String, Serdes.String,
                    Savepoints, n),
                out StateStore windows);
            Bytes = (BytesStore)bytes;
            _seen = (DeduplicateStore)seen;
            _windows = (WindowStore<string, string>)windows;
            _all = [bytes, seen, windows, _chunks];
        }
    }
}
