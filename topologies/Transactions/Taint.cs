using Streams.Topologies.Transactions.State;
using Streams.Topologies.Transactions.Tags;

namespace Streams.Topologies.Transactions;

/// <summary>The part of a transaction's money that comes from one kind of actor.</summary>
/// <param name="Ppm">The part, in millionths: the least it can be where inputs are unknown.</param>
/// <param name="Hops">Transactions since the actor paid, this one included; 0 where the actor pays
/// here.</param>
internal readonly record struct TaintShare(int Ppm, int Hops)
{
    /// <summary>The value of the part.</summary>
    internal long ValueOf(long sum) => (long)((Int128)sum * Ppm / 1_000_000);
}

/// <summary>
/// Follows tagged money by haircut: each output carries the share of its transaction's inputs, up to a number
/// of hops.
/// </summary>
internal struct TaintFlow(int hopsMax)
{
    private Int128 _weighted;
    private int _hops = int.MaxValue;

    /// <summary>Adds an input.</summary>
    /// <param name="value">Its value, where known.</param>
    /// <param name="isActor">Whether the actor himself spends it.</param>
    /// <param name="ppm">The share that the spent output carries.</param>
    /// <param name="hops">Transactions since the actor paid, up to the one that made the output.</param>
    internal void Add(long? value, bool isActor, int ppm, int hops)
    {
        if (!isActor && ppm == 0)
            return;
        _hops = Math.Min(_hops, isActor ? 0 : hops);
        _weighted += (Int128)(value ?? 0) * (isActor ? 1_000_000 : ppm);
    }

    /// <summary>The share of the whole.</summary>
    /// <param name="sum">Sum of the inputs where known, else of the outputs.</param>
    internal readonly TaintShare Share(long sum) => _hops > hopsMax || sum <= 0
        ? default
        : new TaintShare((int)Int128.Min(_weighted / sum, 1_000_000), _hops);

    /// <summary>What the transaction's outputs carry on.</summary>
    internal readonly TaintShare Onward(long sum)
    {
        TaintShare share = Share(sum);
        return share.Ppm == 0
            || share.Hops + 1 > hopsMax ? default : new TaintShare(share.Ppm, share.Hops + 1);
    }
}

/// <summary>What is known of an input beside its record: the output that it spends and the tags of its
/// address.</summary>
internal struct SpentOutput
{
    internal bool IsKnown;
    internal OutputState State;
    internal TagEntry? Tags;
}
