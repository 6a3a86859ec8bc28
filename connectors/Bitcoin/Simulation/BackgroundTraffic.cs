using System.Buffers.Binary;

namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>
/// Ordinary traffic: people pay and get change, tidy up, deposit at exchanges; exchanges sweep deposits
/// together and pay out in batches; pools pay their miners.
/// </summary>
/// <remarks>
/// None of it is meant to set off a rule. What it does because rules see it so is that a coin lies for a
/// while (<see cref="Participants.HoldSeconds"/>), that people spend fewer than twenty coins at once (R9),
/// and that nobody makes dust (R10). Amounts are what they are: some are just under a reporting limit.
/// </remarks>
internal sealed class BackgroundTraffic(Participants people, TransactionComposer composer)
{
    private const int PayoutPerMille = 35;
    private const int TidyPerMille = 15;
    private const int DepositPerMille = 150;
    private const int PostponePerMille = 300;
    private const int DataPerMille = 12;

    // Below 20, from which on many inputs look like collecting (R9).
    private const int InputsMax = 15;
    private const int WalletCoinsMany = 6;

    private const long PaymentMedianSatoshi = 1_000_000;
    private const long SatoshiMin = 1_000;
    private const int FeeRateMin = 1;
    private const int FeeRateMax = 30;

    // Exchanges sweep once a day what is confirmed; a sweep within the hour looks like a pass-through (R8),
    // and one every few hours, if the sums happen to be just under the limit, like structuring (R6).
    private const int SweepEverySeconds = 24 * 3600;
    private const int SweepAfterSeconds = 3 * 3600;
    private const int SweepInputsMin = 3;
    private const int SweepInputsMax = 300;
    private const int PayoutReceiptsMax = 5;
    private const int ReceiptsMany = 20;
    private const int DistributionOutputs = 48;

    private readonly SimulationRandom _random = people.Random;
    private uint _nextToSweep;

    /// <summary>Adds one transaction, or none where nobody has anything to spend.</summary>
    internal void AddOne()
    {
        if (TrySweep(people.Exchanges[_nextToSweep++ % people.Exchanges.Length]))
            return;
        bool added = _random.Below(1000) switch
        {
            < PayoutPerMille => TryPayOut(people.AnyExchange()),
            < PayoutPerMille + TidyPerMille => TryTidy(),
            _ => TryPay(),
        };
        if (!added && !TryPay())
            TryPayOut(people.AnyExchange());
    }

    /// <summary>Lets the exchanges pay wallets out until they have what traffic needs, or the block is
    /// full.</summary>
    internal void Distribute(int outputsMax)
    {
        int target = Math.Min(people.CoinsWanted, people.Coins.Count + outputsMax);
        while (people.Coins.Count < target)
            TryPayOut(people.AnyExchange(), DistributionOutputs);
    }

    /// <summary>Pays out a coinbase: the miners' shares, and the rest is sold.</summary>
    /// <param name="pool">Whose.</param>
    /// <param name="minersMax">Most miners that are paid at once.</param>
    internal bool TryPayMiners(MiningPool pool, int minersMax)
    {
        if (!pool.Coinbases.TryTake(composer.TimeSeconds, out Coin coin))
            return false;
        composer.Start(_random.Next());
        composer.Spend(coin);
        int miners = Math.Min(_random.Between(15, 60), minersMax);
        long left = coin.Satoshi - composer.Fee(FeeRateMax, miners + 1);
        for (int i = 0; i < miners; i++)
        {
            long share = Math.Clamp(_random.Amount(PaymentMedianSatoshi), SatoshiMin, left / miners);
            composer.Pay(people.AnyRecipient(), share);
            left -= share;
        }
        composer.Pay(people.AnyExchange().HotWallet, left);
        composer.Commit();
        return true;
    }

    // One to three coins of one owner, more where he has many; mostly a payment and change.
    private bool TryPay()
    {
        if (!TryTakeOldest(out Coin coin))
            return false;
        composer.Start(_random.Next());
        composer.Spend(coin);
        int many = Math.Max(0, people.Coins.CountOf(coin.Wallet) - WalletCoinsMany);
        SpendMore(coin.Wallet, _random.Below(4) * _random.Below(3) / 2 + many);
        int style = _random.Below(1000);
        if (style < DepositPerMille)
            PayPart(people.AnyExchange().DepositOf(_random), coin.Wallet, _random.Between(300, 950));
        else if (style < DepositPerMille + 100)
            PayAll(people.AnyRecipient());
        else
            PayAmount(coin.Wallet, payments: style < DepositPerMille + 180 ? 2 : 1);
        composer.Commit();
        return true;
    }

    private bool TryTidy()
    {
        if (!TryTakeOldest(out Coin coin))
            return false;
        composer.Start(_random.Next());
        composer.Spend(coin);
        SpendMore(coin.Wallet, InputsMax - 1);
        PayAll(people.ToWallet(coin.Wallet));
        composer.Commit();
        return true;
    }

