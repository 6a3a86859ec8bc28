using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streams.Buffers;

namespace Streams.Records.Json;

/// <summary>Encodes a record as a JSON object, fields in order of number.</summary>
/// <remarks>
/// Left out is only what is absent: an optional value, a record inside that is not there. A field that always
/// has a value is written with it, zero and empty too, so that whoever reads lines finds every field.
/// Source: RFC 8259. Every field begins with a comma; when an object ends, the first of them becomes its
/// brace. That spares each field the question whether it is the first.
/// </remarks>
internal ref struct JsonWriter : IFieldVisitor
{
    private RecordOutput _output;
    private RecordStore? _store;
    private bool _isFinite;

    public JsonWriter(PooledBuffer buffer)
    {
        _output = new RecordOutput(buffer);
        _isFinite = true;
    }

    /// <summary>Ends the record and hands the bytes to the buffer.</summary>
    /// <returns>Whether every number in it was finite.</returns>
    public bool Finish()
    {
        EndObject(0);
        _output.Finish();
        return _isFinite;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Memory(ref RecordMemory memory) => _store = memory.Store;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Scalar<T, TKind>(int number, ReadOnlySpan<byte> name, ref T value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T> => Field<T, TKind>(name, in value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Optional<T, TKind>(int number, ReadOnlySpan<byte> name, ref T? value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (value.HasValue)
            Field<T, TKind>(name, in Nullable.GetValueRefOrDefaultRef(in value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Repeated<T, TKind>(
        int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T> => Values<T, TKind>(name, values.Items);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Message<T>(int number, ReadOnlySpan<byte> name, ref Nested<T> value, string doc)
        where T : struct, IDescribed<T>
    {
        if (!value.IsPresent)
            return;
        _output.Reserve(0);
        _output.At = ref Name(name);
        Inner(ref value.Value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Messages<T>(int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string doc)
        where T : struct, IDescribed<T>
    {
        _output.Reserve(0);
        _output.At = ref Name(name);
        int start = _output.Position;
        foreach (ref T item in values.Items)
        {
            Byte((byte)',');
            Inner(ref item);
        }
        End(start, (byte)'[', (byte)']');
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Retired(int number, ReadOnlySpan<byte> name)
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Field<T, TKind>(scoped ReadOnlySpan<byte> name, in T value)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        _output.Reserve(JsonValueWriter.BytesMax(TKind.PayloadBytes(value)));
        var writer = new JsonValueWriter(ref Name(name));
        TKind.Write(ref writer, value);
        _output.At = ref writer.At;
        if (TKind.Kind == FieldKind.Double)
            _isFinite &= writer.IsFinite;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Values<T, TKind>(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<T> values)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        _output.Reserve(0);
        _output.At = ref Name(name);
        int start = _output.Position;
        foreach (ref readonly T value in values)
        {
            _output.Reserve(JsonValueWriter.BytesMax(TKind.PayloadBytes(value)));
            Byte((byte)',');
            var writer = new JsonValueWriter(ref _output.At);
            TKind.Write(ref writer, value);
            _output.At = ref writer.At;
            if (TKind.Kind == FieldKind.Double)
                _isFinite &= writer.IsFinite;
        }
        End(start, (byte)'[', (byte)']');
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Inner<T>(ref T item)
        where T : struct, IDescribed<T>
    {
        int start = _output.Position;
        RecordStore? outer = _store;
        item.Describe(ref this);
        EndObject(start);
        _store = outer;
    }

    private void EndObject(int start)
    {
        if (_store is { UnknownLength: > 0, UnknownFormat: RecordFormat.Json })
            _output.Write(_store.Unknown);
        End(start, (byte)'{', (byte)'}');
    }

    /// <summary>Makes the first comma the opening bracket, where there is one, and closes.</summary>
    private void End(int start, byte open, byte close)
    {
        if (_output.Position == start)
            Byte(open);
        else
            _output.ByteAt(start) = open;
        Byte(close);
    }

    /// <summary>Writes a comma, the name in quotes and a colon, and returns the place behind.</summary>
    /// <remarks>Names are constants, so that the copy is a few stores once it is inlined.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly ref byte Name(scoped ReadOnlySpan<byte> name)
    {
        ref byte at = ref _output.At;
        at = (byte)',';
        Unsafe.Add(ref at, 1) = (byte)'"';
        Unsafe.CopyBlockUnaligned(
            ref Unsafe.Add(ref at, 2), ref MemoryMarshal.GetReference(name), (uint)name.Length);
        Unsafe.Add(ref at, 2 + name.Length) = (byte)'"';
        Unsafe.Add(ref at, 3 + name.Length) = (byte)':';
        return ref Unsafe.Add(ref at, 4 + name.Length);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Byte(byte value)
    {
        _output.Reserve(0);
        _output.At = value;
        _output.Skip(1);
    }
}
