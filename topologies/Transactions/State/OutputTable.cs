using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Streams.Records;
using Streams.State;

namespace Streams.Topologies.Transactions.State;

/// <summary>An output that nobody has spent yet, as far as seen, before its address.</summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal struct OutputState
{
    internal const int Bytes = 40;

    /// <summary>Times kept of the hops that led here.</summary>
    internal const int PeelTimes = 4;

    internal long Value;

    /// <summary>Share of sanctioned money, in millionths, and the fewest transactions since.</summary>
    internal int SanctionedPpm;
    internal int IllicitPpm;
    internal byte SanctionedHops;
    internal byte IllicitHops;
    internal byte ScriptType;
    internal byte Unused;

    /// <summary>Hops of a peel chain that end here, and when the last of them were, newest first, Unix
    /// seconds.</summary>
    internal int PeelHops;
    internal PeelTimeline PeelSeconds;
}

/// <summary>When the last hops of a peel chain were, newest first, Unix seconds.</summary>
[System.Runtime.CompilerServices.InlineArray(OutputState.PeelTimes)]
internal struct PeelTimeline
{
    private uint _first;
}

/// <summary>The outputs that were seen and not spent, by transaction and place.</summary>
internal sealed class OutputTable(BytesStore store)
{
    private const int KeyBytes = 36;

    private readonly byte[] _key = new byte[KeyBytes];

    /// <summary>Starts loading where a lookup begins.</summary>
    /// <returns>What <see cref="PrefetchEntry"/> wants.</returns>
    internal uint Prefetch(in Bytes32 txId, uint vout) => store.Prefetch(Key(txId, vout));

    /// <summary>Starts loading what a lookup finds.</summary>
    internal void PrefetchEntry(uint hash) => store.PrefetchEntry(hash);

    /// <summary>Takes an output that is being spent.</summary>
    /// <param name="txId">Its transaction.</param>
    /// <param name="vout">Its place there.</param>
    /// <param name="state">What is known of it.</param>
    /// <param name="address">Takes the address.</param>
    /// <param name="addressBytes">Length of the address; 0 for none.</param>
    internal bool TryTake(
        in Bytes32 txId, uint vout, out OutputState state, Span<byte> address, out int addressBytes)
    {
        if (!store.TryFind(Key(txId, vout), out StoreEntry entry, out ReadOnlySpan<byte> value))
        {
            state = default;
            addressBytes = 0;
            return false;
        }
        state = MemoryMarshal.Read<OutputState>(value);
        value[OutputState.Bytes..].CopyTo(address);
        addressBytes = value.Length - OutputState.Bytes;
        store.Delete(entry);
        return true;
    }

    /// <summary>Adds an output.</summary>
    internal void Add(in Bytes32 txId, uint vout, in OutputState state, ReadOnlySpan<byte> address)
    {
        Span<byte> value = store.Put(Key(txId, vout), OutputState.Bytes + address.Length, out _);
        MemoryMarshal.Write(value, state);
        address.CopyTo(value[OutputState.Bytes..]);
    }

    private ReadOnlySpan<byte> Key(in Bytes32 txId, uint vout)
    {
        txId.Span.CopyTo(_key);
        BinaryPrimitives.WriteUInt32BigEndian(_key.AsSpan(32), vout);
        return _key;
    }
}
