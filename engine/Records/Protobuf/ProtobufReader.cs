using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.Records.Protobuf;

/// <summary>
/// Decodes a record in one pass over its description when the fields come in order of number, as every known
/// encoder writes them, and in as many passes as needed when they do not.
/// </summary>
/// <remarks>
/// Source: Protocol Buffers encoding guide ("Message Structure", "Last One Wins", "Packed Repeated Fields").
/// The encoded bytes are first copied into the record's own memory, where texts stay as views. Invariant: the
/// copy is followed by <see cref="SlackBytes"/> zeros, so a word may be loaded at any position up to the end.
/// A pass that starts at the same tag as the pass before has shown that no field wants it: it is unknown.
/// </remarks>
internal ref partial struct ProtobufReader : IFieldVisitor, IScalarReader
{
    /// <summary>One vector, the most that is loaded at once.</summary>
    private const int SlackBytes = 16;

    private readonly ReadOnlySpan<byte> _source;
    private readonly string _serde;
    private readonly int _depthMax;
    private int _itemsLeft;

    private byte[]? _bytes;
    private ref byte _start;
    private int _position;
    private int _end;

    /// <summary>Whether this is the first pass, in which a field without bytes is reset.</summary>
    private bool _isFirst;
    private int _passStart;

    public ProtobufReader(ReadOnlySpan<byte> source, string serde, RecordLimits limits)
    {
        _source = source;
        _serde = serde;
        _depthMax = limits.DepthMax;
        _itemsLeft = limits.ItemsMax;
        _isFirst = true;
        _passStart = -1;
    }

    /// <summary>Whether fields are left after a pass over the outermost record.</summary>
    public bool NeedsAnotherPass()
    {
        _isFirst = false;
        return _position < _end;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Memory(ref RecordMemory memory)
    {
        if (_bytes is null)
            Load(ref memory);
        else if (_isFirst)
            memory.Clear();
        else
            SkipUnknown(ref memory);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Scalar<T, TKind>(int number, ReadOnlySpan<byte> name, ref T value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (IsNext(number, WireFormat.TypeOf(TKind.Kind), out int position))
            value = TKind.Read(ref this, position);
        else if (_isFirst)
            value = default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Optional<T, TKind>(int number, ReadOnlySpan<byte> name, ref T? value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (IsNext(number, WireFormat.TypeOf(TKind.Kind), out int position))
            value = TKind.Read(ref this, position);
        else if (_isFirst)
            value = null;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Repeated<T, TKind>(
        int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (_isFirst)
            values.Clear();
        const WireType Packed = WireType.LengthDelimited;
        WireType type = WireFormat.TypeOf(TKind.Kind);
        while (true)
        {
            if (IsNext(number, type, out int position))
                AddItem(ref values) = TKind.Read(ref this, position);
            else if (type != WireType.LengthDelimited && IsNext(number, Packed, out position))
                ReadPacked<T, TKind>(ref values, position);
            else
                return;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Message<T>(int number, ReadOnlySpan<byte> name, ref Nested<T> value, string doc)
        where T : struct, IDescribed<T>
    {
        if (IsNext(number, WireType.LengthDelimited, out int position))
        {
            // A second occurrence is merged into the first.
            bool isNew = _isFirst || !value.IsPresent;
            value.IsPresent = true;
            Inner(ref value.Value, isNew, position);
        }
        else if (_isFirst)
        {
            value.IsPresent = false;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Messages<T>(int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string doc)
        where T : struct, IDescribed<T>
    {
        if (_isFirst)
            values.Clear();
        while (IsNext(number, WireType.LengthDelimited, out int position))
            Inner(ref AddItem(ref values), isNew: true, position);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Retired(int number, ReadOnlySpan<byte> name)
    {
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Load(ref RecordMemory memory)
    {
        _bytes = (memory.Store ??= new RecordStore()).Load(_source, SlackBytes);
        _start = ref MemoryMarshal.GetArrayDataReference(_bytes);
        _end = _source.Length;
    }

    /// <summary>Whether the next field is a given one.</summary>
    /// <remarks>Compares bytes first: behind the end of an inner record stand those of the outer one, and
    /// behind that zeros, which no tag consists of. A tag that the end cuts in two is noticed by whoever
    /// reads its value.</remarks>
    /// <param name="number">The field's number.</param>
    /// <param name="type">The wire type in question.</param>
    /// <param name="position">Behind the field's tag.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly bool IsNext(int number, WireType type, out int position)
    {
        position = _position;
        if (number <= WireFormat.OneByteNumberMax)
        {
            if (Unsafe.Add(ref _start, position) != (byte)WireFormat.Tag(number, type) || position >= _end)
                return false;
            position++;
            return true;
        }
        if (number <= WireFormat.TwoByteNumberMax)
        {
            ushort tag = WireFormat.TwoByteTag(number, type);
            if (Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref _start, position)) != tag || position >= _end)
                return false;
            position += 2;
            return true;
        }
        return IsNextLong(number, type, out position);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly bool IsNextLong(int number, WireType type, out int position)
    {
        ulong tag = WireFormat.TagWord(WireFormat.Tag(number, type), out int size);
        ulong word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref _start, _position));
        position = _position + size;
        return (word & (ulong.MaxValue >> (64 - 8 * size))) == tag && _position < _end;
    }

    /// <summary>Keeps the next field as unknown if the pass that just ended took none.</summary>
    private void SkipUnknown(ref RecordMemory memory)
    {
        if (_passStart == _position)
        {
            int start = _position;
            uint tag = ReadTag();
            if (!WriteShortest(tag, start))
            {
                SkipValue(tag, start, _depthMax);
                (memory.Store ??= new RecordStore())
                    .AddUnknown(
                        new ReadOnlySpan<byte>(_bytes, start, _position - start), RecordFormat.Protobuf);
            }
        }
        _passStart = _position;
    }

    /// <summary>
    /// Brings a tag that was written with more bytes than needed into the form that fields look for.
    /// </summary>
    /// <returns>Whether it was such a tag; it is then the next one again.</returns>
    private bool WriteShortest(uint tag, int start)
    {
        ulong word = WireFormat.TagWord(tag, out int size);
        if (_position - start == size)
            return false;
        _position -= size;
        for (int i = 0; i < size; i++)
            _bytes![_position + i] = (byte)(word >> (8 * i));
        return true;
    }

    private uint ReadTag()
    {
        int start = _position;
        ulong tag = Number(start);
        if (tag > uint.MaxValue || WireFormat.NumberOf((uint)tag) == 0)
            Fail("a tag without a valid field number", start);
        return (uint)tag;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReadPacked<T, TKind>(ref RecordList<T> values, int position)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        int length = SkipPayload(position);
        int outerEnd = _end;
        _end = _position;
        _position -= length;
        while (_position < _end)
            AddItem(ref values) = TKind.Read(ref this, _position);
        _end = outerEnd;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref T AddItem<T>(ref RecordList<T> values)
        where T : struct
    {
        if (--_itemsLeft < 0)
            Fail("more list items than the limit", _position);
        return ref values.AddSlot();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Inner<T>(ref T item, bool isNew, int position)
        where T : struct, IDescribed<T>
    {
        int length = SkipPayload(position);
        (int outerEnd, int outerPass, bool outerFirst) = (_end, _passStart, _isFirst);
        _end = _position;
        _position -= length;
        _passStart = -1;
        _isFirst = isNew;
        do
        {
            item.Describe(ref this);
            _isFirst = false;
        }
        while (_position < _end);
        (_end, _passStart, _isFirst) = (outerEnd, outerPass, outerFirst);
    }

    [DoesNotReturn]
    private readonly void Fail(string reason, int offset) =>
        throw new SerializationException(_serde, reason, offset);
}
