using Streams.Connectors.Bitcoin.Simulation.Behaviours;

namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>Begins behaviours at their rates, and lets each go on when the time that it waits for has
/// come.</summary>
internal sealed class InjectionSchedule
{
    private const long Million = 1_000_000;

    private readonly SimulationOptions _options;
    private readonly SimulationTruth _truth;
    private readonly Participants _people;
    private readonly TransactionComposer _composer;
    private readonly SimulatedBehaviour[] _behaviours = SimulatedBehaviour.All();
    private readonly long[] _credits;
    private readonly PriorityQueue<Scene, (long TimeSeconds, long Order)> _waiting = new();
    private readonly Queue<Scene> _due = new();
    private long _order;

    internal InjectionSchedule(
        SimulationOptions options, SimulationTruth truth, Participants people, TransactionComposer composer)
    {
        _options = options;
        _truth = truth;
        _people = people;
        _composer = composer;
        _credits = new long[_behaviours.Length];
        for (int i = 0; i < _credits.Length; i++)
            _credits[i] = people.Random.Between(0, Million - 1);
    }

    /// <summary>Behaviours that have something to do in this block and did not do it yet.</summary>
    internal int Due => _due.Count;

    /// <summary>Finds out who has something to do.</summary>
    /// <param name="transactions">Transactions of the block, by which rates are counted.</param>
    internal void StartBlock(int transactions)
    {
        for (int i = 0; i < _behaviours.Length; i++)
        {
            _credits[i] += (long)_options.RateOf(_behaviours[i].Typology) * transactions;
            for (; _credits[i] >= Million; _credits[i] -= Million)
                _due.Enqueue(new Scene(_behaviours[i], _options, _truth, _people, _composer));
        }
        while (_waiting.TryPeek(out _, out (long TimeSeconds, long Order) when)
            && when.TimeSeconds <= _composer.TimeSeconds)
            _due.Enqueue(_waiting.Dequeue());
    }

    /// <summary>Lets the next one do what it does now.</summary>
    internal void PlayNext()
    {
        Scene scene = _due.Dequeue();
        if (scene.TryPlay(out TimeSpan pause))
            _waiting.Enqueue(
                scene, (_composer.TimeSeconds + Math.Max(1, (long)pause.TotalSeconds), _order++));
    }
}
