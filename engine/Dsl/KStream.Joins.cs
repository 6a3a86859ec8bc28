using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <content>Joins with other streams.</content>
public sealed partial class KStream<TKey, TValue>
{
    /// <summary>Joins records of two streams that have the same key and lie within a window of
    /// time.</summary>
    /// <remarks>Both streams must be partitioned alike. A result has the later one's time and the headers of
    /// the record that came second.</remarks>
    public KStream<TKey, TResult> Join<TOther, TResult>(
        KStream<TKey, TOther> other, Func<TKey, TValue, TOther, TResult> joiner, JoinWindows windows,
        StreamJoined? joined = null) => JoinStream<TOther, TResult>(
        other, (key, left, _, right, _) => joiner(key, left, right), windows, joined, false, false);

    /// <summary>The same, and each record of this stream that nothing matched, once its window is
    /// over.</summary>
    public KStream<TKey, TResult> LeftJoin<TOther, TResult>(
        KStream<TKey, TOther> other, LeftJoiner<TKey, TValue, TOther, TResult> joiner, JoinWindows windows,
        StreamJoined? joined = null) => JoinStream<TOther, TResult>(
        other, (key, left, _, right, hasRight) => joiner(key, left, right, hasRight), windows, joined, true,
        false);

    /// <summary>The same, and each record of either stream that nothing matched, once its window is
    /// over.</summary>
    public KStream<TKey, TResult> OuterJoin<TOther, TResult>(
        KStream<TKey, TOther> other, OuterJoiner<TKey, TValue, TOther, TResult> joiner, JoinWindows windows,
        StreamJoined? joined = null) => JoinStream(other, joiner, windows, joined, true, true);

    private KStream<TKey, TResult> JoinStream<TOther, TResult>(
        KStream<TKey, TOther> other, OuterJoiner<TKey, TValue, TOther, TResult> joiner, JoinWindows windows,
        StreamJoined? joined, bool leftPreserved, bool rightPreserved)
    {
        joined ??= new StreamJoined();
        string name = Builder.NameFor(joined.Name, "KSTREAM-JOIN", Output.Origin);
        string stores = joined.StoreName ?? name;
        KStream<TKey, TValue> left = KeyChanged ? Repartition() : this;
        Serde<TKey> keys = left.RequireKeySerde("A join");
        if (joined.SingleStoreSelfJoin)
        {
            if (!ReferenceEquals(Output, other.Output) || leftPreserved)
                throw new TopologyException(
                    "SingleStoreSelfJoin is for the inner join of a stream with itself.");
            return SelfJoin(left, joiner, windows, joined, name, stores, keys);
        }
        // The stream itself goes through one topic, not two.
        KStream<TKey, TOther> right = ReferenceEquals(this, other)
            ? (KStream<TKey, TOther>)(object)left
            : other.KeyChanged ? other.Repartition() : other;
        var output = new GraphOutput<TKey, TResult>();
        bool keepsUnmatched = leftPreserved || rightPreserved;
        var plan = new StreamJoinPlan<TKey, TValue, TOther>(
            $"{stores}-this", $"{stores}-other", keepsUnmatched ? $"{stores}-unmatched" : null, windows,
            joined, keys, left.RequireValueSerde("A join"), right.RequireValueSerde("A join"));
        plan.AddStores(Builder);
        SideStream<TKey, TValue> lateLeft = LateTopic(left, joined.LateLeftTopic, keys);
        SideStream<TKey, TOther> lateRight = LateTopic(right, joined.LateRightTopic, keys);
        lateLeft.AttachTo(Builder.AttachTo(
            left.Output, output, $"{name}-this", "", plan.Stores,
            task => new StreamJoin<TKey, TValue, TOther, TResult>(
                plan.Sides(task), plan.Left(task), plan.Right(task), joiner, leftPreserved,
                new LateRecords<TKey, TValue>(plan.LeftStore, lateLeft.Resolve(task)))));
        lateRight.AttachTo(Builder.AttachTo(
            right.Output, output, $"{name}-other", "", plan.Stores,
            task => new StreamJoin<TKey, TOther, TValue, TResult>(
                plan.Sides(task), plan.Right(task), plan.Left(task),
                (key, r, hasRight, l, hasLeft) => joiner(key, l, hasLeft, r, hasRight), rightPreserved,
                new LateRecords<TKey, TOther>(plan.RightStore, lateRight.Resolve(task)))));
        return new KStream<TKey, TResult>(Builder, output, keys, null, false);
    }

