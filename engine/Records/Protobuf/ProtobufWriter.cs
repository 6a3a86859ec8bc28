using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Streams.Buffers;

namespace Streams.Records.Protobuf;

/// <summary>Encodes a record, fields in order of number, as protoc's generated code does.</summary>
/// <remarks>
/// Sources: Protocol Buffers encoding guide; proto3 language guide, "Default Values" (defaults are not written).
/// Writes go through a reference into the buffer. Invariant: before each write, <see cref="Reserve"/> has made sure
/// that what is written next, and at least <see cref="SlackBytes"/>, lies within the buffer.
/// </remarks>
internal ref struct ProtobufWriter : IFieldVisitor, IScalarWriter
{
    /// <summary>A tag (5 bytes at most) and a varint (10), written as words: room that every field may assume.</summary>
    private const int SlackBytes = 24;

    private readonly PooledBuffer _buffer;
    private ref byte _start;
    private int _position;

    /// <summary>The last position at which <see cref="SlackBytes"/> are free.</summary>
    private int _limit;
    private RecordStore? _store;

    public ProtobufWriter(PooledBuffer buffer)
    {
        _buffer = buffer;
        Attach(SlackBytes);
    }

    /// <summary>Ends the record and hands the bytes to the buffer.</summary>
    public void Finish()
    {
        WriteUnknown();
        _buffer.Advance(_position);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Memory(ref RecordMemory memory) => _store = memory.Store;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Scalar<T, TKind>(int number, ReadOnlySpan<byte> name, ref T value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (TKind.IsDefault(value))
            return;
        Tag(number, WireFormat.TypeOf(TKind.Kind));
        TKind.Write(ref this, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Optional<T, TKind>(int number, ReadOnlySpan<byte> name, ref T? value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (!value.HasValue)
            return;
        Tag(number, WireFormat.TypeOf(TKind.Kind));
        TKind.Write(ref this, in Nullable.GetValueRefOrDefaultRef(in value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Repeated<T, TKind>(
        int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (values.Count > 0)
            RepeatedValues<T, TKind>(number, values.Items);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Message<T>(int number, ReadOnlySpan<byte> name, ref Nested<T> value, string doc)
        where T : struct, IDescribed<T>
    {
        if (value.IsPresent)
            Inner(number, ref value.Value, lengthBytes: 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Messages<T>(int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string doc)
        where T : struct, IDescribed<T>
    {
        // Items of a list are of similar size: the room that one's length took is the best guess for the next.
        int lengthBytes = 1;
        foreach (ref T item in values.Items)
            lengthBytes = Inner(number, ref item, lengthBytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Bool(bool value) => Unsafe.Add(ref _start, _position++) = value ? (byte)1 : (byte)0;

    /// <summary>Negative numbers take ten bytes, sign-extended, so that int64 readers understand them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Int32(int value) => Varint((ulong)(long)value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Int64(long value) => Varint((ulong)value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void UInt32(uint value) => Varint(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void UInt64(ulong value) => Varint(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Double(double value)
    {
        ulong bits = BitConverter.DoubleToUInt64Bits(value);
        Word(BitConverter.IsLittleEndian ? bits : BinaryPrimitives.ReverseEndianness(bits));
        _position += sizeof(ulong);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enum<TEnum>(TEnum value)
        where TEnum : struct, Enum => Int32(Unsafe.BitCast<TEnum, int>(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Text(Text value) => LengthDelimited(value.Span);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Bytes(Bytes value) => LengthDelimited(value.Span);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Bytes32(in Bytes32 value) => LengthDelimited(value.Span);

    public void UInt256(in UInt256 value)
    {
        Span<byte> bytes = stackalloc byte[Records.UInt256.Size];
        value.WriteBigEndian(bytes);
        LengthDelimited(bytes[^value.BigEndianLength..]);
    }

    private void RepeatedValues<T, TKind>(int number, ReadOnlySpan<T> values)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        WireType type = WireFormat.TypeOf(TKind.Kind);
        if (type == WireType.LengthDelimited)
        {
            foreach (ref readonly T value in values)
            {
                Tag(number, type);
                TKind.Write(ref this, value);
            }
            return;
        }
        Tag(number, WireType.LengthDelimited);
        int start = _position;
        _position += Buffers.Varint.Size((uint)values.Length);
        int lengthBytes = _position - start;
        foreach (ref readonly T value in values)
        {
            Reserve(0);
            TKind.Write(ref this, value);
        }
        PatchLength(start, lengthBytes);
    }

    /// <summary>Writes an inner record behind room for its length.</summary>
    /// <returns>The bytes that the length took.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Inner<T>(int number, ref T item, int lengthBytes)
        where T : struct, IDescribed<T>
    {
        Tag(number, WireType.LengthDelimited);
        int start = _position;
        _position += lengthBytes;
        RecordStore? outer = _store;
        item.Describe(ref this);
        WriteUnknown();
        _store = outer;
        return PatchLength(start, lengthBytes);
    }

    private int PatchLength(int start, int lengthBytes)
    {
        int length = _position - start - lengthBytes;
        int needed = Buffers.Varint.Size((uint)length);
        if (needed != lengthBytes)
            MoveBody(start, lengthBytes, needed, length);
        int end = _position;
        _position = start;
        Varint((uint)length);
        _position = end;
        return needed;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void MoveBody(int start, int from, int to, int length)
    {
        Reserve(to);
        MemoryMarshal.CreateSpan(ref Unsafe.Add(ref _start, start + from), length)
            .CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref _start, start + to), length));
        _position += to - from;
    }

    private void WriteUnknown()
    {
        if (_store is { UnknownLength: > 0, UnknownFormat: RecordFormat.Protobuf })
            Raw(_store.Unknown);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Tag(int number, WireType type)
    {
        Reserve(0);
        Varint(WireFormat.Tag(number, type));
    }

    private void LengthDelimited(scoped ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        Varint((uint)bytes.Length);
        bytes.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref _start, _position), bytes.Length));
        _position += bytes.Length;
    }

    private void Raw(scoped ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref _start, _position), bytes.Length));
        _position += bytes.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Varint(ulong value)
    {
        if (value < 0x80)
            Unsafe.Add(ref _start, _position++) = (byte)value;
        else
            VarintLong(value);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void VarintLong(ulong value)
    {
        if (!Bmi2.X64.IsSupported || value >= 1UL << 56)
        {
            while (value >= 0x80)
            {
                Unsafe.Add(ref _start, _position++) = (byte)(value | 0x80);
                value >>= 7;
            }
            Unsafe.Add(ref _start, _position++) = (byte)value;
            return;
        }
        int size = Buffers.Varint.Size(value);
        ulong continuations = 0x8080808080808080 & ((1UL << (8 * (size - 1))) - 1);
        Word(Bmi2.X64.ParallelBitDeposit(value, 0x7F7F7F7F7F7F7F7F) | continuations);
        _position += size;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Word(ulong value) =>
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref _start, _position), value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Reserve(int count)
    {
        if (_limit - _position < count)
            Grow(count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int count)
    {
        int position = _position;
        // The buffer carries over what it was told about; positions go on counting from where this record began.
        _buffer.Advance(position);
        _buffer.GetSpan(count + SlackBytes);
        _buffer.Truncate(_buffer.Length - position);
        Attach(position + count + SlackBytes);
    }

    private void Attach(int bytes)
    {
        Span<byte> span = _buffer.GetSpan(bytes);
        _start = ref MemoryMarshal.GetReference(span);
        _limit = span.Length - SlackBytes;
    }
}