    private bool TryTakeOldest(out Coin coin)
    {
        while (_random.Chance(PostponePerMille))
            people.Coins.PostponeOldest();
        return people.Coins.TryTakeOldest(composer.TimeSeconds - Participants.HoldSeconds, out coin);
    }

    private void SpendMore(int wallet, int further)
    {
        int count = Math.Min(further, InputsMax - 1);
        for (int i = 0; i < count; i++)
        {
            if (!people.Coins.TryTakeOldest(
                wallet, composer.TimeSeconds - Participants.HoldSeconds, out Coin coin))
                return;
            composer.Spend(coin);
        }
    }

    // What can be paid after a fee for so many outputs. Who has little, pays little.
    private long AfterFee(int outputs)
    {
        long fee = composer.Fee(_random.Between(FeeRateMin, FeeRateMax), outputs);
        return composer.Spent - Math.Min(fee, composer.Spent / 4);
    }

    private void PayAll(in Payee payee) => composer.Pay(payee, AfterFee(1));

    private void PayPart(in Payee payee, int wallet, int perMille)
    {
        long available = AfterFee(2);
        Divide(payee, available * perMille / 1000, people.ToWallet(wallet), available);
    }

    private void PayAmount(int wallet, int payments)
    {
        long available = AfterFee(payments + 1);
        for (int i = 1; i < payments; i++)
        {
            long first = Math.Min(_random.Amount(PaymentMedianSatoshi), available / 4);
            if (first < SatoshiMin)
                continue;
            composer.Pay(people.AnyRecipient(), first);
            available -= first;
        }
        long amount = _random.Amount(PaymentMedianSatoshi);
        if (amount > available / 100 * 95)
            amount = available / 1000 * _random.Between(200, 900);
        if (_random.Chance(DataPerMille))
            AddData();
        Divide(people.AnyRecipient(), amount, people.ToWallet(wallet), available);
    }

    // Payment and change, in either order; where one would be too little, all goes to the payee.
    private void Divide(in Payee payee, long amount, in Payee change, long available)
    {
        long rest = available - amount;
        if (amount < SatoshiMin || rest < SatoshiMin)
        {
            composer.Pay(payee, available);
            return;
        }
        bool changeFirst = _random.Chance(500);
        composer.Pay(changeFirst ? change : payee, changeFirst ? rest : amount);
        composer.Pay(changeFirst ? payee : change, changeFirst ? amount : rest);
    }

    private void AddData()
    {
        const int DataBytes = 32;
        Span<byte> script = stackalloc byte[2 + DataBytes];
        script[0] = BitcoinOpcode.Return;
        script[1] = DataBytes;
        for (int at = 2; at < script.Length; at += sizeof(ulong))
            BinaryPrimitives.WriteUInt64LittleEndian(script[at..], _random.Next());
        composer.AddData(script);
    }

    private bool TrySweep(Exchange exchange)
    {
        long before = composer.TimeSeconds - SweepAfterSeconds;
        if (composer.TimeSeconds < exchange.NextSweepSeconds || exchange.Deposits.Count < SweepInputsMin
            || !exchange.Deposits.TryTake(before, out Coin coin))
            return false;
        if (exchange.Deposits.Count < SweepInputsMax)
            exchange.NextSweepSeconds = composer.TimeSeconds + _random.Between(
                SweepEverySeconds / 2, SweepEverySeconds * 3 / 2);
        composer.Start(_random.Next());
        composer.Spend(coin);
        for (int i = 1; i < SweepInputsMax && exchange.Deposits.TryTake(before, out coin); i++)
            composer.Spend(coin);
        PayAll(exchange.HotWallet);
        composer.Commit();
        return true;
    }

    private bool TryPayOut(Exchange exchange) => TryPayOut(exchange, _random.Below(100) switch
    {
        _ when exchange.PaysSingly => 1,
        < 25 => _random.Between(1, 3),
        < 80 => _random.Between(4, 30),
        < 95 => _random.Between(31, 49),
        _ => _random.Between(50, 100),
    });

    // All from the large coin, which takes up a few receipts on the way; what is left comes back to it.
    private bool TryPayOut(Exchange exchange, int outputs)
    {
        long amountMax = exchange.MainSatoshi / (2 * outputs);
        if (amountMax < PaymentMedianSatoshi)
            return false;
        composer.Start(_random.Next());
        composer.Spend(exchange.TakeMain());
        int receipts = exchange.PaysSingly && exchange.Receipts.Count < ReceiptsMany ? 0 : PayoutReceiptsMax;
        for (int i = 0; i < receipts && exchange.Receipts.TryTake(composer.TimeSeconds, out Coin coin); i++)
            composer.Spend(coin);
        for (int i = 0; i < outputs; i++)
            composer.Pay(people.AnyRecipient(),
                Math.Clamp(_random.Amount(PaymentMedianSatoshi), SatoshiMin, amountMax));
        composer.Pay(exchange.HotWallet, composer.Spent - composer.Paid - composer.Fee(FeeRateMax, 1));
        composer.Commit();
        return true;
    }
}
