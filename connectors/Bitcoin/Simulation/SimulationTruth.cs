using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>One thing that was put into the traffic on purpose, and what is expected of it.</summary>
public sealed record Injection
{
    /// <summary>Its number, from 0, in the order in which injections began.</summary>
    public required long Number { get; init; }

    /// <summary>What it is.</summary>
    public required SimulatedTypology Typology { get; init; }

    /// <summary>The rule that must fire; none where no rule is to.</summary>
    public required RiskRule Rule { get; init; }

    /// <summary>The CoinJoin that must be recognised; none where it is none.</summary>
    public required CoinJoinKind CoinJoin { get; init; }

    /// <summary>Further rules that fire on its transactions, because what was injected is that too.</summary>
    public required IReadOnlyList<RiskRule> AlsoExplains { get; init; }

    /// <summary>Its transactions so far, in order, in display order of their bytes.</summary>
    public required IReadOnlyList<Bytes32> Transactions { get; init; }

    /// <summary>The transaction on which <see cref="Rule"/> must fire; null while it was not made.</summary>
    public required Bytes32? FiresOn { get; init; }

    /// <summary>Height of the block that completed it; -1 while none did.</summary>
    public required int Height { get; init; }

    /// <summary>Whether all that the rule needs to see has happened.</summary>
    public bool IsComplete => Height >= 0;
}

/// <summary>What a simulation injected so far. Written by one thread and read by any.</summary>
/// <remarks>
/// A simulation that is started again, after a failure or a restart, tells it anew from the beginning and
/// comes to the same.
/// </remarks>
public sealed class SimulationTruth
{
    /// <summary>Injections kept: a feed that never ends would fill the memory. Later ones are counted
    /// only.</summary>
    public const int InjectionsMax = 1_000_000;

    private readonly Lock _lock = new();
    private readonly List<InjectionEntry> _entries = [];

    /// <summary>Injections that began after <see cref="InjectionsMax"/>, and so are not in the
    /// list.</summary>
    public long Omitted { get; private set; }

    /// <summary>All injections so far.</summary>
    public IReadOnlyList<Injection> Snapshot()
    {
        lock (_lock)
            return [.. _entries.Select(e => e.Copy())];
    }

    /// <summary>Forgets all.</summary>
    internal void Clear()
    {
        lock (_lock)
        {
            _entries.Clear();
            Omitted = 0;
        }
    }

    /// <summary>Notes that an injection begins.</summary>
    internal InjectionEntry Begin(
        SimulatedTypology typology, RiskRule rule, CoinJoinKind coinJoin,
        IReadOnlyList<RiskRule> alsoExplains)
    {
        lock (_lock)
        {
            var entry = new InjectionEntry(
                _lock, _entries.Count + Omitted, typology, rule, coinJoin, alsoExplains);
            if (_entries.Count < InjectionsMax)
                _entries.Add(entry);
            else
                Omitted++;
            return entry;
        }
    }
}

/// <summary>An injection in the making.</summary>
internal sealed class InjectionEntry(
    Lock @lock, long number, SimulatedTypology typology, RiskRule rule, CoinJoinKind coinJoin,
    IReadOnlyList<RiskRule> alsoExplains)
{
    private readonly List<Bytes32> _transactions = [];
    private Bytes32? _firesOn;
    private int _height = -1;

    /// <summary>Adds a transaction.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="fires">Whether it is the one on which the rule must fire.</param>
    /// <param name="height">Height of its block.</param>
    internal void Add(in BitcoinHash id, bool fires, int height)
    {
        Span<byte> display = stackalloc byte[BitcoinHash.Bytes];
        id.CopyDisplayTo(display);
        lock (@lock)
        {
            var transaction = new Bytes32(display);
            _transactions.Add(transaction);
            if (fires)
                (_firesOn, _height) = (transaction, height);
        }
    }

    /// <summary>Notes that it is complete although no transaction is to set off a rule.</summary>
    internal void Complete(int height)
    {
        lock (@lock)
            _height = height;
    }

    internal Injection Copy() => new()
    {
        Number = number,
        Typology = typology,
        Rule = rule,
        CoinJoin = coinJoin,
        AlsoExplains = alsoExplains,
        Transactions = [.. _transactions],
        FiresOn = _firesOn,
        Height = _height,
    };
}
