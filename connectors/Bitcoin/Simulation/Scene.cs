using Streams.Connectors.Bitcoin.Simulation.Behaviours;

namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>
/// What a behaviour has at hand while it plays once: coins to take, addresses to make, transactions to
/// compose, each of which is noted as part of the injection.
/// </summary>
internal sealed class Scene
{
    private const int FeeRateMin = 2;
    private const int FeeRateMax = 20;
    private const int ExchangesTried = 8;

    private readonly Participants _people;
    private readonly TransactionComposer _composer;
    private readonly InjectionEntry _entry;
    private readonly IEnumerator<TimeSpan> _play;

    internal Scene(
        SimulatedBehaviour behaviour, SimulationOptions options, SimulationTruth truth, Participants people,
        TransactionComposer composer)
    {
        _people = people;
        _composer = composer;
        Options = options;
        _entry = truth.Begin(behaviour.Typology, behaviour.Rule, behaviour.CoinJoin, behaviour.AlsoExplains);
        _play = behaviour.Play(this).GetEnumerator();
    }

    /// <summary>Chance.</summary>
    internal SimulationRandom Random => _people.Random;

    /// <summary>How the simulation was set up.</summary>
    internal SimulationOptions Options { get; }

    /// <summary>Goes on to the next pause.</summary>
    /// <param name="pause">How long the behaviour waits; zero for the next block.</param>
    /// <returns>Whether it goes on after that.</returns>
    internal bool TryPlay(out TimeSpan pause)
    {
        bool goesOn = _play.MoveNext();
        pause = goesOn ? _play.Current : default;
        return goesOn;
    }

    /// <summary>Takes a coin of an ordinary wallet that has lain for a while.</summary>
    internal bool TryTakeCoin(long satoshiMin, out Coin coin) => _people.Coins.TryTakeAny(
        Random, _composer.TimeSeconds - Participants.HoldSeconds, satoshiMin, out coin);

    /// <summary>Fills a list with coins of as many different wallets.</summary>
    /// <returns>Whether there are enough now; what was found stays in the list.</returns>
    internal bool TryTakeCoins(int count, long satoshiMin, List<Coin> coins)
    {
        while (coins.Count < count && TryTakeCoin(satoshiMin, out Coin coin))
        {
            if (coins.Exists(c => c.Wallet == coin.Wallet))
            {
                _people.Coins.Receive(coin);
                return false;
            }
            coins.Add(coin);
        }
        return coins.Count == count;
    }

    /// <summary>An address of the behaviour's own, of the kinds that everybody uses.</summary>
    internal SimulatedAddress NewAddress() => _people.NewAddress(Random.Below(4) switch
    {
        0 => SimulatedLock.PublicKeyHash,
        1 => SimulatedLock.NestedWitness,
        2 => SimulatedLock.Taproot,
        _ => SimulatedLock.WitnessPublicKeyHash,
    });

    /// <summary>An address of a known actor.</summary>
    internal SimulatedAddress AnyActor(SimulatedActorKind kind) =>
        SimulatedActors.AddressOf(kind, Random.Below(SimulatedActors.CountOf(kind)));

    /// <summary>The address of a coin of anybody.</summary>
    internal SimulatedAddress AnyAddressInUse() => _people.Coins.AnyAddress(Random);

    /// <summary>Begins to collect payments of strangers.</summary>
    internal Collector Collect(int payments)
    {
        var collector = new Collector(payments);
        _people.Collectors.Add(collector);
        return collector;
    }

    /// <summary>Has an exchange pay to an address.</summary>
    /// <returns>Whether one could; the coins are <see cref="Made"/> from 0 on, in the order of the
    /// amounts.</returns>
    internal bool TryWithdraw(SimulatedAddress to, bool fires, params ReadOnlySpan<long> satoshi)
    {
        long sum = 0;
        foreach (long amount in satoshi)
            sum += amount;
        for (int i = 0; i < ExchangesTried; i++)
        {
            Exchange exchange = _people.AnyExchange();
            if (exchange.MainSatoshi < 2 * sum)
                continue;
            Begin();
            Spend(exchange.TakeMain());
            foreach (long amount in satoshi)
                Pay(to, amount);
            PayRest(exchange.HotWallet);
            Commit(fires);
            return true;
        }
        return false;
    }

    /// <summary>Begins a transaction.</summary>
    internal void Begin() => _composer.Start(Random.Next());

    /// <summary>Spends a coin.</summary>
    internal void Spend(in Coin coin) => _composer.Spend(coin);

    /// <summary>Pays to an address whose coins only the behaviour spends, if anybody.</summary>
    /// <returns>The output's place.</returns>
    internal int Pay(SimulatedAddress address, long satoshi) => _composer.Pay(new Payee(address), satoshi);

    /// <summary>Pays to an address that nobody has seen, and whose coin is never spent.</summary>
    internal int PayStranger(long satoshi) => Pay(NewAddress(), satoshi);

    /// <summary>Pays what is left after the fee.</summary>
    /// <returns>The output's place.</returns>
    internal int PayRest(in Payee payee) => _composer.Pay(payee, Rest(outputs: 1));

    /// <inheritdoc cref="PayRest(in Payee)"/>
    internal int PayRest(SimulatedAddress address) => PayRest(new Payee(address));

    /// <summary>Pays change to the wallet that a coin belonged to.</summary>
    internal void PayBack(in Coin coin, long satoshi) =>
        _composer.Pay(_people.ToWallet(coin.Wallet), satoshi);

    /// <summary>Pays what is left after the fee to the wallet that a coin belonged to.</summary>
    internal void PayRestBack(in Coin coin) => PayRest(_people.ToWallet(coin.Wallet));

    /// <summary>What is left after a fee for so many more outputs.</summary>
    internal long Rest(int outputs) =>
        _composer.Spent - _composer.Paid - _composer.Fee(Random.Between(FeeRateMin, FeeRateMax), outputs);

    /// <summary>Puts the transaction into the block.</summary>
    /// <param name="fires">Whether it is the one on which the rule must fire.</param>
    internal void Commit(bool fires = false) => _entry.Add(_composer.Commit(), fires, _composer.Height);

    /// <summary>The coin that an output of the last transaction is.</summary>
    internal Coin Made(int output) => _composer.CoinAt(output);
}
