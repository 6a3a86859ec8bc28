using Streams.Buffers;
using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>How a block of the simulation arrives.</summary>
public enum SimulatedDeliveryKind
{
    /// <summary>The next block of the chain, whole.</summary>
    Block = 0,

    /// <summary>One that arrived before.</summary>
    Duplicate = 1,

    /// <summary>The next block with one bit wrong; the good copy follows.</summary>
    FlippedBit = 2,

    /// <summary>The beginning of the next block; the good copy follows.</summary>
    Truncated = 3,
}

/// <summary>Bytes as a feed delivers them.</summary>
public readonly ref struct SimulatedDelivery
{
    internal SimulatedDelivery(
        SimulatedDeliveryKind kind, int height, BitcoinHash hash, ReadOnlySpan<byte> bytes)
    {
        Kind = kind;
        Height = height;
        Hash = hash;
        Bytes = bytes;
    }

    /// <summary>What the bytes are.</summary>
    public SimulatedDeliveryKind Kind { get; }

    /// <summary>Height of the block that they are of.</summary>
    public int Height { get; }

    /// <summary>Hash of that block, in its good form.</summary>
    public BitcoinHash Hash { get; }

    /// <summary>The bytes; valid until the next delivery.</summary>
    public ReadOnlySpan<byte> Bytes { get; }
}

/// <summary>
/// A Bitcoin node that does not exist: delivers the raw blocks of a regtest chain with ordinary traffic and
/// with what is put into it on purpose, now and then damaged or twice. The same options give the same bytes.
/// </summary>
/// <remarks>
/// Blocks are valid by everything that a reader can check: proof of work, merkle root, height, witness
/// commitment, values, no output spent twice. Signatures have the right shape only. Not thread-safe. The
/// README beside this file says what is simulated and how to add a behaviour.
/// </remarks>
public sealed class BlockSimulator : IDisposable
{
    private const int PerMille = 1000;

    private readonly SimulationOptions _options;
    private readonly SimulationTruth _truth;
    private readonly SimulatedChain _chain;
    private readonly SimulationRandom _random;
    private readonly Queue<SimulatedDeliveryKind> _planned = new();
    private readonly PooledBuffer _block = new(1 << 16);
    private readonly PooledBuffer _damaged = new();
    private readonly PooledBuffer _late = new();
    private BitcoinHash _lateHash;
    private bool _isLate;

    /// <summary>Prepares a simulation from its first block on.</summary>
    /// <param name="options">What it is like.</param>
    /// <param name="truth">Takes what is injected; cleared first.</param>
    /// <exception cref="Connect.ConfigurationException">An option is out of its range.</exception>
    public BlockSimulator(SimulationOptions options, SimulationTruth? truth = null)
    {
        options.Validate();
        _options = options;
        _truth = truth ?? new SimulationTruth();
        _truth.Clear();
        _chain = new SimulatedChain(options, _truth);
        // A sequence of its own, so that the chain is the same however often it is damaged on the way.
        _random = new SimulationRandom(SimulationRandom.Mix(~(ulong)options.Seed));
    }

    /// <summary>Deliveries so far.</summary>
    public long Deliveries { get; private set; }

    /// <summary>Height of the last block; -1 before the first.</summary>
    public int Height => _chain.Height;

    /// <summary>Makes the next delivery.</summary>
    /// <param name="delivery">Valid until the next call.</param>
    /// <returns>False at the end, after <see cref="SimulationOptions.BlocksMax"/> blocks.</returns>
    public bool TryNext(out SimulatedDelivery delivery)
    {
        if (_planned.Count == 0 && !TryPlan())
        {
            delivery = default;
            return false;
        }
        Deliveries++;
        SimulatedDeliveryKind kind = _planned.Dequeue();
        delivery = kind switch
        {
            SimulatedDeliveryKind.Block =>
                new SimulatedDelivery(kind, Height, _chain.TipHash, _block.WrittenSpan),
            SimulatedDeliveryKind.Duplicate => Repeat(),
            _ => Damage(kind),
        };
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _chain.Dispose();
        _block.Dispose();
        _damaged.Dispose();
        _late.Dispose();
    }

    // Builds the next block and decides how it arrives.
    private bool TryPlan()
    {
        if (_options.BlocksMax > 0 && _chain.Height + 1 >= _options.BlocksMax)
            return false;
        if (_isLate && _late.Length == 0)
        {
            _late.Write(_block.WrittenSpan);
            _lateHash = _chain.TipHash;
        }
        _block.Clear();
        _chain.BuildNext(_block);
        if (_random.Below(PerMille) < _options.CorruptBlocksPerThousand)
            _planned.Enqueue(
                _random.Chance(500) ? SimulatedDeliveryKind.FlippedBit : SimulatedDeliveryKind.Truncated);
        _planned.Enqueue(SimulatedDeliveryKind.Block);
        if (_isLate)
            _planned.Enqueue(SimulatedDeliveryKind.Duplicate);
        else if (_random.Below(PerMille) < _options.DuplicateBlocksPerThousand)
            PlanDuplicate();
        return true;
    }

    // At once, or behind the next block.
    private void PlanDuplicate()
    {
        _isLate = true;
        if (_random.Chance(500))
            _planned.Enqueue(SimulatedDeliveryKind.Duplicate);
    }

    private SimulatedDelivery Repeat()
    {
        bool isOfBefore = _late.Length > 0;
        int height = isOfBefore ? Height - 1 : Height;
        Note(SimulatedTypology.DuplicateBlock, height);
        var delivery = new SimulatedDelivery(
            SimulatedDeliveryKind.Duplicate, height, isOfBefore ? _lateHash : _chain.TipHash,
            isOfBefore ? _late.WrittenSpan : _block.WrittenSpan);
        // What was cleared keeps its bytes until it is written again.
        _late.Clear();
        _isLate = false;
        return delivery;
    }

    private SimulatedDelivery Damage(SimulatedDeliveryKind kind)
    {
        _damaged.Clear();
        ReadOnlySpan<byte> whole = _block.WrittenSpan;
        if (kind == SimulatedDeliveryKind.Truncated)
        {
            Note(SimulatedTypology.TruncatedBlock, Height);
            _damaged.Write(whole[.._random.Between(BitcoinHeader.Bytes + 1, whole.Length - 1)]);
        }
        else
        {
            Note(SimulatedTypology.FlippedBit, Height);
            _damaged.Write(whole);
            // Behind the header: half of all headers are good enough for regtest, and the block would be
            // another one.
            int at = _random.Between(BitcoinHeader.Bytes, whole.Length - 1);
            _damaged.WrittenMutable[at] ^= (byte)(1 << _random.Below(8));
        }
        return new SimulatedDelivery(kind, Height, _chain.TipHash, _damaged.WrittenSpan);
    }

    private void Note(SimulatedTypology typology, int height) =>
        _truth.Begin(typology, RiskRule.None, CoinJoinKind.None, []).Complete(height);
}
