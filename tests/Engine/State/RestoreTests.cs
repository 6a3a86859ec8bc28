using Streams.Buffers;
using Streams.Log.Embedded.Files;
using Streams.State;
using Streams.Tests.Simulation;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.State;

/// <summary>What is read ahead, and announced before its turn, while a store is restored.</summary>
public sealed class RestoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(5_000)]
    public void Records_that_wait_their_turn_are_restored_in_their_order(int records)
    {
        var random = new Random(records);
        var expected = new Dictionary<int, byte[]>();
        using BytesStore store = Store();
        using (var queue = new RestoreQueue(store))
        {
            for (int i = 0; i < records; i++)
            {
                // Few keys, so that many of them come several times while they wait.
                int key = random.Next(40);
                byte[] value = new byte[random.Next(3) * random.Next(2_000)];
                random.NextBytes(value);
                bool isDeleted = random.Next(4) == 0;
                queue.Add(BitConverter.GetBytes(key), !isDeleted, value);
                if (isDeleted)
                    expected.Remove(key);
                else
                    expected[key] = value;
            }
            queue.Apply();
        }
        Assert.Equal(expected.Count, store.Count);
        foreach ((int key, byte[] value) in expected)
        {
            Assert.True(store.TryGet(BitConverter.GetBytes(key), out ReadOnlySpan<byte> found));
            Assert.Equal(value, found.ToArray());
        }
    }

    [Fact]
    public void A_snapshot_with_pages_larger_than_others_is_read_whole()
    {
        using BytesStore store = Store();
        var random = new Random(3);
        for (int i = 0; i < 3_000; i++)
            random.NextBytes(store.Put(BitConverter.GetBytes(i), i % 500 == 7 ? 3_000_000 : 900, out _));
        string name = Write(store);
        using BytesStore restored = Store();
        Assert.Equal(42, SnapshotFile.Read(Files(), name, restored, TaskScheduler.Default));
        Assert.Equal(StoreContents.Of(store), StoreContents.Of(restored));
    }

    [Fact]
    public void A_store_that_is_too_small_for_its_snapshot_says_so_while_more_is_being_read()
    {
        using BytesStore store = Store();
        for (int i = 0; i < 5_000; i++)
            store.Put(BitConverter.GetBytes(i), 900, out _).Clear();
        string name = Write(store);
        using BytesStore small = Store(2 << 20);
        // Does nothing by itself: what waits for a job has to see to it.
        var background = new StepScheduler();
        Assert.Throws<StateLimitException>(() => SnapshotFile.Read(Files(), name, small, background));
        Assert.Equal(0, background.Count);
    }

    private static BytesStore Store(long bytesMax = 1L << 30) =>
        new(new StoreOptions { Name = "s", StateBytesMax = bytesMax }, null, 0);

    private DirectoryFileSystem Files() => new(_folder.Path);

    private string Write(BytesStore store)
    {
        using var run = new SnapshotRun(Files(), 42, store.SnapshotParts());
        using var slice = new PooledBuffer();
        Assert.True(run.CopySlice(slice, int.MaxValue, observedMs: 0));
        run.Write(slice.WrittenSpan);
        run.Complete();
        return Assert.Single(Files().List());
    }
}
