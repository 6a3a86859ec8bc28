using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text.Unicode;

namespace Streams.Records.Protobuf;

/// <summary>
/// Decodes a record in one pass over its description when the fields come in order of number, as every known
/// encoder writes them, and in as many passes as needed when they do not.
/// </summary>
/// <remarks>
/// Source: Protocol Buffers encoding guide ("Message Structure", "Last One Wins", "Packed Repeated Fields").
/// The encoded bytes are first copied into the record's own memory, where texts stay as views. Invariant: the copy is
/// followed by <see cref="RecordStore.SlackBytes"/> zeros, so a word may be loaded at any position up to the end.
/// A pass that starts at the same tag as the pass before has shown that no field wants it: it is unknown.
/// </remarks>
internal ref struct ProtobufReader : IFieldVisitor, IScalarReader
{
    private readonly ReadOnlySpan<byte> _source;
    private readonly string _serde;
    private readonly int _depthMax;
    private int _itemsLeft;

    private byte[]? _bytes;
    private ref byte _start;
    private int _position;
    private int _end;

    /// <summary>The tag before <see cref="_position"/>; 0, which no field has, at the end of the record.</summary>
    private uint _tag;
    private int _tagStart;

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
        return _tag != 0;
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
        if (_tag == WireFormat.Tag(number, WireFormat.TypeOf(TKind.Kind)))
        {
            value = TKind.Read(ref this);
            NextTag();
        }
        else if (_isFirst)
        {
            value = default;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Optional<T, TKind>(int number, ReadOnlySpan<byte> name, ref T? value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (_tag == WireFormat.Tag(number, WireFormat.TypeOf(TKind.Kind)))
        {
            value = TKind.Read(ref this);
            NextTag();
        }
        else if (_isFirst)
        {
            value = null;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Repeated<T, TKind>(
        int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (_isFirst)
            values.Clear();
        if (WireFormat.NumberOf(_tag) == number)
            RepeatedValues<T, TKind>(number, ref values);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Message<T>(int number, ReadOnlySpan<byte> name, ref Nested<T> value, string doc)
        where T : struct, IDescribed<T>
    {
        if (_tag == WireFormat.Tag(number, WireType.LengthDelimited))
        {
            // A second occurrence is merged into the first.
            bool isNew = _isFirst || !value.IsPresent;
            value.IsPresent = true;
            Inner(ref value.Value, isNew);
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
        while (_tag == WireFormat.Tag(number, WireType.LengthDelimited))
            Inner(ref AddItem(ref values), isNew: true);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Bool() => Varint() != 0;

    /// <summary>Takes the lower half of what is there: an int64 writer's bytes are understood as protoc does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Int32() => (int)Varint();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Int64() => (long)Varint();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint UInt32() => (uint)Varint();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong UInt64() => Varint();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Double()
    {
        Require(sizeof(ulong));
        ulong bits = Word();
        _position += sizeof(ulong);
        return BitConverter.UInt64BitsToDouble(
            BitConverter.IsLittleEndian ? bits : BinaryPrimitives.ReverseEndianness(bits));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TEnum Enum<TEnum>()
        where TEnum : struct, Enum => Unsafe.BitCast<int, TEnum>((int)Varint());

    public Text Text()
    {
        int length = Length();
        int start = _position;
        if (!Utf8.IsValid(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref _start, start), length)))
            Fail("text that is not UTF-8", start);
        _position += length;
        return new Text(_bytes!, start, length);
    }

    public Bytes Bytes()
    {
        int length = Length();
        int start = _position;
        _position += length;
        return new Bytes(_bytes!, start, length);
    }

    /// <summary>No bytes at all are zero, as for any other kind.</summary>
    public Bytes32 Bytes32()
    {
        int start = _position;
        int length = Length();
        if (length == 0)
            return default;
        if (length != Records.Bytes32.Size)
            Fail($"{length} bytes where {Records.Bytes32.Size} are needed", start);
        ref byte bytes = ref Unsafe.Add(ref _start, _position);
        _position += length;
        return Unsafe.ReadUnaligned<Bytes32>(ref bytes);
    }

    public UInt256 UInt256()
    {
        int start = _position;
        int length = Length();
        if (length > Records.UInt256.Size)
            Fail($"{length} bytes where at most {Records.UInt256.Size} fit", start);
        ReadOnlySpan<byte> bytes = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref _start, _position), length);
        _position += length;
        return Records.UInt256.FromBigEndian(bytes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Load(ref RecordMemory memory)
    {
        _bytes = (memory.Store ??= new RecordStore()).Load(_source);
        _start = ref MemoryMarshal.GetArrayDataReference(_bytes);
        _end = _source.Length;
        NextTag();
    }

    /// <summary>Keeps the field at the tag if the pass that just ended did not want it.</summary>
    private void SkipUnknown(ref RecordMemory memory)
    {
        while (_passStart == _tagStart && _tag != 0)
        {
            int start = _tagStart;
            SkipValue(_tag, _depthMax);
            (memory.Store ??= new RecordStore())
                .AddUnknown(new ReadOnlySpan<byte>(_bytes, start, _position - start), RecordFormat.Protobuf);
            NextTag();
        }
        _passStart = _tagStart;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RepeatedValues<T, TKind>(int number, ref RecordList<T> values)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        WireType type = WireFormat.TypeOf(TKind.Kind);
        uint single = WireFormat.Tag(number, type);
        uint packed = WireFormat.Tag(number, WireType.LengthDelimited);
        while (true)
        {
            if (_tag == single)
                AddItem(ref values) = TKind.Read(ref this);
            else if (_tag == packed)
                Packed<T, TKind>(ref values);
            else
                return;
            NextTag();
        }
    }

    private void Packed<T, TKind>(ref RecordList<T> values)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        int outerEnd = _end;
        int length = Length();
        _end = _position + length;
        while (_position < _end)
            AddItem(ref values) = TKind.Read(ref this);
        _end = outerEnd;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref T AddItem<T>(ref RecordList<T> values)
        where T : struct
    {
        if (--_itemsLeft < 0)
            Fail("more list items than the limit", _tagStart);
        return ref values.AddSlot();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Inner<T>(ref T item, bool isNew)
        where T : struct, IDescribed<T>
    {
        int length = Length();
        (int outerEnd, int outerPass, bool outerFirst) = (_end, _passStart, _isFirst);
        _end = _position + length;
        _passStart = -1;
        _isFirst = isNew;
        NextTag();
        do
        {
            item.Describe(ref this);
            _isFirst = false;
        }
        while (_tag != 0);
        (_end, _passStart, _isFirst) = (outerEnd, outerPass, outerFirst);
        NextTag();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void NextTag()
    {
        _tagStart = _position;
        if (_position >= _end)
        {
            _tag = 0;
            return;
        }
        uint first = Unsafe.Add(ref _start, _position);
        if (first is >= 8 and < 0x80)
        {
            _tag = first;
            _position++;
            return;
        }
        NextTagLong();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void NextTagLong()
    {
        ulong tag = Varint();
        if (tag > uint.MaxValue || WireFormat.NumberOf((uint)tag) == 0)
            Fail("a tag without a valid field number", _tagStart);
        _tag = (uint)tag;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Varint()
    {
        int first = Unsafe.Add(ref _start, _position);
        if (first < 0x80 && _position < _end)
        {
            _position++;
            return (uint)first;
        }
        return VarintLong();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong VarintLong()
    {
        if (Bmi2.X64.IsSupported)
        {
            ulong word = Word();
            ulong stops = ~word & 0x8080808080808080;
            if (stops != 0)
            {
                int size = BitOperations.TrailingZeroCount(stops) / 8 + 1;
                Require(size);
                _position += size;
                // Keeps the bits up to and including the byte that stops.
                return Bmi2.X64.ParallelBitExtract(word, (stops ^ (stops - 1)) & 0x7F7F7F7F7F7F7F7F);
            }
        }
        int used = Buffers.Varint.Read(new ReadOnlySpan<byte>(_bytes, _position, _end - _position), out ulong value);
        if (used <= 0)
            Fail(used == 0 ? "a number that is cut off" : "a number over 64 bits", _position);
        _position += used;
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Length()
    {
        int start = _position;
        ulong length = Varint();
        if (length > (uint)(_end - _position))
            Fail("a length that runs past the end", start);
        return (int)length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Require(int count)
    {
        if (_end - _position < count)
            Fail("a number that is cut off", _position);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly ulong Word() => Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref _start, _position));

    private void SkipValue(uint tag, int depthLeft)
    {
        switch (WireFormat.TypeOf(tag))
        {
            case WireType.Varint:
                Varint();
                break;
            case WireType.Fixed64:
                Require(8);
                _position += 8;
                break;
            case WireType.LengthDelimited:
                int length = Length();
                _position += length;
                break;
            case WireType.StartGroup:
                SkipGroup(tag, depthLeft);
                break;
            case WireType.Fixed32:
                Require(4);
                _position += 4;
                break;
            default:
                Fail("a wire type that does not begin a field", _tagStart);
                break;
        }
    }

    private void SkipGroup(uint startTag, int depthLeft)
    {
        if (depthLeft == 0)
            Fail("groups nested deeper than the limit", _tagStart);
        uint endTag = WireFormat.Tag(WireFormat.NumberOf(startTag), WireType.EndGroup);
        while (true)
        {
            NextTag();
            if (_tag == 0)
                Fail("a group without an end", _tagStart);
            if (_tag == endTag)
                return;
            SkipValue(_tag, depthLeft - 1);
        }
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly void Fail(string reason, int offset) => throw new SerializationException(_serde, reason, offset);
}
