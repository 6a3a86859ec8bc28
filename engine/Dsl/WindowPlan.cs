using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>What a windowed aggregation was asked to be, before it has inputs and a store.</summary>
/// <param name="Time">Tumbling or hopping windows, or null.</param>
/// <param name="Sliding">Sliding windows, or null.</param>
/// <param name="Sessions">Sessions, or null.</param>
internal sealed record WindowShape(TimeWindows? Time, SlidingWindows? Sliding, SessionWindows? Sessions)
{
    internal WindowShape(TimeWindows windows)
        : this(windows, null, null)
    {
    }

    internal WindowShape(SlidingWindows windows)
        : this(null, windows, null)
    {
    }

    internal WindowShape(SessionWindows windows)
        : this(null, null, windows)
    {
    }

    internal EmitStrategy Emit { get; init; }

    /// <summary>The windows in words, without their grace, which may change.</summary>
    internal string Windows => Time is not null ? $"{Span(Time.SizeMs)} every {Span(Time.AdvanceMs)}"
        : Sliding is not null ? $"sliding {Span(Sliding.DifferenceMs)}"
        : $"sessions with gaps of {Span(Sessions!.GapMs)}";

    internal long GraceMs => Time?.GraceMs ?? Sliding?.GraceMs ?? Sessions!.GraceMs;

    /// <summary>How much later than its end a window is closed.</summary>
    internal long CloseDelayMs => GraceMs + (Sessions?.GapMs ?? 0);

    internal long LeastRetentionMs =>
        Time?.LeastRetentionMs ?? Sliding?.LeastRetentionMs ?? Sessions!.LeastRetentionMs;

    /// <summary>How much time a key's windows that lie together in the store may span: some sixteen of them,
    /// so that they are found at once and none is far from the beginning.</summary>
    internal long StretchMs => Time is not null ? 16 * Time.AdvanceMs
        : Sliding is not null ? Math.Max(1, Sliding.DifferenceMs / 4)
        : 16 * Sessions!.GapMs;

    private static TimeSpan Span(long milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    internal TimeSpan Retention(TimeSpan? asked)
    {
        var least = TimeSpan.FromMilliseconds(LeastRetentionMs);
        if (asked < least)
            throw new TopologyException(
                $"A retention of {asked} is shorter than the windows and their grace need: {least}.");
        return asked ?? least;
    }

    internal Serde<Windowed<TKey>> KeySerde<TKey>(Serde<TKey> inner) => Sessions is null
        ? WindowedSerdes.TimeWindowed(
            inner, TimeSpan.FromMilliseconds(Time?.SizeMs ?? Sliding!.DifferenceMs))
        : WindowedSerdes.SessionWindowed(inner);
}

/// <summary>What the operators of one windowed aggregation share in a task.</summary>
/// <param name="StoreName">The store of the aggregates.</param>
/// <param name="PendingName">The store of the windows that are to be emitted; null where every update
/// is.</param>
/// <param name="Shape">The windows.</param>
/// <param name="KeySerde">Writes the keys.</param>
/// <param name="Old">Whether old values are wanted.</param>
internal sealed record WindowPlan<TKey>(
    string StoreName, string? PendingName, WindowShape Shape, Serde<TKey> KeySerde, OldValues Old)
{
    internal IReadOnlyList<string> Stores => PendingName is null ? [StoreName] : [StoreName, PendingName];

    internal PendingWindows<TKey>? Pending(TaskBuilder task) => PendingName is null
        ? null
        : new PendingWindows<TKey>(task.Store<OrderedStore>(PendingName), KeySerde);

    /// <summary>Declares the stores and attaches the inputs.</summary>
    internal static KTable<Windowed<TKey>, TAggregate> Build<TAggregate>(
        StreamsBuilder builder, WindowShape shape, Serde<TKey>? keySerde,
        Materialized<TKey, TAggregate> materialized, IReadOnlyList<GroupInput<TKey, TAggregate>> inputs)
    {
        (Serde<TKey> keys, Serde<TAggregate> values) =
            AggregateStore<TKey, TAggregate>.RequireSerdes(materialized, keySerde);
        TimeSpan retention = shape.Retention(materialized.Retention);
        string store = builder.NameFor(
            materialized.StoreName, "KSTREAM-AGGREGATE-STATE-STORE", inputs[0].Origin);
        StoreOptions options = KTable<TKey, TAggregate>.StoreOptionsOf(materialized, store);
        StoreSpec spec = (shape.Sessions is null
            ? Dsl.Stores.Window(options, retention, keys, values, stretchMs: shape.StretchMs)
            : Dsl.Stores.Session(options, retention, keys, values, stretchMs: shape.StretchMs)).Spec;
        spec.Shape = spec.Shape with { Windows = shape.Windows };
        builder.AddStore(spec);
        string? pending = null;
        if (shape.Emit == EmitStrategy.OnWindowClose)
        {
            pending = builder.NameFor($"{store}-open", "");
            builder.AddStore(Dsl.Stores.Ordered(
                options with { Name = pending }, $"open-windows-by-key<{keys.Name}>"));
        }
        var plan = new WindowPlan<TKey>(store, pending, shape, keys, new OldValues());
        var output = new GraphOutput<Windowed<TKey>, Change<TAggregate>>();
        for (int i = 0; i < inputs.Count; i++)
            inputs[i].Attach(builder, output, plan, $"{store}/{i}");
        return new KTable<Windowed<TKey>, TAggregate>(
            builder, output, () => plan.View<TAggregate>(), plan.Old, shape.KeySerde(keys), values, store,
            new WindowClosing<Windowed<TKey>>(static window => window.EndMs, shape.CloseDelayMs));
    }

    private TableView<Windowed<TKey>, TAggregate> View<TAggregate>() => new(
        [StoreName],
        task => Shape.Sessions is null
            ? new WindowGetter<TKey, TAggregate>(task.Store<WindowStore<TKey, TAggregate>>(StoreName))
            : new SessionGetter<TKey, TAggregate>(task.Store<SessionStore<TKey, TAggregate>>(StoreName)));
}

/// <summary>One stream of a windowed or plain aggregation, whatever its values.</summary>
internal abstract class GroupInput<TKey, TAggregate>
{
    /// <summary>What its records come from; see <see cref="GraphOutput{TKey, TValue}.Origin"/>.</summary>
    internal abstract string? Origin { get; }

