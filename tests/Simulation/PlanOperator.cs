using Streams.Dsl;
using Streams.Processing;
using Streams.Tests.Reference;

namespace Streams.Tests.Simulation;

/// <summary>A stream of a random topology: one output of one of its operators.</summary>
/// <param name="From">The operator.</param>
/// <param name="Port">Which of its outputs.</param>
/// <param name="KeyChanged">Whether records may be in a partition that is not their key's.</param>
/// <param name="HasState">Whether something with state lies between it and the topic before it.</param>
internal sealed record PlanStream(PlanOperator From, int Port, bool KeyChanged, bool HasState = false);

/// <summary>
/// An operator of a random topology: how the engine is asked for it, and a naive reference of what it means.
/// A new operator is a new class here and one line in <see cref="Plan"/>.
/// </summary>
/// <param name="id">Its place in the plan.</param>
/// <param name="inputs">What it reads.</param>
internal abstract class PlanOperator(int id, params PlanStream[] inputs)
{
    internal int Id { get; } = id;

    internal IReadOnlyList<PlanStream> Inputs { get; } = inputs;

    /// <summary>The last commit before it was part of the topology.</summary>
    internal long Since { get; set; }

    /// <summary>The last commit that it was part of the topology at.</summary>
    internal long Until { get; set; } = long.MaxValue;

    /// <summary>The mistake that is planted, for those that make one.</summary>
    internal PlantedBug Bug { get; set; }

    /// <summary>Put before the names of its stores; another one is another store.</summary>
    internal string StorePrefix { get; set; } = "s";

    /// <summary>The name of its store, where it has one.</summary>
    internal string StoreName => $"{StorePrefix}{Id}";

    /// <summary>What it is, to count how often it occurred.</summary>
    internal virtual string Family => GetType().Name;

    /// <summary>The topic that its task reads at the beginning; null for none.</summary>
    internal virtual string? SourceTopic => null;

    /// <summary>Topics between its own parts, by channel.</summary>
    internal virtual IReadOnlyList<string> OwnTopics => [];

    /// <summary>Whether the values in its own topics are the engine's business.</summary>
    internal virtual bool IsOpaque => false;

    /// <summary>The tables that it reads in its own partition.</summary>
    internal virtual IReadOnlyList<PlanOperator> Tables => [];

    /// <summary>Operators that the tasks of its parts share their stream time with.</summary>
    internal virtual IEnumerable<PlanOperator> Neighbours => Inputs.Select(i => i.From).Concat(Tables);

    /// <summary>Its outputs in the topology that is being built.</summary>
    internal List<KStream<string, string>> Built { get; } = [];

    /// <summary>Adds it to a topology: reads the inputs' <see cref="Built"/> and fills its own.</summary>
    internal abstract void Build(StreamsBuilder builder);

    /// <summary>Makes its reference for one partition.</summary>
    internal abstract ReferenceOperator CreateReference();

    /// <summary>The operator in whose task a channel is read.</summary>
    internal virtual PlanOperator ReaderOf(int channel) => this;

    /// <summary>Compares a store of a running task with the reference's state.</summary>
    /// <returns>The first difference; null for none.</returns>
    internal virtual string? CompareState(TaskScope scope, ReferenceOperator reference) => null;

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Id}: {Family}({string.Join(", ", Inputs.Select(i => $"{i.From.Id}.{i.Port}")
            .Concat(Tables.Select(t => $"table {t.Id}")))})" +
        (Since > 0 ? $" since {Since}" : "") + (Until < long.MaxValue ? $" until {Until}" : "");

    /// <summary>An input as it was built.</summary>
    private protected KStream<string, string> Input(int place = 0) =>
        Inputs[place].From.Built[Inputs[place].Port];
}

/// <summary>What an operator means, record by record, for one partition, by the plainest means.</summary>
internal abstract class ReferenceOperator
{
    /// <summary>Passes a record to the output of that number.</summary>
    internal Action<int, Row> Emit { get; set; } = (_, _) => { };

    /// <summary>Puts a record into the operator's own topic of that number, and what it is.</summary>
    internal Action<int, Row, object?> Send { get; set; } = (_, _, _) => { };

    /// <summary>Whether the operator is part of the topology now.</summary>
    internal Func<bool> IsActive { get; set; } = () => true;

    /// <summary>Takes a record at an input.</summary>
    internal abstract void Process(int input, Row row);

    /// <summary>Takes a record of the operator's own topic of that number.</summary>
    internal virtual void Receive(int channel, Row row, object? message)
    {
    }

    /// <summary>The event time of a record of the topic that the operator reads; negative to leave it
    /// out.</summary>
    internal virtual long TimeOf(Row row) => row.TimestampMs;

    /// <summary>Finds the references of its tables in the same partition.</summary>
    internal virtual void Link(Func<PlanOperator, ReferenceOperator> find)
    {
    }
}

/// <summary>A reference that is a function of the record alone.</summary>
internal sealed class ReferenceFunction(Func<Row, IEnumerable<(int Port, Row Row)>> function)
    : ReferenceOperator
{
    internal override void Process(int input, Row row)
    {
        foreach ((int port, Row result) in function(row))
            Emit(port, result);
    }
}

/// <summary>A reference whose state somebody else has.</summary>
internal sealed class ReferenceOf<TState>(TState state, Action<int, Row> process) : ReferenceOperator
{
    internal TState State => state;

    internal override void Process(int input, Row row) => process(input, row);
}
