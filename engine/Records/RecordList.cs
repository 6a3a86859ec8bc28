using System.Runtime.CompilerServices;

namespace Streams.Records;

/// <summary>
/// A list in a record: an array that grows and keeps its memory when it is cleared, so that refilling a
/// record allocates nothing. Items are reached by reference and changed in place.
/// </summary>
/// <remarks>
/// A struct, so that an empty list needs no object. Copying it shares the array: copy records through a
/// codec.
/// </remarks>
/// <typeparam name="T">A scalar, or a described struct.</typeparam>
public struct RecordList<T>
    where T : struct
{
    private const int CapacityMin = 4;

    private T[]? _items;
    private int _count;

    /// <summary>Items in the list.</summary>
    public readonly int Count => _count;

    /// <summary>The items, valid until the next change of the list's length.</summary>
    public readonly Span<T> Items
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(_items, 0, _count);
    }

    /// <summary>One item, in place.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The list has fewer items.</exception>
    public readonly ref T this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_count);
            return ref _items![index];
        }
    }

    /// <summary>Forgets the items and keeps their memory.</summary>
    public void Clear() => _count = 0;

    /// <summary>Adds an item.</summary>
    public void Add(in T item) => AddSlot() = item;

    /// <summary>Goes through the items by reference.</summary>
    public readonly Span<T>.Enumerator GetEnumerator() => Items.GetEnumerator();

    /// <summary>
    /// Adds an item that still has the contents, and thereby the memory, of an earlier one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref T AddSlot()
    {
        if (_items is null || _count == _items.Length)
            Grow();
        return ref _items![_count++];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow() => Array.Resize(ref _items, Math.Max(CapacityMin, 2 * _count));
}
