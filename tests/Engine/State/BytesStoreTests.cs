using Streams.State;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.State;

public sealed class BytesStoreTests
{
    private static readonly StoreOptions Options = new() { Name = "test" };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_changes_leave_what_a_dictionary_would_hold_and_the_changelog_follows(int seed)
    {
        var random = new Random(seed);
        using var store = new BytesStore(Options, null, 0);
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var changelog = new ChangelogModel();
        for (int i = 0; i < 20_000; i++)
        {
            byte[] key = RandomKey(random);
            if (random.Next(3) == 0)
            {
                Assert.Equal(model.Remove(Convert.ToHexString(key)), store.Delete(key));
            }
            else
            {
                byte[] value = new byte[random.Next(10) == 0 ? random.Next(5000) : random.Next(60)];
                random.NextBytes(value);
                store.Put(key, value);
                model[Convert.ToHexString(key)] = Convert.ToHexString(value);
            }
            if (random.Next(50) == 0)
            {
                store.Flush(changelog);
                Assert.Equal(model, changelog.Values);
            }
        }
        Assert.Equal(model, StoreContents.Of(store));
        Assert.Equal(model.Count, store.Count);
        store.Flush(changelog);
        using var restored = new BytesStore(Options, null, 0);
        changelog.ReplayInto(restored);
        Assert.Equal(model, StoreContents.Of(restored));
        Assert.Equal(model.Count, restored.Count);
    }

    [Fact]
    public void A_commit_writes_one_entry_per_key_however_often_it_changed()
    {
        using var store = new BytesStore(Options, null, 0);
        var changelog = new ChangelogModel();
        for (int i = 0; i < 1000; i++)
            store.GetOrAdd<long>("counter"u8, out _)++;
        store.Flush(changelog);
        Assert.Equal(1, changelog.Entries);
        store.Flush(changelog);
        Assert.Equal(1, changelog.Entries);
    }

    [Fact]
    public void What_is_inserted_and_deleted_between_two_commits_leaves_no_trace()
    {
        using var store = new BytesStore(Options, null, 0);
        var changelog = new ChangelogModel();
        store.Put("a"u8, "1"u8);
        store.Delete("a"u8);
        store.Flush(changelog);
        Assert.Equal(0, changelog.Entries);
        Assert.Equal(0, store.Count);
    }

    [Fact]
    public void A_deleted_entry_that_was_committed_leaves_a_tombstone()
    {
        using var store = new BytesStore(Options, null, 0);
        var changelog = new ChangelogModel();
        store.Put("a"u8, "1"u8);
        store.Flush(changelog);
        store.Delete("a"u8);
        store.Flush(changelog);
        Assert.Null(changelog.All[^1].Value);
    }

    [Fact]
    public void A_value_grows_and_keeps_its_bytes()
    {
        using var store = new BytesStore(Options, null, 0);
        store.Put("k"u8, "start"u8);
        for (int length = 6; length < 700_000; length = length * 3 / 2)
        {
            Span<byte> value = store.Put("k"u8, length, out bool existed);
            Assert.True(existed);
            Assert.True(value.StartsWith("start"u8));
            Assert.Equal(length, value.Length);
        }
    }

    [Fact]
    public void A_full_store_says_so_and_names_the_bound()
    {
        using var store = new BytesStore(Options with { StateBytesMax = 4 << 20 }, null, 0);
        byte[] value = new byte[100_000];
        var e = Assert.Throws<StateLimitException>(() =>
        {
            for (int i = 0; i < 100; i++)
                store.Put(BitConverter.GetBytes(i), value);
        });
        Assert.Contains("4,194,304", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_is_too_long_is_refused()
    {
        using var store = new BytesStore(Options, null, 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => store.Put(new byte[70_000], "x"u8));
    }

    [Fact]
    public void Reading_changing_replacing_and_flushing_allocate_nothing()
    {
        using var store = new BytesStore(Options, null, 0);
        byte[][] keys = [.. Enumerable.Range(0, 1000).Select(i => Guid.NewGuid().ToByteArray())];
        byte[] value = new byte[50];
        int turn = 0;
        Allocation.AssertNone(() =>
        {
            byte[] key = keys[turn++ % keys.Length];
            store.Put(key, value);
            store.TryGet(key, out _);
            store.GetOrAdd<long>(key.AsSpan(0, 8), out _)++;
            if (turn % 3 == 0)
                store.Delete(key);
            if (turn % 100 == 0)
                store.Flush(NoChangelog.Instance);
        }, warmupRuns: 5000, measuredRuns: 5000);
    }

    private static byte[] RandomKey(Random random)
    {
        byte[] key = new byte[random.Next(1, 40)];
        random.NextBytes(key);
        key[0] &= 0x0F;
        return key.Length > 2 ? key[..2] : key;
    }
}
