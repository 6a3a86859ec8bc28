using Streams.State;
using Xunit;

namespace Streams.Tests.Engine.State;

public sealed class OrderedStoreTests
{
    private static readonly StoreOptions Options = new() { Name = "ordered" };

    [Theory]
    [InlineData(1, 40, 2_000)]
    [InlineData(2, 3_000, 20_000)]
    [InlineData(3, 200_000, 60_000)]
    public void Random_changes_leave_keys_in_order_and_the_changelog_follows(int seed, int keys, int changes)
    {
        var random = new Random(seed);
        using var store = new OrderedStore(Options, null, 0);
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var changelog = new ChangelogModel();
        for (int i = 0; i < changes; i++)
        {
            byte[] key = RandomKey(random, keys);
            if (random.Next(3) == 0)
            {
                Assert.Equal(model.Remove(Convert.ToHexString(key)), store.Delete(key));
            }
            else
            {
                byte[] value = new byte[random.Next(40)];
                random.NextBytes(value);
                store.Put(key, value);
                model[Convert.ToHexString(key)] = Convert.ToHexString(value);
            }
            if (random.Next(500) == 0)
                store.Flush(changelog);
        }
        Assert.Equal(model, All(store));
        Assert.Equal(model.Count, store.Count);
        store.Flush(changelog);
        using var restored = new OrderedStore(Options, null, 0);
        changelog.ReplayInto(restored);
        Assert.Equal(model, All(restored));
    }

    [Fact]
    public void The_neighbours_of_any_key_are_found()
    {
        var random = new Random(7);
        using var store = new OrderedStore(Options, null, 0);
        var model = new SortedSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < 5_000; i++)
        {
            byte[] key = RandomKey(random, 100_000);
            store.Put(key, default);
            model.Add(Convert.ToHexString(key));
        }
        List<string> sorted = [.. model];
        for (int i = 0; i < 2_000; i++)
        {
            byte[] key = RandomKey(random, 100_000);
            int at = sorted.BinarySearch(Convert.ToHexString(key), StringComparer.Ordinal);
            int after = at < 0 ? ~at : at;
            bool hasAfter = store.TryFirstAtOrAfter(key, out ReadOnlySpan<byte> found, out _);
            Assert.Equal(after < sorted.Count ? sorted[after] : null, hasAfter ? Convert.ToHexString(found)
                : null);
            bool hasBefore = store.TryLastBefore(key, out found, out _);
            Assert.Equal(after > 0 ? sorted[after - 1] : null, hasBefore ? Convert.ToHexString(found) : null);
        }
    }

    [Fact]
    public void Times_are_ordered_by_their_bytes_before_1970_too()
    {
        byte[] place = new byte[8];
        long[] times = [long.MinValue, -5, -1, 0, 1, 255, 256, 1_700_000_000_000, long.MaxValue];
        string[] written = [.. times.Select(time =>
        {
            OrderedStore.WriteTime(place, time);
            Assert.Equal(time, OrderedStore.ReadTime(place));
            return Convert.ToHexString(place);
        })];
        Assert.Equal(written.Order(StringComparer.Ordinal), written);
    }

    [Fact]
    public void A_value_that_is_appended_to_keeps_what_it_had_and_its_place()
    {
        using var store = new OrderedStore(Options, null, 0);
        for (int i = 0; i < 500; i++)
            store.Put(BitConverter.GetBytes(i * 7919), "x"u8);
        for (int i = 0; i < 2_000; i++)
            store.Append("key"u8, 1)[0] = (byte)i;
        Assert.True(store.TryFirstAtOrAfter("key"u8, out ReadOnlySpan<byte> key,
            out ReadOnlySpan<byte> value));
        Assert.True(key.SequenceEqual("key"u8));
        Assert.Equal(2_000, value.Length);
        for (int i = 0; i < value.Length; i++)
            Assert.Equal((byte)i, value[i]);
    }

    private static SortedDictionary<string, string> All(OrderedStore store)
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        byte[] from = [];
        string last = "";
        while (store.TryFirstAtOrAfter(from, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
        {
            Assert.True(string.CompareOrdinal(Convert.ToHexString(key), last) > 0 || last.Length == 0);
            all.Add(last = Convert.ToHexString(key), Convert.ToHexString(value));
            from = [.. key, 0];
        }
        return all;
    }

    // Many keys begin with the same eight bytes, so that the whole key decides.
    private static byte[] RandomKey(Random random, int keys)
    {
        byte[] number = BitConverter.GetBytes(random.Next(keys));
        return random.Next(2) == 0
            ? number
            : [.. "the same"u8, .. number.AsSpan(0, 1 + random.Next(3))];
    }
}
