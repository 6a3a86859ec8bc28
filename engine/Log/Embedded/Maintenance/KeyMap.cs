using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Streams.Buffers;

namespace Streams.Log.Embedded.Maintenance;

/// <summary>
/// The latest offset of each key, in memory of a fixed size. Keys are known by 128 bits of SHA-256, so that
/// no two keys are ever taken for one, by chance or by intent.
/// </summary>
internal sealed class KeyMap
{
    // Longer searches set in above this load; the table stays as it is and takes no more keys.
    private const double LoadMax = 0.75;

    private readonly Slot[] _slots;
    private readonly int _keysMax;
    private int _keys;

    /// <summary>An empty map.</summary>
    /// <param name="bytesMax">Memory that it may take.</param>
    public KeyMap(long bytesMax)
    {
        int slots = (int)Math.Clamp(bytesMax / Marshal.SizeOf<Slot>(), 16, int.MaxValue / 2);
        _slots = new Slot[slots];
        _keysMax = (int)(slots * LoadMax);
    }

    /// <summary>Whether it takes no further key.</summary>
    public bool IsFull => _keys >= _keysMax;

    /// <summary>Notes a record of a key, adding the key where there is room for it.</summary>
    public void Add(TopicPartition partition, ReadOnlySpan<byte> key, long offset)
    {
        ref Slot slot = ref Find(partition, key, out Slot sought);
        if (!slot.IsUsed)
        {
            if (IsFull)
                return;
            slot = sought;
            _keys++;
        }
        slot.Raise(offset);
    }

    /// <summary>Notes a later record of a key, where the key is known.</summary>
    public void Update(TopicPartition partition, ReadOnlySpan<byte> key, long offset)
    {
        ref Slot slot = ref Find(partition, key, out _);
        if (slot.IsUsed)
            slot.Raise(offset);
    }

    /// <summary>Notes that a record of a key stays although it may not be the latest.</summary>
    public void NoteKept(TopicPartition partition, ReadOnlySpan<byte> key, long offset)
    {
        ref Slot slot = ref Find(partition, key, out _);
        if (slot.IsUsed && offset < slot.Latest)
            slot.State |= 1;
    }

    /// <summary>The latest offset of a key; -1 where the key is not known.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="key">The key.</param>
    /// <param name="hasOlder">Whether an older record stays, which a tombstone then still has to
    /// hide.</param>
    public long Latest(TopicPartition partition, ReadOnlySpan<byte> key, out bool hasOlder)
    {
        ref Slot slot = ref Find(partition, key, out _);
        hasOlder = slot.HasOlder;
        return slot.IsUsed ? slot.Latest : -1;
    }

    // The slot of the key, or the free slot where it would go.
    private ref Slot Find(TopicPartition partition, ReadOnlySpan<byte> key, out Slot sought)
    {
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(prefix, partition.Topic);
        BinaryPrimitives.WriteInt32LittleEndian(prefix[4..], partition.Partition);
        Span<byte> hash = stackalloc byte[Sha256.HashBytes];
        Sha256.Hash(prefix, key, default, hash);
        sought = new Slot
        {
            High = BinaryPrimitives.ReadUInt64LittleEndian(hash),
            Low = BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]),
        };
        int at = (int)(sought.High % (ulong)_slots.Length);
        while (true)
        {
            ref Slot slot = ref _slots[at];
            if (!slot.IsUsed || (slot.High == sought.High && slot.Low == sought.Low))
                return ref slot;
            at = at + 1 == _slots.Length ? 0 : at + 1;
        }
    }

    private struct Slot
    {
        public ulong High;
        public ulong Low;

        /// <summary>
        /// Zero while the slot is free; else twice the latest offset plus two, plus one where an older one
        /// stays.
        /// </summary>
        public long State;

        public readonly bool IsUsed => State != 0;

        public readonly bool HasOlder => (State & 1) != 0;

        public readonly long Latest => (State >> 1) - 1;

        public void Raise(long offset)
        {
            if (!IsUsed || offset > Latest)
                State = ((offset + 1) << 1) | (State & 1);
        }
    }
}
