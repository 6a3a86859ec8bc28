using Streams.Buffers;

namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>Makes one valid block after the other, each on top of the one before.</summary>
/// <remarks>
/// It begins with <see cref="SimulationOptions.RunUpBlocks"/> blocks of a coinbase each: the first endow the
/// exchanges, the others let those coins mature. Then the exchanges pay out to the wallets; that done, a
/// night passes, and with coins that lay long enough traffic begins. The subsidy stays at 50 bitcoin: regtest
/// halves it every 150 blocks, and a simulation would run dry.
/// </remarks>
internal sealed class SimulatedChain : IDisposable
{
    private const long SatoshiPerBitcoin = 100_000_000;
    private const long SubsidySatoshi = 50 * SatoshiPerBitcoin;
    private const long EndowmentSatoshi = 100_000 * SatoshiPerBitcoin;

    // A block may weigh 4,000,000, and four times its bytes is the most that it can weigh.
    private const int BlockBytesMax = 950_000;
    private const int DistributionOutputsMax = 15_000;

    private readonly SimulationOptions _options;
    private readonly Participants _people;
    private readonly BitcoinBlockWriter _writer = new();
    private readonly TransactionComposer _composer;
    private readonly BackgroundTraffic _traffic;
    private readonly InjectionSchedule _injections;
    private readonly byte[][] _coinbaseScripts;
    private readonly Queue<(Coin Coin, Payee Payee, int Height)> _maturing = new();
    private long _timeSeconds;
    private bool _hasTraffic;

    /// <summary>Prepares the chain; nothing is made yet.</summary>
    /// <param name="options">Validated.</param>
    /// <param name="truth">Takes what is injected; null where nobody wants to know.</param>
    internal SimulatedChain(SimulationOptions options, SimulationTruth truth)
    {
        _options = options;
        var random = new SimulationRandom((ulong)options.Seed);
        var scripts = new SimulatedScripts((ulong)options.Seed);
        _people = new Participants(options, random);
        _composer = new TransactionComposer(scripts, _writer);
        _traffic = new BackgroundTraffic(_people, _composer);
        _injections = new InjectionSchedule(options, truth, _people, _composer);
        _coinbaseScripts = [.. _people.Exchanges.Select(e => ScriptOf(scripts, e.HotWallet)),
            .. _people.Pools.Select(p => ScriptOf(scripts, p.Wallet))];
        _timeSeconds = options.StartTime.ToUnixTimeSeconds();
    }

    /// <summary>Height of the last block; -1 before the first.</summary>
    internal int Height { get; private set; } = -1;

    /// <summary>Hash of the last block.</summary>
    internal BitcoinHash TipHash { get; private set; }

    /// <summary>Transactions of the last block, its coinbase included.</summary>
    internal int TipTransactions { get; private set; }

    /// <summary>Appends the next block.</summary>
    internal void BuildNext(PooledBuffer destination)
    {
        Height++;
        PassTime();
        _composer.StartBlock(Height, _timeSeconds);
        ReleaseMatureCoins();
        if (_hasTraffic)
            Fill();
        else if (Height >= SimulationOptions.RunUpBlocks)
            _traffic.Distribute(DistributionOutputsMax);
        Finish(destination);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _composer.Dispose();
        _writer.Dispose();
    }

    private static byte[] ScriptOf(SimulatedScripts scripts, in Payee payee)
    {
        Span<byte> script = stackalloc byte[SimulatedScripts.OutputBytesMax];
        return script[..scripts.WriteOutput(payee.Address, script)].ToArray();
    }

    private void PassTime()
    {
        if (Height == 0)
            return;
        long interval = (long)_options.BlockInterval.TotalSeconds;
        _timeSeconds += _people.Random.Between(interval / 2, interval * 3 / 2);
        if (_hasTraffic || _people.Coins.Count < _people.CoinsWanted)
            return;
        _hasTraffic = true;
        _timeSeconds += Participants.HoldSeconds;
    }

    private void ReleaseMatureCoins()
    {
        while (_maturing.TryPeek(out (Coin Coin, Payee Payee, int Height) next)
            && Height - next.Height >= SimulationOptions.CoinbaseMaturityBlocks)
        {
            _maturing.Dequeue();
            next.Payee.Owner!.Receive(next.Coin);
        }
    }

    // What is injected is spread over the block: it must not stand out by its place.
    private void Fill()
    {
        int planned = _options.TransactionsPerBlock;
        foreach (MiningPool pool in _people.Pools)
            _traffic.TryPayMiners(pool, minersMax: 2 + planned / 5);
        _injections.StartBlock(planned);
        while (_composer.Transactions < planned && _composer.Bytes < BlockBytesMax)
        {
            int left = planned - _composer.Transactions;
            if (_injections.Due > 0 && _people.Random.Below(left) < _injections.Due)
                _injections.PlayNext();
            else
                _traffic.AddOne();
        }
        while (_injections.Due > 0 && _composer.Bytes < BlockBytesMax)
            _injections.PlayNext();
    }

    private void Finish(PooledBuffer destination)
    {
        bool isEndowment = Height < _people.Exchanges.Length;
        int index = isEndowment ? Height : _people.Random.Below(_people.Pools.Length);
        Payee payee = isEndowment ? _people.Exchanges[index].HotWallet : _people.Pools[index].Wallet;
        var template = new BitcoinBlockTemplate
        {
            PreviousHash = TipHash,
            TimeSeconds = (uint)_timeSeconds,
            Height = Height,
            CoinbaseSatoshi = _composer.FeesSatoshi + (isEndowment ? EndowmentSatoshi : SubsidySatoshi),
            CoinbaseScript = _coinbaseScripts[isEndowment ? index : _people.Exchanges.Length + index],
            ExtraNonce = (ulong)_options.Seed,
        };
        int start = destination.Length;
        TipHash = _writer.FinishWithCoinbase(template, destination);
        TipTransactions = _composer.Transactions + 1;
        _maturing.Enqueue((CoinbaseOf(destination.WrittenSpan[start..], template, payee), payee, Height));
    }

    private Coin CoinbaseOf(ReadOnlySpan<byte> block, BitcoinBlockTemplate template, in Payee payee)
    {
        int offset = BitcoinHeader.Bytes + CompactSize.Size((ulong)TipTransactions);
        BitcoinTransactionReader.TryRead(
            block[offset..], BitcoinTransactionRules.BlockWeightMax, out BitcoinTransaction coinbase);
        return new Coin
        {
            TxId = coinbase.ComputeTxId(),
            Output = 0,
            Wallet = -1,
            Satoshi = template.CoinbaseSatoshi,
            Address = payee.Address,
            TimeSeconds = _timeSeconds,
        };
    }
}
