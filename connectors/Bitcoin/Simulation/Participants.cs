namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>Everybody who has coins: ordinary wallets, exchanges, mining pools, and those who are
/// collecting.</summary>
internal sealed class Participants
{
    /// <summary>
    /// An ordinary wallet lets a coin lie for at least six and a half hours, so that four of its payments in
    /// a row take more than a day: less would be a peel chain (R5), and less than an hour a pass-through
    /// (R8).
    /// </summary>
    internal const int HoldSeconds = 6 * 3600 + 1800;

    // At about 2.4 inputs for each transaction a coin is spent after twice the least time.
    private const int CoinsPerTransactionOfHold = 5;
    private const int CoinsPerWallet = 3;
    private const int WalletsMin = 200;

    private const int ReusePerMille = 250;
    private const int ReceiptsMax = 3;
    private const int CollectPerMille = 50;

    private ulong _lastAddress;

    internal Participants(SimulationOptions options, SimulationRandom random)
    {
        Random = random;
        double holdBlocks = HoldSeconds / options.BlockInterval.TotalSeconds;
        CoinsWanted = Math.Max(4 * WalletsMin,
            (int)(holdBlocks * options.TransactionsPerBlock * CoinsPerTransactionOfHold));
        int wallets = Math.Max(WalletsMin, CoinsWanted / CoinsPerWallet);
        Coins = new WalletCoins(wallets, CoinsWanted * 3 / 2);
        Exchanges = new Exchange[SimulatedActors.ExchangeCount];
        for (int i = 0; i < Exchanges.Length; i++)
            Exchanges[i] = new Exchange(i);
        Pools = new MiningPool[SimulatedActors.PoolCount];
        for (int i = 0; i < Pools.Length; i++)
            Pools[i] = new MiningPool(i);
    }

    /// <summary>Chance.</summary>
    internal SimulationRandom Random { get; }

    /// <summary>The coins of ordinary wallets.</summary>
    internal WalletCoins Coins { get; }

    /// <summary>How many coins the wallets have to have before traffic can begin.</summary>
    internal int CoinsWanted { get; }

    /// <summary>The exchanges.</summary>
    internal Exchange[] Exchanges { get; }

    /// <summary>The mining pools.</summary>
    internal MiningPool[] Pools { get; }

    /// <summary>Those who wait for payments of strangers.</summary>
    internal List<Collector> Collectors { get; } = [];

    /// <summary>An exchange, by chance.</summary>
    internal Exchange AnyExchange() => Exchanges[Random.Below(Exchanges.Length)];

    /// <summary>A mining pool, by chance.</summary>
    internal MiningPool AnyPool() => Pools[Random.Below(Pools.Length)];

    /// <summary>An address that nobody has seen.</summary>
    internal SimulatedAddress NewAddress() => NewAddress(LockOf(Random.Below(1000)));

    /// <inheritdoc cref="NewAddress()"/>
    internal SimulatedAddress NewAddress(SimulatedLock by) => new(++_lastAddress, by);

    /// <summary>Whom a stranger pays: mostly a wallet, by chance.</summary>
    internal Payee AnyRecipient()
    {
        if (Collectors.Count > 0 && Random.Chance(CollectPerMille))
            return Collectors[Random.Below(Collectors.Count)].Next(this);
        return ToWallet(Random.Below(Coins.Wallets));
    }

    /// <summary>The address that a wallet shows now. Three of four are used once.</summary>
    internal Payee ToWallet(int wallet)
    {
        ref WalletAddress address = ref Coins.AddressOf(wallet);
        if (address.ReceiptsLeft == 0)
        {
            address.Number = ++_lastAddress;
            address.ReceiptsLeft = Random.Chance(ReusePerMille) ? Random.Between(2, ReceiptsMax) : 1;
        }
        address.ReceiptsLeft--;
        SimulatedLock by = LockOf((int)(SimulationRandom.Mix((ulong)wallet) % 1000));
        return new Payee(new SimulatedAddress(address.Number, by), Coins, wallet);
    }

    // Shares of the kinds, in thousandths.
    private static SimulatedLock LockOf(int perMille) => perMille switch
    {
        < 430 => SimulatedLock.WitnessPublicKeyHash,
        < 630 => SimulatedLock.PublicKeyHash,
        < 780 => SimulatedLock.Taproot,
        < 910 => SimulatedLock.NestedWitness,
        < 950 => SimulatedLock.WitnessMultisig,
        < 990 => SimulatedLock.ScriptMultisig,
        < 996 => SimulatedLock.PublicKey,
        _ => SimulatedLock.BareMultisig,
    };
}

