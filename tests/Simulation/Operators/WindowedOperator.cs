using System.Buffers.Binary;
using System.Text;
using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;

using Streams.Tests.Reference;

namespace Streams.Tests.Simulation.Operators;

/// <summary>Tumbling or hopping windows of a random topology.</summary>
/// <param name="SizeMs">Their length.</param>
/// <param name="AdvanceMs">From one start to the next.</param>
/// <param name="GraceMs">How long late records count.</param>
/// <param name="Suppress">Whether a window is emitted once, when it closes.</param>
/// <param name="Counts">Whether records are counted; else their values are reduced.</param>
internal sealed record WindowPlan(long SizeMs, long AdvanceMs, long GraceMs, bool Suppress, bool Counts);

/// <summary>An aggregate by key and window, with late records, emitted as it changes or at the end.</summary>
internal sealed class WindowedOperator(int id, PlanStream input, WindowPlan plan) : PlanOperator(id, input)
{
    internal override void Build(StreamsBuilder builder)
    {
        TimeWindowedKStream<string, string> windowed = Input().GroupByKey().WindowedBy(
            TimeWindows.OfSizeAndGrace(
                TimeSpan.FromMilliseconds(plan.SizeMs), TimeSpan.FromMilliseconds(plan.GraceMs))
            .AdvanceBy(TimeSpan.FromMilliseconds(plan.AdvanceMs)));
        Built.Add(plan.Counts
            ? Texts(
                windowed.Count(new Materialized<string, long> { StoreName = StoreName }),
                count => $"{count}")
            : Texts(
                windowed.Reduce(
                    (a, b) => UserFunctions.Add(a, b)!,
                    new Materialized<string, string> { StoreName = StoreName, ValueSerde = Serdes.String }),
                value => value));
    }

    internal override ReferenceOperator CreateReference() => new Reference(plan);

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference)
    {
        var expected = (Reference)reference;
        return plan.Counts
            ? Compare(scope.Store<WindowStore<string, long>>(StoreName), expected)
            : Compare(scope.Store<WindowStore<string, string>>(StoreName), expected);
    }

    private KStream<string, string> Texts<TValue>(
        KTable<Windowed<string>, TValue> table, Func<TValue, string> text)
    {
        if (plan.Suppress)
        {
            table = table.Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()) with
            {
                StoreName = StoreName + "-held",
            });
        }
        return table.ToStream().Map((key, value) => (NameOf(key.Key, key.StartMs), text(value)))
            .WithSerdes(Serdes.String, Serdes.String);
    }

    private static string NameOf(string key, long startMs) => $"{key}w{startMs}";

    private static string? Compare<TValue>(WindowStore<string, TValue> store, Reference reference)
    {
        foreach (string key in reference.Windows.Keys.Select(k => k.Key).Distinct())
        {
            string found = string.Join(", ", store.Fetch(key, 0, long.MaxValue)
                .Where(f => !reference.IsClosed(f.WindowStartMs))
                .Select(f => $"{f.WindowStartMs}:{f.Value}@{f.TimestampMs}"));
            string expected = string.Join(", ", reference.Windows
                .Where(w => w.Key.Key == key && !reference.IsClosed(w.Key.StartMs))
                .Select(w => $"{w.Key.StartMs}:{w.Value.Value}@{w.Value.TimestampMs}"));
            if (found != expected)
                return $"store {store.Name} holds for {key} [{found}], not [{expected}]";
        }
        return null;
    }

    private sealed class Reference(WindowPlan plan) : ReferenceOperator
    {
        private readonly SortedDictionary<Held, Row> _held = [];
        private long _streamTimeMs = long.MinValue;
        private long _heldTimeMs = long.MinValue;

        internal SortedDictionary<(string Key, long StartMs), (string Value, long TimestampMs)> Windows
        {
            get;
        } = [];

        /// <summary>Whether a window takes nothing any more.</summary>
        internal bool IsClosed(long startMs) =>
            startMs + plan.SizeMs <= _streamTimeMs - plan.GraceMs;

        internal override void Process(int input, Row row)
        {
            if (row.Key is null)
                return;
            _streamTimeMs = Math.Max(_streamTimeMs, row.TimestampMs);
            long first = row.TimestampMs - (row.TimestampMs % plan.AdvanceMs);
            while (first - plan.AdvanceMs >= 0 && first - plan.AdvanceMs + plan.SizeMs > row.TimestampMs)
                first -= plan.AdvanceMs;
            for (long start = first; start <= row.TimestampMs; start += plan.AdvanceMs)
            {
                if (!IsClosed(start))
                    Update(row, start);
            }
        }

        private void Update(Row row, long start)
        {
            bool existed = Windows.TryGetValue((row.Key!, start), out var old);
            long timestampMs = existed ? Math.Max(old.TimestampMs, row.TimestampMs) : row.TimestampMs;
            string? result = plan.Counts ? $"{(existed ? long.Parse(old.Value, null) : 0) + 1}"
                : existed ? UserFunctions.Add(old.Value, row.Value) : row.Value;
            if (result is null)
                Windows.Remove((row.Key!, start));
            else
                Windows[(row.Key!, start)] = (result, timestampMs);
            var update = new Row(NameOf(row.Key!, start), result, timestampMs);
            if (plan.Suppress)
                Hold(row.Key!, start, update);
            else
                Emit(0, update);
        }

        private void Hold(string key, long start, Row update)
        {
            _heldTimeMs = Math.Max(_heldTimeMs, update.TimestampMs);
            _held[new Held(start + plan.SizeMs, key, start)] = update;
            while (_held.Count > 0 && _held.First() is var (place, row)
                && place.EndMs <= _heldTimeMs - plan.GraceMs)
            {
                _held.Remove(place);
                if (row.Value is not null)
                    Emit(0, row);
            }
        }
    }

    /// <summary>A window that waits: by its end, then by the bytes of key and start.</summary>
    private readonly record struct Held(long EndMs, string Key, long StartMs) : IComparable<Held>
    {
        public int CompareTo(Held other)
        {
            int byEnd = EndMs.CompareTo(other.EndMs);
            return byEnd != 0 ? byEnd : Bytes().AsSpan().SequenceCompareTo(other.Bytes());
        }

        private byte[] Bytes()
        {
            byte[] start = new byte[8];
            BinaryPrimitives.WriteInt64BigEndian(start, StartMs);
            return [.. Encoding.UTF8.GetBytes(Key), .. start];
        }
    }
}