    /// <summary>Attaches the stream's operator to the shared output.</summary>
    /// <param name="builder">The topology.</param>
    /// <param name="to">Where aggregates come out.</param>
    /// <param name="plan">The windows.</param>
    /// <param name="clock">Name of the input's own stream time.</param>
    internal abstract void Attach(
        StreamsBuilder builder, GraphOutput<Windowed<TKey>, Change<TAggregate>> to, WindowPlan<TKey> plan,
        string clock);

    /// <summary>Attaches the stream's operator without windows.</summary>
    internal abstract void Attach(
        StreamsBuilder builder, GraphOutput<TKey, Change<TAggregate>> to, string store, OldValues old);
}

/// <summary>How the sessions of an aggregation are put together.</summary>
/// <param name="Initializer">What merging starts from; null to start from the first session.</param>
/// <param name="Merger">Combines two.</param>
internal sealed record SessionMerge<TKey, TAggregate>(
    Func<TAggregate>? Initializer, Merger<TKey, TAggregate> Merger);

/// <inheritdoc/>
internal sealed class GroupInput<TKey, TValue, TAggregate>(
    KStream<TKey, TValue> stream, Fold<TKey, TValue, TAggregate> fold, bool takesNulls)
    : GroupInput<TKey, TAggregate>
{
    /// <summary>How sessions are merged; needed where the windows are sessions.</summary>
    internal SessionMerge<TKey, TAggregate>? Merge { get; init; }

    /// <summary>Where records go that came too late; null for nowhere.</summary>
    internal SideStream<TKey, TValue> Late { get; init; }

    internal override string? Origin => stream.Output.Origin;

    internal override void Attach(
        StreamsBuilder builder, GraphOutput<Windowed<TKey>, Change<TAggregate>> to, WindowPlan<TKey> plan,
        string clock)
    {
        OperatorNode<TKey, TValue, Windowed<TKey>, Change<TAggregate>> node = builder.AttachTo(
            stream.Output, to, null, "KSTREAM-AGGREGATE", plan.Stores, task => Create(task, plan, clock));
        Late.AttachTo(node);
    }

    internal override void Attach(
        StreamsBuilder builder, GraphOutput<TKey, Change<TAggregate>> to, string store, OldValues old) =>
        Late.AttachTo(builder.AttachTo(
            stream.Output, to, null, "COGROUPKSTREAM-AGGREGATE", [store],
            task => new StreamAggregate<TKey, TValue, TAggregate>(
                task.Store<KeyValueStore<TKey, TAggregate>>(store), fold, old)));

    private Operator<TKey, TValue, Windowed<TKey>, Change<TAggregate>> Create(
        TaskBuilder task, WindowPlan<TKey> plan, string clock)
    {
        var late = new LateRecords<TKey, TValue>(plan.StoreName, Late.Resolve(task));
        if (plan.Shape.Sessions is not null)
            return new SessionAggregate<TKey, TValue, TAggregate>(
                task.Store<SessionStore<TKey, TAggregate>>(plan.StoreName), plan, fold, Merge!, takesNulls,
                task.Clock(clock), plan.Pending(task), late);
        WindowStore<TKey, TAggregate> store = task.Store<WindowStore<TKey, TAggregate>>(plan.StoreName);
        return plan.Shape.Time is { } time
            ? new TimeWindowAggregate<TKey, TValue, TAggregate>(
                store, plan, fold, time, takesNulls, task.Clock(clock), plan.Pending(task), late)
            : new SlidingWindowAggregate<TKey, TValue, TAggregate>(
                store, plan, fold, plan.Shape.Sliding!, task.Clock(clock), plan.Pending(task), late);
    }
}
