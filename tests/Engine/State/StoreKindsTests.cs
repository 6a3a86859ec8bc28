using System.Text;
using Streams.Buffers;
using Streams.Log.Embedded.Files;
using Streams.Records;
using Streams.State;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.State;

/// <summary>Every kind of store that operators have comes back from savepoints and snapshots.</summary>
public sealed class StoreKindsTests
{
    public static TheoryData<string> Kinds => [.. Subjects.Keys];

    private static Dictionary<string, Func<Subject>> Subjects { get; } = new()
    {
        ["ordered"] = () => new OrderedSubject(),
        ["suppress by place"] = () => new SuppressSubject(placesAreGiven: true),
        ["suppress by key"] = () => new SuppressSubject(placesAreGiven: false),
        ["session"] = () => new SessionSubject(),
        ["versioned"] = () => new VersionedSubject(),
        ["join"] = () => new JoinSubject(),
        ["window"] = () => new WindowSubject(),
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_rollback_leaves_what_was_there_at_the_savepoint(string kind)
    {
        var random = new Random(5);
        Subject subject = Subjects[kind]();
        using var chunks = new BytesStore(new StoreOptions { Name = "savepoints" }, null, 0);
        using var savepoints = new Savepoints(chunks);
        savepoints.Register(n => subject.Create(savepoints, n), out StateStore made);
        using StateStore store = made;
        var kept = new List<(uint Savepoint, string Contents)>();
        for (int turn = 0; turn < 300; turn++)
        {
            kept.Add((savepoints.Begin(), subject.Contents(store)));
            for (int i = random.Next(40); i >= 0; i--)
                subject.Change(store, random);
            if (random.Next(3) == 0)
                store.Flush(NoChangelog.Instance);
            if (random.Next(4) != 0)
                continue;
            int back = random.Next(Math.Max(0, kept.Count - 5), kept.Count);
            savepoints.Rollback(kept[back].Savepoint);
            Assert.Equal(kept[back].Contents, subject.Contents(store));
            kept.RemoveRange(back, kept.Count - back);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_snapshot_holds_all_of_it(string kind)
    {
        var random = new Random(6);
        using var folder = new TemporaryFolder();
        Subject subject = Subjects[kind]();
        using StateStore store = subject.Create(null, 0);
        for (int i = 0; i < 5_000; i++)
        {
            subject.Change(store, random);
            if (i % 50 == 0)
                store.Flush(NoChangelog.Instance);
        }
        store.Flush(NoChangelog.Instance);
        string path = Path.Combine(folder.Path, "s");
        using var bytes = new PooledBuffer();
        SnapshotFile.WriteHeader(bytes, 42);
        foreach (SnapshotPart part in store.SnapshotParts())
        {
            for (int page = 0; page < part.Table.Arena.PageCount; page++)
                SnapshotFile.WriteFrame(bytes, part.Part, part.Table.Arena.Page(page));
        }
        SnapshotFile.WriteClosing(bytes, store.ObservedMs);
        File.WriteAllBytes(path, bytes.WrittenSpan);
        using StateStore restored = subject.Create(null, 0);
        Assert.Equal(42, SnapshotFile.Read(
            new DirectoryFileSystem(folder.Path), "s", restored, TaskScheduler.Default));
        Assert.Equal(subject.Contents(store), subject.Contents(restored));
        Assert.NotEmpty(subject.Contents(store));
    }

    /// <summary>A kind of store, how it is changed, and what is in it.</summary>
    private abstract class Subject
    {
        private long _timeMs = 10_000_000;

        internal abstract StateStore Create(IUndoLog? undo, int undoStore);

        internal abstract void Change(StateStore store, Random random);

        internal abstract string Contents(StateStore store);

        // Slow enough that savepoints stay within a segment of the stores with retention.
        protected long NextTime(Random random) => _timeMs += random.Next(30);

        protected static byte[] Key(Random random) => Encoding.UTF8.GetBytes("k" + random.Next(12));

        protected static IEnumerable<string> Keys => Enumerable.Range(0, 12).Select(k => "k" + k);

        protected static StoreOptions Options => new() { Name = "store" };
    }

    private sealed class OrderedSubject : Subject
    {
        internal override StateStore Create(IUndoLog? undo, int undoStore) =>
            new OrderedStore(Options, undo, undoStore);

        internal override void Change(StateStore store, Random random)
        {
            byte[] key = BitConverter.GetBytes(random.Next(600));
            if (random.Next(3) == 0)
                ((OrderedStore)store).Delete(key);
            else
                ((OrderedStore)store).Append(key, 1 + random.Next(9)).Fill((byte)random.Next());
        }

        internal override string Contents(StateStore store)
        {
            var text = new StringBuilder();
            byte[] from = [];
            while (((OrderedStore)store).TryFirstAtOrAfter(
                from, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value))
            {
                text.Append(Convert.ToHexString(key)).Append('=').AppendLine(Convert.ToHexString(value));
                from = [.. key, 0];
            }
            return text.ToString();
        }
    }

    private sealed class SuppressSubject(bool placesAreGiven) : Subject
    {
        internal override StateStore Create(IUndoLog? undo, int undoStore) =>
            new SuppressBuffer(Options, placesAreGiven, undo, undoStore);

        internal override void Change(StateStore store, Random random)
        {
            var buffer = (SuppressBuffer)store;
            if (random.Next(4) == 0
                && buffer.TryFirst(out long placeMs, out ReadOnlySpan<byte> first, out _))
            {
                buffer.Remove(placeMs, first);
                return;
            }
            byte[] key = Key(random);
            buffer.Put(placesAreGiven ? key[^1] : NextTime(random), key, new HeldUpdate
            {
                TimestampMs = random.Next(1000),
                HasNew = true,
                HasOld = random.Next(2) == 0,
                New = new byte[random.Next(20)],
                Old = "old"u8,
                Headers = default,
            });
        }

        internal override string Contents(StateStore store)
        {
            var buffer = (SuppressBuffer)store;
            var text = new StringBuilder($"{buffer.Count}/{buffer.BytesHeld}");
            if (buffer.TryFirst(out long placeMs, out ReadOnlySpan<byte> first, out _))
                text.Append($" {placeMs}:{Encoding.UTF8.GetString(first)}");
            foreach (string key in Keys)
            {
                if (buffer.TryGet(key[^1], key, Serdes.String, out HeldUpdate held))
                    text.Append(
                        $" {key}={held.New.Length}@{held.TimestampMs}/{held.HasOld}{held.Old.Length}");
            }
            return text.ToString();
        }
    }

    private sealed class SessionSubject : Subject
    {
        internal override StateStore Create(IUndoLog? undo, int undoStore) =>
            new SessionStore<string, long>(
                Options, 3_600_000, Serdes.String, Serdes.Int64, undo, undoStore, stretchMs: 2_000);

        internal override void Change(StateStore store, Random random)
        {
            var sessions = (SessionStore<string, long>)store;
            string key = "k" + random.Next(12);
            long time = NextTime(random) - random.Next(20_000);
            var span = new SessionSpan(time, time);
            foreach ((SessionSpan session, long _) in sessions.Fetch(key, time - 500, time + 500))
            {
                sessions.Delete(key, session);
                span = new SessionSpan(
                    Math.Min(span.StartMs, session.StartMs), Math.Max(span.EndMs, session.EndMs));
            }
            sessions.Put(key, span, random.Next());
        }

        internal override string Contents(StateStore store) => string.Join("\n", Keys.SelectMany(
            key => ((SessionStore<string, long>)store).Fetch(key, 0, long.MaxValue)
                .Select(s => $"{key} {s.Session}={s.Value}")).Append($"{store.ObservedMs}"));
    }

    private sealed class VersionedSubject : Subject
    {
        internal override StateStore Create(IUndoLog? undo, int undoStore) =>
            new VersionedStore<string, long>(
                Options, 600_000, Serdes.String, Serdes.Int64, undo, undoStore);

        internal override void Change(StateStore store, Random random)
        {
            var versions = (VersionedStore<string, long>)store;
            long time = NextTime(random) - (random.Next(3) == 0 ? random.Next(50_000) : 0);
            if (random.Next(4) == 0)
                versions.Delete("k" + random.Next(12), time);
            else
                versions.Put("k" + random.Next(12), random.Next(), time);
        }

        internal override string Contents(StateStore store)
        {
            var versions = (VersionedStore<string, long>)store;
            var text = new StringBuilder($"{store.ObservedMs}");
            foreach (string key in Keys)
            {
                for (long at = store.ObservedMs; at > store.ObservedMs - 100_000 && at > 0; at -= 997)
                {
                    long value = 0;
                    if (versions.TryGetAsOf(key, at, ref value, out long from))
                        text.Append($" {key}@{at}={value}/{from}");
                }
            }
            return text.ToString();
        }
    }

    private sealed class JoinSubject : Subject
    {
        internal override StateStore Create(IUndoLog? undo, int undoStore) =>
            new JoinStore(Options, 600_000, 1_000, undo, undoStore);

        internal override void Change(StateStore store, Random random)
        {
            long time = NextTime(random) - random.Next(5_000) / 100 * 100;
            ((JoinStore)store).Observe(time);
            ((JoinStore)store).Add(Key(random), time, new byte[random.Next(12)]);
        }

        internal override string Contents(StateStore store)
        {
            var text = new StringBuilder($"{store.ObservedMs}");
            foreach (string key in Keys)
            {
                JoinStore.Cursor cursor =
                    ((JoinStore)store).Fetch(Encoding.UTF8.GetBytes(key), 0, long.MaxValue);
                while (cursor.MoveNext())
                    text.Append($" {key}@{cursor.TimeMs}={cursor.Value.Length}");
            }
            return text.ToString();
        }
    }

    private sealed class WindowSubject : Subject
    {
        internal override StateStore Create(IUndoLog? undo, int undoStore) =>
            new WindowStore<string, long>(
                Options, 3_600_000, Serdes.String, Serdes.Int64, undo, undoStore, stretchMs: 1_600);

        internal override void Change(StateStore store, Random random)
        {
            var windows = (WindowStore<string, long>)store;
            long start = (NextTime(random) - random.Next(8_000)) / 100 * 100;
            if (random.Next(4) == 0)
                windows.Delete("k" + random.Next(12), start);
            else
                windows.Put("k" + random.Next(12), start, random.Next(), random.Next(1_000));
        }

        internal override string Contents(StateStore store) => string.Join("\n", Keys.SelectMany(
            key => ((WindowStore<string, long>)store).Fetch(key, 0, long.MaxValue)
                .Select(w => $"{key}@{w.WindowStartMs}={w.Value}/{w.TimestampMs}"))
            .Append($"{store.ObservedMs}"));
    }
}
