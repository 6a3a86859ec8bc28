using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streams.Buffers;

namespace Streams.Records.Protobuf;

/// <summary>Encodes a record, fields in order of number, as protoc's generated code does.</summary>
/// <remarks>
/// Sources: Protocol Buffers encoding guide; proto3 language guide, "Default Values" (defaults are not written).
/// Invariant: between two fields, at least <see cref="SlackBytes"/> lie between <see cref="_at"/> and the end of the
/// buffer; <see cref="Reserve"/> restores it after what is longer.
/// </remarks>
internal ref struct ProtobufWriter : IFieldVisitor
{
    /// <summary>A tag (5 bytes at most) and 32 bytes behind their length, written as words: room for any value whose
    /// length is bounded.</summary>
    public const int SlackBytes = 48;

    private readonly PooledBuffer _buffer;
    private ref byte _start;
    private ref byte _at;

    /// <summary>The last place with <see cref="SlackBytes"/> behind it.</summary>
    private ref byte _limit;
    private RecordStore? _store;

    public ProtobufWriter(PooledBuffer buffer)
    {
        _buffer = buffer;
        Attach(0, SlackBytes);
    }

    private readonly int Position => (int)Unsafe.ByteOffset(ref _start, ref _at);

    /// <summary>Ends the record and hands the bytes to the buffer.</summary>
    public void Finish()
    {
        WriteUnknown();
        _buffer.Advance(Position);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Memory(ref RecordMemory memory) => _store = memory.Store;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Scalar<T, TKind>(int number, ReadOnlySpan<byte> name, ref T value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (!TKind.IsDefault(value))
            Field<T, TKind>(number, in value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Optional<T, TKind>(int number, ReadOnlySpan<byte> name, ref T? value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (value.HasValue)
            Field<T, TKind>(number, in Nullable.GetValueRefOrDefaultRef(in value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Repeated<T, TKind>(
        int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (values.Count == 0)
            return;
        if (WireFormat.TypeOf(TKind.Kind) == WireType.LengthDelimited)
        {
            foreach (ref T value in values.Items)
                Field<T, TKind>(number, in value);
        }
        else
        {
            Packed<T, TKind>(number, values.Items);
        }
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
    public readonly void Retired(int number, ReadOnlySpan<byte> name)
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Field<T, TKind>(int number, in T value)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        Reserve(TKind.PayloadBytes(value));
        var writer = new ProtobufValueWriter(ref Tag(number, WireFormat.TypeOf(TKind.Kind)));
        TKind.Write(ref writer, value);
        _at = ref writer.At;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Packed<T, TKind>(int number, scoped ReadOnlySpan<T> values)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        Reserve(0);
        _at = ref Tag(number, WireType.LengthDelimited);
        int start = Position;
        int lengthBytes = Varint.Size((uint)values.Length);
        _at = ref Unsafe.Add(ref _at, lengthBytes);
        foreach (ref readonly T value in values)
        {
            Reserve(0);
            var writer = new ProtobufValueWriter(ref _at);
            TKind.Write(ref writer, value);
            _at = ref writer.At;
        }
        PatchLength(start, lengthBytes);
    }

    /// <summary>Writes an inner record behind room for its length.</summary>
    /// <returns>The bytes that the length took.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Inner<T>(int number, ref T item, int lengthBytes)
        where T : struct, IDescribed<T>
    {
        Reserve(0);
        _at = ref Tag(number, WireType.LengthDelimited);
        int start = Position;
        _at = ref Unsafe.Add(ref _at, lengthBytes);
        RecordStore? outer = _store;
        item.Describe(ref this);
        WriteUnknown();
        _store = outer;
        return PatchLength(start, lengthBytes);
    }

    /// <summary>Writes the length of what follows the room that was left for it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int PatchLength(int start, int lengthBytes)
    {
        int length = Position - start - lengthBytes;
        int needed = Varint.Size((uint)length);
        if (needed != lengthBytes)
            MoveBody(start, lengthBytes, needed, length);
        // Byte by byte, because a whole word would overwrite the body.
        Varint.Write(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref _start, start), needed), (uint)length);
        return needed;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void MoveBody(int start, int from, int to, int length)
    {
        Reserve(0);
        MemoryMarshal.CreateSpan(ref Unsafe.Add(ref _start, start + from), length)
            .CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref _start, start + to), length));
        _at = ref Unsafe.Add(ref _at, to - from);
    }

    private void WriteUnknown()
    {
        if (_store is not { UnknownLength: > 0, UnknownFormat: RecordFormat.Protobuf })
            return;
        ReadOnlySpan<byte> unknown = _store.Unknown;
        Reserve(unknown.Length);
        unknown.CopyTo(MemoryMarshal.CreateSpan(ref _at, unknown.Length));
        _at = ref Unsafe.Add(ref _at, unknown.Length);
    }

    /// <summary>Writes a tag, and returns the place behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly ref byte Tag(int number, WireType type)
    {
        ulong word = WireFormat.TagWord(WireFormat.Tag(number, type), out int size);
        if (size == 1)
            _at = (byte)word;
        else if (size == 2)
            Unsafe.WriteUnaligned(ref _at, (ushort)word);
        else
            Unsafe.WriteUnaligned(ref _at, word);
        return ref Unsafe.Add(ref _at, size);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Reserve(int payloadBytes)
    {
        if (payloadBytes == 0
            ? Unsafe.IsAddressGreaterThan(ref _at, ref _limit)
            : Unsafe.ByteOffset(ref _at, ref _limit) < payloadBytes)
        {
            Grow(payloadBytes);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int payloadBytes)
    {
        // The buffer carries over what it was told about; positions go on counting from where this record began.
        int position = Position;
        _buffer.Advance(position);
        _buffer.GetSpan(payloadBytes + SlackBytes);
        _buffer.Truncate(_buffer.Length - position);
        Attach(position, position + payloadBytes + SlackBytes);
    }

    private void Attach(int position, int bytes)
    {
        Span<byte> span = _buffer.GetSpan(bytes);
        _start = ref MemoryMarshal.GetReference(span);
        _at = ref Unsafe.Add(ref _start, position);
        _limit = ref Unsafe.Add(ref _start, span.Length - SlackBytes);
    }
}
