using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streams.Buffers;

namespace Streams.Records.Protobuf;

/// <summary>Encodes a record, fields in order of number, as protoc's generated code does.</summary>
/// <remarks>Sources: Protocol Buffers encoding guide; proto3 language guide, "Default Values" (defaults are
/// not written). The lengths of inner records are patched in afterwards: measuring them first would cost a
/// second walk over all fields, and a guess from the item before is right nearly always.</remarks>
internal ref struct ProtobufWriter : IFieldVisitor
{
    private RecordOutput _output;
    private RecordStore? _store;

    public ProtobufWriter(PooledBuffer buffer) => _output = new RecordOutput(buffer);

    /// <summary>Ends the record and hands the bytes to the buffer.</summary>
    public void Finish()
    {
        WriteUnknown();
        _output.Finish();
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
        // Items of a list are of similar size: the room that one's length took is the best guess for the
        // next.
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
        _output.Reserve(TKind.PayloadBytes(value));
        var writer = new ProtobufValueWriter(ref Tag(number, WireFormat.TypeOf(TKind.Kind)));
        TKind.Write(ref writer, value);
        _output.At = ref writer.At;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Packed<T, TKind>(int number, scoped ReadOnlySpan<T> values)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        _output.Reserve(0);
        _output.At = ref Tag(number, WireType.LengthDelimited);
        int start = _output.Position;
        int lengthBytes = Varint.Size((uint)values.Length);
        _output.Skip(lengthBytes);
        foreach (ref readonly T value in values)
        {
            _output.Reserve(0);
            var writer = new ProtobufValueWriter(ref _output.At);
            TKind.Write(ref writer, value);
            _output.At = ref writer.At;
        }
        PatchLength(start, lengthBytes);
    }

    /// <summary>Writes an inner record behind room for its length.</summary>
    /// <returns>The bytes that the length took.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Inner<T>(int number, ref T item, int lengthBytes)
        where T : struct, IDescribed<T>
    {
        _output.Reserve(0);
        _output.At = ref Tag(number, WireType.LengthDelimited);
        int start = _output.Position;
        _output.Skip(lengthBytes);
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
        int length = _output.Position - start - lengthBytes;
        int needed = Varint.Size((uint)length);
        if (needed != lengthBytes)
            MoveBody(start, lengthBytes, needed, length);
        // Byte by byte, because a whole word would overwrite the body.
        Varint.Write(MemoryMarshal.CreateSpan(ref _output.ByteAt(start), needed), (uint)length);
        return needed;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void MoveBody(int start, int from, int to, int length)
    {
        _output.Reserve(0);
        MemoryMarshal.CreateSpan(ref _output.ByteAt(start + from), length)
            .CopyTo(MemoryMarshal.CreateSpan(ref _output.ByteAt(start + to), length));
        _output.Skip(to - from);
    }

    private void WriteUnknown()
    {
        if (_store is { UnknownLength: > 0, UnknownFormat: RecordFormat.Protobuf })
            _output.Write(_store.Unknown);
    }

    /// <summary>Writes a tag, and returns the place behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly ref byte Tag(int number, WireType type)
    {
        if (number <= WireFormat.OneByteNumberMax)
        {
            _output.At = (byte)WireFormat.Tag(number, type);
            return ref Unsafe.Add(ref _output.At, 1);
        }
        if (number <= WireFormat.TwoByteNumberMax)
        {
            Unsafe.WriteUnaligned(ref _output.At, WireFormat.TwoByteTag(number, type));
            return ref Unsafe.Add(ref _output.At, 2);
        }
        return ref LongTag(number, type);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly ref byte LongTag(int number, WireType type)
    {
        Unsafe.WriteUnaligned(ref _output.At, WireFormat.TagWord(WireFormat.Tag(number, type), out int size));
        return ref Unsafe.Add(ref _output.At, size);
    }
}