/// <summary>Coins in the order in which they came.</summary>
internal sealed class CoinQueue : ICoinOwner
{
    private readonly Queue<Coin> _coins = new();

    /// <summary>Number of coins.</summary>
    internal int Count => _coins.Count;

    /// <inheritdoc/>
    public void Receive(in Coin coin) => _coins.Enqueue(coin);

    /// <summary>Takes the oldest coin, where it is old enough.</summary>
    internal bool TryTake(long madeBeforeSeconds, out Coin coin)
    {
        if (_coins.TryPeek(out coin) && coin.TimeSeconds < madeBeforeSeconds)
            return _coins.TryDequeue(out coin);
        coin = default;
        return false;
    }
}

/// <summary>
/// An exchange: one large coin at a known address that pays out and takes the change, and customers' deposits
/// at addresses of their own.
/// </summary>
internal sealed class Exchange : ICoinOwner
{
    private const int CustomersMax = 4096;

    // Deposit addresses have numbers that no wallet comes to.
    private const ulong DepositNumbers = 1UL << 62;

    private readonly int _index;
    private Coin _main;

    internal Exchange(int index)
    {
        _index = index;
        HotWallet = new Payee(SimulatedActors.AddressOf(SimulatedActorKind.Exchange, index), this);
    }

    /// <summary>The address that it pays from.</summary>
    internal Payee HotWallet { get; }

    /// <summary>Whether it makes a transaction of each payout: one input, a payment, and change to where it
    /// came from. Others pay in batches.</summary>
    internal bool PaysSingly => _index % 4 == 3;

    /// <summary>What it received at the hot wallet, beside the large coin.</summary>
    internal CoinQueue Receipts { get; } = new();

    /// <summary>When it is going to sweep deposits together, Unix seconds.</summary>
    internal long NextSweepSeconds { get; set; }

    /// <summary>What customers sent and was not swept yet.</summary>
    internal CoinQueue Deposits { get; } = new();

    /// <summary>What it can pay out at once.</summary>
    internal long MainSatoshi => _main.Satoshi;

    /// <inheritdoc/>
    public void Receive(in Coin coin)
    {
        if (coin.Satoshi <= _main.Satoshi)
        {
            Receipts.Receive(coin);
            return;
        }
        if (_main.Satoshi > 0)
            Receipts.Receive(_main);
        _main = coin;
    }

    /// <summary>Takes the large coin; the change has to come back.</summary>
    internal Coin TakeMain()
    {
        Coin coin = _main;
        _main = default;
        return coin;
    }

    /// <summary>The address where a customer deposits: always the same.</summary>
    internal Payee DepositOf(SimulationRandom random)
    {
        int customer = random.Below(CustomersMax);
        ulong number = DepositNumbers | ((ulong)_index << 32) | (uint)customer;
        SimulatedLock by = _index % 2 == 0 ? SimulatedLock.NestedWitness : SimulatedLock.WitnessPublicKeyHash;
        return new Payee(new SimulatedAddress(number, by), Deposits);
    }
}

/// <summary>A mining pool: coinbases come in, and are paid out whole.</summary>
internal sealed class MiningPool
{
    internal MiningPool(int index) =>
        Wallet = new Payee(SimulatedActors.AddressOf(SimulatedActorKind.MiningPool, index), Coinbases);

    /// <summary>The address that it mines to.</summary>
    internal Payee Wallet { get; }

    /// <summary>Coinbases that may be spent.</summary>
    internal CoinQueue Coinbases { get; } = new();
}

/// <summary>Somebody who collects payments of strangers, each at a new address.</summary>
/// <param name="payments">How many.</param>
internal sealed class Collector(int payments) : ICoinOwner
{
    private int _shown;

    /// <summary>What came.</summary>
    internal List<Coin> Coins { get; } = [];

    /// <summary>Whether all payments came.</summary>
    internal bool IsDone => Coins.Count == payments;

    /// <inheritdoc/>
    public void Receive(in Coin coin) => Coins.Add(coin);

    /// <summary>The address for the next payment. With the last one the collection ends.</summary>
    internal Payee Next(Participants participants)
    {
        if (++_shown == payments)
            participants.Collectors.Remove(this);
        return new Payee(participants.NewAddress(), this);
    }
}
