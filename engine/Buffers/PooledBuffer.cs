using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Streams.Buffers;

/// <summary>
/// A byte buffer that grows by renting, and is written and cleared over and over without allocating.
/// Views of its contents are valid until the next write, clear or dispose. Not thread-safe.
/// </summary>
public sealed class PooledBuffer : IBufferWriter<byte>, IDisposable
{
    private byte[] _array;
    private int _length;

    /// <summary>Rents at least <paramref name="initialBytes"/>.</summary>
    public PooledBuffer(int initialBytes = 256) => _array = ArrayPool<byte>.Shared.Rent(initialBytes);

    /// <summary>Bytes written since the last clear.</summary>
    public int Length => _length;

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> WrittenSpan => new(_array, 0, _length);

    /// <summary>What was written, open to patching in place.</summary>
    public Span<byte> WrittenMutable => new(_array, 0, _length);

    /// <summary>What was written, for calls that cross an await.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => new(_array, 0, _length);

    /// <summary>Forgets the contents and keeps the memory.</summary>
    public void Clear() => _length = 0;

    /// <summary>Drops what was written after <paramref name="length"/>.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)_length);
        _length = length;
    }

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_array.Length - _length));
        _length += count;
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _array.AsMemory(_length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _array.AsSpan(_length);
    }

    /// <summary>Appends <paramref name="count"/> bytes and returns them for filling; their contents are
    /// arbitrary.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Append(int count)
    {
        Reserve(count);
        Span<byte> span = _array.AsSpan(_length, count);
        _length += count;
        return span;
    }

    /// <summary>Appends <paramref name="bytes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Append(bytes.Length));

    /// <summary>Appends one byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteByte(byte value)
    {
        Reserve(1);
        _array[_length++] = value;
    }

    /// <summary>Appends <paramref name="value"/> as a varint.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteVarint(ulong value)
    {
        Reserve(Varint.BytesMax);
        _length += Varint.Write(_array.AsSpan(_length), value);
    }

    /// <summary>Appends four bytes, little-endian.</summary>
    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Append(4), value);

    /// <summary>Appends eight bytes, little-endian.</summary>
    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Append(8), value);

    /// <summary>Returns the memory to the pool; the buffer is empty and usable afterwards, and rents
    /// anew.</summary>
    public void Dispose()
    {
        byte[] array = _array;
        _array = [];
        _length = 0;
        if (array.Length > 0)
            ArrayPool<byte>.Shared.Return(array);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Reserve(int count)
    {
        if (_array.Length - _length < count)
            Grow(count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int count)
    {
        long wanted = Math.Max((long)_length + count, Math.Min(2L * _array.Length, Array.MaxLength));
        if (wanted > Array.MaxLength)
            throw new InvalidOperationException(
                $"A buffer of {wanted:N0} bytes is over the limit of {Array.MaxLength:N0}.");
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)wanted);
        _array.AsSpan(0, _length).CopyTo(larger);
        if (_array.Length > 0)
            ArrayPool<byte>.Shared.Return(_array);
        _array = larger;
    }
}
