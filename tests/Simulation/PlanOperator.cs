using Streams.Dsl;
using Streams.Processing;

using Streams.Tests.Reference;

namespace Streams.Tests.Simulation;

/// <summary>A stream of a random topology: one output of one of its operators.</summary>
/// <param name="From">The operator.</param>
/// <param name="Port">Which of its outputs.</param>
/// <param name="KeyChanged">Whether records may be in a partition that is not their key's.</param>
internal sealed record PlanStream(PlanOperator From, int Port, bool KeyChanged);

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

    /// <summary>The name of its store, where it has one.</summary>
    internal string StoreName => $"s{Id}";

    /// <summary>Its outputs in the topology that is being built.</summary>
    internal List<KStream<string, string>> Built { get; } = [];

    /// <summary>Adds it to a topology: reads the inputs' <see cref="Built"/> and fills its own.</summary>
    internal abstract void Build(StreamsBuilder builder);

    /// <summary>Makes its reference for one partition.</summary>
    internal abstract ReferenceOperator CreateReference();

    /// <summary>Compares a store of a running task with the reference's state.</summary>
    /// <returns>The first difference; null for none.</returns>
    internal virtual string? CompareState(TaskScope scope, ReferenceOperator reference) => null;

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Id}: {GetType().Name}({string.Join(", ", Inputs.Select(i => $"{i.From.Id}.{i.Port}"))})";

    /// <summary>An input as it was built.</summary>
    private protected KStream<string, string> Input(int place = 0) =>
        Inputs[place].From.Built[Inputs[place].Port];
}

/// <summary>What an operator means, record by record, for one partition, by the plainest means.</summary>
internal abstract class ReferenceOperator
{
    /// <summary>Passes a record to the output of that number.</summary>
    internal Action<int, Row> Emit { get; set; } = (_, _) => { };

    /// <summary>Takes a record at an input.</summary>
    internal abstract void Process(int input, Row row);
}

/// <summary>The functions that topologies are given; the checker calls the same ones.</summary>
internal static class UserFunctions
{
    private const int ValueCharsMax = 12;

    /// <summary>A number that depends on every character.</summary>
    internal static int Hash(string? text)
    {
        uint hash = 2166136261;
        foreach (char c in text ?? "?")
            hash = (hash ^ c) * 16777619;
        return (int)((hash ^ (hash >> 15)) & 0x7fffffff);
    }

    internal static bool Holds(int a, string? key, string? value) => Hash(key + "/" + value) % 4 != a % 4;

    /// <summary>Another value, now and then none.</summary>
    internal static string? Change(int a, string? value) =>
        value is null || Hash(value) % 11 == a % 11 ? null : Short(value + (char)('a' + (a % 26)));

    internal static string NewKey(int a, string? value) => $"n{(Hash(value) + a) % 5}";

    internal static IEnumerable<string> Several(int a, string? value)
    {
        for (int i = (Hash(value) + a) % 3; i > 0; i--)
            yield return Short($"{value}{i}");
    }

    /// <summary>Depends on the order of what was added; now and then deletes.</summary>
    internal static string? Add(string aggregate, string? value) =>
        Hash(aggregate + value) % 9 == 0 ? null : Short(aggregate + (value ?? "~"));

    private static string Short(string text) =>
        text.Length <= ValueCharsMax ? text : text[^ValueCharsMax..];
}
