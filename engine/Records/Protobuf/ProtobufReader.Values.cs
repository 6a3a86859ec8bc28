using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Unicode;
using Streams.Buffers;

namespace Streams.Records.Protobuf;

/// <summary>Reading single values, and stepping over those that nobody asked for.</summary>
internal ref partial struct ProtobufReader
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Bool(int position) => Number(position) != 0;

    /// <summary>
    /// Takes the lower half of what is there: an int64 writer's bytes are understood as protoc does.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Int32(int position) => (int)Number(position);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Int64(int position) => (long)Number(position);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint UInt32(int position) => (uint)Number(position);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong UInt64(int position) => Number(position);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Double(int position)
    {
        Skip(position, sizeof(double));
        return Unsafe.ReadUnaligned<double>(ref Unsafe.Add(ref _start, position));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TEnum Enum<TEnum>(int position)
        where TEnum : struct, Enum => Unsafe.BitCast<int, TEnum>((int)Number(position));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Text Text(int position)
    {
        int length = SkipText(position);
        return new Text(_bytes!, _position - length, length);
    }

    public Bytes Bytes(int position)
    {
        int length = SkipPayload(position);
        return new Bytes(_bytes!, _position - length, length);
    }

    /// <summary>No bytes at all are zero, as for any other kind.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Bytes32 Bytes32(int position)
    {
        int length = SkipPayload(position);
        if (length == Records.Bytes32.Size)
            return Unsafe.ReadUnaligned<Bytes32>(ref Unsafe.Add(ref _start, _position - length));
        if (length != 0)
            FailLength(length, position);
        return default;
    }

    public UInt256 UInt256(int position)
    {
        int length = SkipPayload(position);
        if (length > Records.UInt256.Size)
            Fail($"{length} bytes where at most {Records.UInt256.Size} fit", position);
        return Records.UInt256.FromBigEndian(new ReadOnlySpan<byte>(_bytes, _position - length, length));
    }

    /// <summary>Most texts are, and short: this costs less than a call.</summary>
    /// <remarks>Loads up to 16 bytes from the start, which the slack allows.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsAscii(ref byte start, int length)
    {
        if (length < Vector128<byte>.Count)
        {
            Vector128<byte> isText = Vector128.LessThan(
                Vector128<byte>.Indices, Vector128.Create((byte)length));
            return (Vector128.LoadUnsafe(ref start) & isText).ExtractMostSignificantBits() == 0;
        }
        int last = length - Vector128<byte>.Count;
        Vector128<byte> all = Vector128.LoadUnsafe(ref start, (nuint)last);
        for (int i = 0; i < last; i += Vector128<byte>.Count)
            all |= Vector128.LoadUnsafe(ref start, (nuint)i);
        return all.ExtractMostSignificantBits() == 0;
    }

    /// <summary>Reads a varint.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Number(int position)
    {
        uint first = Unsafe.Add(ref _start, position);
        if (first >= 0x80 || position >= _end)
            return LongNumber(position);
        _position = position + 1;
        return first;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong LongNumber(int position)
    {
        ref byte at = ref Unsafe.Add(ref _start, position);
        ulong word = Unsafe.ReadUnaligned<ulong>(ref at);
        ulong stops = ~word & 0x8080808080808080;
        if (stops != 0)
        {
            Skip(position, (BitOperations.TrailingZeroCount(stops) >> 3) + 1);
            // Keeps the bits up to and including the byte that stops.
            return Varint.Compact(word & (stops ^ (stops - 1)));
        }
        uint ninth = Unsafe.Add(ref at, 8);
        uint tenth = Unsafe.Add(ref at, 9);
        ulong value = Varint.Compact(word) | ((ulong)(ninth & 0x7F) << 56);
        if (ninth < 0x80)
        {
            Skip(position, 9);
            return value;
        }
        Skip(position, 10);
        if (tenth > 1)
            Fail("a number over 64 bits", position);
        return value | ((ulong)tenth << 63);
    }

    /// <summary>Reads a length and steps over as much text.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int SkipText(int position)
    {
        int length = SkipPayload(position);
        int start = _position - length;
        ref byte bytes = ref Unsafe.Add(ref _start, start);
        if (!IsAscii(ref bytes, length) && !Utf8.IsValid(MemoryMarshal.CreateReadOnlySpan(ref bytes, length)))
            Fail("text that is not UTF-8", start);
        return length;
    }

    /// <summary>Reads a length and steps over as many bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int SkipPayload(int position)
    {
        ulong length = Number(position);
        if (length > (uint)(_end - _position))
            Fail("a length that runs past the end", position);
        _position += (int)length;
        return (int)length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Skip(int position, int count)
    {
        int next = position + count;
        if (next > _end)
            Fail("a value that is cut off", position);
        _position = next;
    }

    private void SkipValue(uint tag, int tagStart, int depthLeft)
    {
        switch (WireFormat.TypeOf(tag))
        {
            case WireType.Varint:
                Number(_position);
                break;
            case WireType.Fixed64:
                Skip(_position, sizeof(ulong));
                break;
            case WireType.LengthDelimited:
                SkipPayload(_position);
                break;
            case WireType.StartGroup:
                SkipGroup(tag, tagStart, depthLeft);
                break;
            case WireType.Fixed32:
                Skip(_position, sizeof(uint));
                break;
            default:
                Fail("a wire type that does not begin a field", tagStart);
                break;
        }
    }

    private void SkipGroup(uint startTag, int groupStart, int depthLeft)
    {
        if (depthLeft == 0)
            Fail("groups nested deeper than the limit", groupStart);
        uint endTag = WireFormat.Tag(WireFormat.NumberOf(startTag), WireType.EndGroup);
        while (true)
        {
            int start = _position;
            if (start >= _end)
                Fail("a group without an end", groupStart);
            uint tag = ReadTag();
            if (tag == endTag)
                return;
            SkipValue(tag, start, depthLeft - 1);
        }
    }

    [DoesNotReturn]
    private readonly void FailLength(int length, int offset) =>
        Fail($"{length} bytes where {Records.Bytes32.Size} are needed", offset);
}
