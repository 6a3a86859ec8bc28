using System.Buffers.Binary;

namespace Streams.State;

/// <summary>
/// The entries of a table in the order of their keys' bytes: blocks of names, each with the first eight bytes
/// of its key, in one flat array, under a list of the blocks in order. An insertion moves part of one block;
/// a
/// full block is split, and the list of blocks, a hundredth of the entries, is what moves then.
/// </summary>
internal sealed class OrderedIndex(TrackedTable table)
{
    private const int BlockItems = 128;

    private Item[] _items = new Item[BlockItems];
    private int[] _order = new int[8];
    private int[] _used = new int[8];
    private int[] _free = new int[8];
    private int _freeCount;
    private int _madeBlocks;
    private int _blockCount;

    /// <summary>Number of entries.</summary>
    internal int Count { get; private set; }

    /// <summary>Bytes reserved.</summary>
    internal long BytesReserved => 16L * _items.Length + 12L * _order.Length;

    /// <summary>The entry with the lowest key at or after one; 0 for none.</summary>
    internal uint FirstAtOrAfter(ReadOnlySpan<byte> key)
    {
        if (!Find(key, out int place, out int at))
            return 0;
        if (at < _used[_order[place]])
            return Block(place)[at].Entry;
        return place + 1 < _blockCount ? Block(place + 1)[0].Entry : 0;
    }

    /// <summary>The entry with the highest key before one; 0 for none.</summary>
    internal uint LastBefore(ReadOnlySpan<byte> key)
    {
        if (!Find(key, out int place, out int at))
            return 0;
        if (at > 0)
            return Block(place)[at - 1].Entry;
        return place > 0 ? Block(place - 1)[_used[_order[place - 1]] - 1].Entry : 0;
    }

    /// <summary>The entry with the lowest key; 0 for none.</summary>
    internal uint First() => _blockCount == 0 ? 0 : Block(0)[0].Entry;

    /// <summary>The entries of a range, in order.</summary>
    internal uint[] Names(KeyRange range)
    {
        var names = new List<uint>();
        int place = 0, at = 0;
        if (range.From is not null && !Find(range.From, out place, out at))
            return [];
        for (; place < _blockCount; place++, at = 0)
        {
            ReadOnlySpan<Item> block = Block(place)[.._used[_order[place]]];
            for (; at < block.Length; at++)
            {
                if (range.Before is not null
                    && table.Key(block[at].Entry).SequenceCompareTo(range.Before) >= 0)
                    return [.. names];
                names.Add(block[at].Entry);
            }
        }
        return [.. names];
    }

    /// <summary>Adds an entry; its key must not be there.</summary>
    internal void Insert(ReadOnlySpan<byte> key, uint entry)
    {
        var item = new Item(Prefix(key), entry);
        Count++;
        if (!Find(key, out int place, out int at))
        {
            AddBlock(0);
            Block(0)[0] = item;
            _used[_order[0]] = 1;
            return;
        }
        if (_used[_order[place]] == BlockItems)
            Split(ref place, ref at);
        Span<Item> block = Block(place);
        int used = _used[_order[place]]++;
        block[at..used].CopyTo(block[(at + 1)..]);
        block[at] = item;
    }

    /// <summary>Gives the entry of a key another name.</summary>
    internal void Rename(ReadOnlySpan<byte> key, uint entry)
    {
        Find(key, out int place, out int at);
        Block(place)[at].Entry = entry;
    }

    /// <summary>Takes the entry of a key out; it must be there, and its bytes too.</summary>
    internal void Remove(ReadOnlySpan<byte> key)
    {
        Find(key, out int place, out int at);
        Span<Item> block = Block(place);
        int used = --_used[_order[place]];
        block[(at + 1)..(used + 1)].CopyTo(block[at..]);
        Count--;
        if (used == 0)
            DropBlock(place);
        else if (used < BlockItems / 4 && place + 1 < _blockCount)
            MergeWithNext(place);
    }

