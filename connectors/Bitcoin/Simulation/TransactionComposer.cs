using Streams.Buffers;

namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>Who is paid: an address, and whoever takes the coin; nobody takes one that is never spent
/// again.</summary>
/// <param name="Address">The address.</param>
/// <param name="Owner">Takes the coin.</param>
/// <param name="Wallet">His wallet, where he has several; else -1.</param>
internal readonly record struct Payee(SimulatedAddress Address, ICoinOwner? Owner = null, int Wallet = -1);

/// <summary>
/// Composes the transactions of a block: spends coins, pays, and hands the new coins to their owners. One
/// transaction after the other; the coins of one can be spent in the next.
/// </summary>
internal sealed class TransactionComposer(SimulatedScripts scripts, BitcoinBlockWriter block) : IDisposable
{
    private const int TransactionVirtualBytes = 11;
    private const int OutputVirtualBytes = 34;
    private const uint SequenceOfReplaceable = 0xFFFF_FFFD;
    private const uint SequenceFinal = 0xFFFF_FFFF;

    private readonly BitcoinTransactionWriter _writer = new();
    private readonly PooledBuffer _raw = new(1024);
    private Output[] _outputs = new Output[256];
    private BitcoinHash _txId;
    private int _inputVirtualBytes;
    private uint _sequence;
    private uint _lockTime;

    /// <summary>Height of the block.</summary>
    internal int Height { get; private set; }

    /// <summary>Time of the block, Unix seconds.</summary>
    internal long TimeSeconds { get; private set; }

    /// <summary>Fees of the block so far.</summary>
    internal long FeesSatoshi { get; private set; }

    /// <summary>Transactions of the block so far.</summary>
    internal int Transactions { get; private set; }

    /// <summary>Bytes of the block so far.</summary>
    internal int Bytes { get; private set; }

    /// <summary>Sum of what the transaction spends.</summary>
    internal long Spent { get; private set; }

    /// <summary>Sum of what it pays.</summary>
    internal long Paid { get; private set; }

    /// <summary>Number of its outputs.</summary>
    internal int Outputs { get; private set; }

    /// <summary>Begins a block.</summary>
    internal void StartBlock(int height, long timeSeconds)
    {
        block.Start();
        Height = height;
        TimeSeconds = timeSeconds;
        FeesSatoshi = 0;
        Transactions = 0;
        Bytes = 0;
    }

    /// <summary>Begins a transaction.</summary>
    /// <param name="habit">Any bits: which of the usual versions, sequence numbers and lock times it
    /// has.</param>
    internal void Start(ulong habit)
    {
        _writer.Start(version: (habit & 7) == 0 ? 1u : 2u);
        _sequence = (habit >> 3 & 3) == 0 ? SequenceFinal : SequenceOfReplaceable;
        _lockTime = (habit >> 5 & 3) == 0 ? (uint)Height : 0;
        _inputVirtualBytes = 0;
        Spent = 0;
        Paid = 0;
        Outputs = 0;
    }

    /// <summary>Spends a coin.</summary>
    internal void Spend(in Coin coin)
    {
        scripts.AddInput(_writer, coin, _sequence);
        _inputVirtualBytes += SimulatedScripts.InputVirtualBytes(coin.Address.Lock);
        Spent += coin.Satoshi;
    }

    /// <summary>Pays.</summary>
    /// <returns>The output's place.</returns>
    internal int Pay(in Payee payee, long satoshi)
    {
        Span<byte> script = stackalloc byte[SimulatedScripts.OutputBytesMax];
        int length = scripts.WriteOutput(payee.Address, script);
        _writer.AddOutput(satoshi, script[..length]);
        if (Outputs == _outputs.Length)
            Array.Resize(ref _outputs, 2 * Outputs);
        _outputs[Outputs] = new Output { Payee = payee, Satoshi = satoshi };
        Paid += satoshi;
        return Outputs++;
    }

    /// <summary>Adds an output of data and no value (OP_RETURN).</summary>
    internal void AddData(ReadOnlySpan<byte> script)
    {
        _writer.AddOutput(0, script);
        if (Outputs == _outputs.Length)
            Array.Resize(ref _outputs, 2 * Outputs);
        _outputs[Outputs++] = default;
    }

    /// <summary>The fee at a rate, if so many outputs are added to those that are there.</summary>
    internal long Fee(int satoshiPerVirtualByte, int furtherOutputs) =>
        (long)satoshiPerVirtualByte
        * (TransactionVirtualBytes + _inputVirtualBytes + OutputVirtualBytes * (Outputs + furtherOutputs));

    /// <summary>Puts the transaction into the block; what it does not pay is its fee.</summary>
    /// <returns>Its id.</returns>
    /// <exception cref="InvalidOperationException">It pays more than it spends.</exception>
    internal BitcoinHash Commit()
    {
        if (Paid > Spent || Outputs == 0)
            throw new InvalidOperationException(
                $"A transaction spends {Spent} and pays {Paid} in {Outputs} outputs.");
        _raw.Clear();
        _writer.Finish(_lockTime, _raw);
        _txId = block.AddTransaction(_raw.WrittenSpan);
        FeesSatoshi += Spent - Paid;
        Bytes += _raw.Length;
        Transactions++;
        for (int i = 0; i < Outputs; i++)
        {
            if (_outputs[i].Payee.Owner is { } owner)
                owner.Receive(CoinAt(i));
        }
        return _txId;
    }

    /// <summary>The coin that an output of the last transaction is.</summary>
    internal Coin CoinAt(int output) => new()
    {
        TxId = _txId,
        Output = (uint)output,
        Wallet = _outputs[output].Payee.Wallet,
        Satoshi = _outputs[output].Satoshi,
        Address = _outputs[output].Payee.Address,
        TimeSeconds = TimeSeconds,
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer.Dispose();
        _raw.Dispose();
    }

    private struct Output
    {
        internal Payee Payee;
        internal long Satoshi;
    }
}