    private static KStream<TKey, TResult> SelfJoin<TOther, TResult>(
        KStream<TKey, TValue> stream, OuterJoiner<TKey, TValue, TOther, TResult> joiner, JoinWindows windows,
        StreamJoined joined, string name, string stores, Serde<TKey> keys)
    {
        var plan = new StreamJoinPlan<TKey, TValue, TValue>(
            $"{stores}-this", $"{stores}-this", null, windows, joined, keys,
            stream.RequireValueSerde("A join"), stream.RequireValueSerde("A join"));
        plan.AddStores(stream.Builder);
        var itself = (OuterJoiner<TKey, TValue, TValue, TResult>)(object)joiner;
        SideStream<TKey, TValue> late = LateTopic(stream, joined.LateLeftTopic, keys);
        var output = new GraphOutput<TKey, TResult>();
        late.AttachTo(stream.Builder.AttachTo(
            stream.Output, output, $"{name}-self", "", plan.Stores,
            task => new StreamSelfJoin<TKey, TValue, TResult>(
                plan.Left(task), plan.Sides(task), itself,
                new LateRecords<TKey, TValue>(plan.LeftStore, late.Resolve(task)))));
        return new KStream<TKey, TResult>(stream.Builder, output, keys, null, false);
    }

    private static SideStream<TKey, TAny> LateTopic<TAny>(
        KStream<TKey, TAny> stream, string? topic, Serde<TKey> keys) => SideStream<TKey, TAny>.Of(
        stream, topic is null ? null : late => late.To(topic, new Produced<TKey, TAny>
        {
            KeySerde = keys,
        }));
}

/// <summary>What the two sides of a join of streams are made of.</summary>
internal sealed record StreamJoinPlan<TKey, TLeft, TRight>(
    string LeftStore, string RightStore, string? UnmatchedStore, JoinWindows Windows, StreamJoined Joined,
    Serde<TKey> KeySerde, Serde<TLeft> LeftSerde, Serde<TRight> RightSerde)
{
    internal IReadOnlyList<string> Stores =>
        [.. new[] { LeftStore, RightStore, UnmatchedStore }.OfType<string>().Distinct()];

    internal void AddStores(StreamsBuilder builder)
    {
        AddSide(builder, LeftStore, StoreShape.Of(
            "join", KeySerde, LeftSerde, Windows.RetentionMs, Windows.SizeMs));
        if (RightStore != LeftStore)
            AddSide(builder, RightStore, StoreShape.Of(
                "join", KeySerde, RightSerde, Windows.RetentionMs, Windows.SizeMs));
        if (UnmatchedStore is not null)
            builder.AddStore(Dsl.Stores.Ordered(
                OptionsOf(UnmatchedStore), $"unmatched<{KeySerde.Name},{LeftSerde.Name},{RightSerde.Name}>"));
    }

    internal JoinTimes Sides(TaskBuilder task) => new(
        Windows, Joined.UnmatchedPromptly, task.Clock($"{LeftStore}/stream-time"),
        task.Clock($"{LeftStore}/first-unmatched", long.MaxValue),
        UnmatchedStore is null ? null : task.Store<OrderedStore>(UnmatchedStore));

    internal JoinSide<TKey, TLeft> Left(TaskBuilder task) =>
        new(task.Store<JoinStore>(LeftStore), KeySerde, LeftSerde, true, Windows.BeforeMs, Windows.AfterMs);

    internal JoinSide<TKey, TRight> Right(TaskBuilder task) =>
        new(task.Store<JoinStore>(RightStore), KeySerde, RightSerde, false, Windows.AfterMs,
            Windows.BeforeMs);

    private void AddSide(StreamsBuilder builder, string name, StoreShape shape)
    {
        StoreOptions options = OptionsOf(name);
        builder.AddStore(new StoreSpec(
            options, shape,
            (undo, number) => new JoinStore(options, Windows.RetentionMs, Windows.SizeMs, undo, number)));
    }

    private StoreOptions OptionsOf(string name) => new()
    {
        Name = name,
        StateBytesMax = Joined.StateBytesMax,
        Logged = Joined.Logged,
    };
}