    /// <summary>Replaces everything with entries that are in order.</summary>
    internal void Rebuild(ReadOnlySpan<uint> entriesByKey)
    {
        Clear();
        Count = entriesByKey.Length;
        for (int from = 0; from < entriesByKey.Length; from += BlockItems)
        {
            ReadOnlySpan<uint> some = entriesByKey[from..Math.Min(from + BlockItems, entriesByKey.Length)];
            AddBlock(_blockCount);
            Span<Item> block = Block(_blockCount - 1);
            for (int i = 0; i < some.Length; i++)
                block[i] = new Item(Prefix(table.Key(some[i])), some[i]);
            _used[_order[_blockCount - 1]] = some.Length;
        }
    }

    internal void Clear()
    {
        Count = 0;
        _blockCount = _madeBlocks = _freeCount = 0;
    }

    private static ulong Prefix(ReadOnlySpan<byte> key)
    {
        if (key.Length >= sizeof(ulong))
            return BinaryPrimitives.ReadUInt64BigEndian(key);
        ulong prefix = 0;
        for (int i = 0; i < key.Length; i++)
            prefix |= (ulong)key[i] << (56 - 8 * i);
        return prefix;
    }

    private Span<Item> Block(int place) => _items.AsSpan(_order[place] * BlockItems, BlockItems);

    // The block that holds a key or would, and the place in it of the first item at or after the key.
    private bool Find(ReadOnlySpan<byte> key, out int place, out int at)
    {
        place = at = 0;
        if (_blockCount == 0)
            return false;
        ulong prefix = Prefix(key);
        int low = 0;
        for (int high = _blockCount; high - low > 1;)
        {
            int middle = (low + high) >>> 1;
            if (IsBefore(key, prefix, Block(middle)[0]))
                high = middle;
            else
                low = middle;
        }
        place = low;
        ReadOnlySpan<Item> block = Block(place);
        int first = 0;
        for (int end = _used[_order[place]]; first < end;)
        {
            int middle = (first + end) >>> 1;
            if (IsAfter(key, prefix, block[middle]))
                first = middle + 1;
            else
                end = middle;
        }
        at = first;
        return true;
    }

    private bool IsBefore(ReadOnlySpan<byte> key, ulong prefix, in Item item) => prefix != item.Prefix
        ? prefix < item.Prefix
        : key.SequenceCompareTo(table.Key(item.Entry)) < 0;

    private bool IsAfter(ReadOnlySpan<byte> key, ulong prefix, in Item item) => prefix != item.Prefix
        ? prefix > item.Prefix
        : key.SequenceCompareTo(table.Key(item.Entry)) > 0;

    // Halves a full block; at the very end it starts a new one, so that keys in order fill their blocks.
    private void Split(ref int place, ref int at)
    {
        bool append = place == _blockCount - 1 && at == BlockItems;
        int kept = append ? BlockItems : BlockItems / 2;
        AddBlock(place + 1);
        Block(place)[kept..].CopyTo(Block(place + 1));
        _used[_order[place]] = kept;
        _used[_order[place + 1]] = BlockItems - kept;
        if (at <= kept && !append)
            return;
        place++;
        at -= kept;
    }

    private void MergeWithNext(int place)
    {
        int used = _used[_order[place]];
        int next = _used[_order[place + 1]];
        if (used + next > BlockItems * 3 / 4)
            return;
        Block(place + 1)[..next].CopyTo(Block(place)[used..]);
        _used[_order[place]] = used + next;
        DropBlock(place + 1);
    }

    private void AddBlock(int place)
    {
        if (_blockCount == _order.Length)
        {
            Array.Resize(ref _order, _blockCount * 2);
            Array.Resize(ref _used, _blockCount * 2);
            Array.Resize(ref _free, _blockCount * 2);
        }
        int block = _freeCount > 0 ? _free[--_freeCount] : _madeBlocks++;
        if ((block + 1) * BlockItems > _items.Length)
            Array.Resize(ref _items, checked(_items.Length * 2));
        Array.Copy(_order, place, _order, place + 1, _blockCount - place);
        _order[place] = block;
        _used[block] = 0;
        _blockCount++;
    }

    private void DropBlock(int place)
    {
        _free[_freeCount++] = _order[place];
        _blockCount--;
        Array.Copy(_order, place + 1, _order, place, _blockCount - place);
    }

    private struct Item(ulong prefix, uint entry)
    {
        internal readonly ulong Prefix = prefix;
        internal uint Entry = entry;
    }
}
