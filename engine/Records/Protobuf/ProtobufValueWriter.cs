using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streams.Buffers;

namespace Streams.Records.Protobuf;

/// <summary>Writes single values, each in the form of its wire type, behind one another.</summary>
/// <remarks>
/// Source: Protocol Buffers encoding guide. It is a local variable of the method that writes a field, so that
/// its place stays in a register. Invariant: the caller has made room for the value and for
/// <see cref="RecordOutput.SlackBytes"/>, into which whole words may be stored.
/// </remarks>
internal ref struct ProtobufValueWriter : IScalarWriter
{
    /// <summary>Where the next byte goes.</summary>
    public ref byte At;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ProtobufValueWriter(ref byte at) => At = ref at;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Bool(bool value)
    {
        At = value ? (byte)1 : (byte)0;
        At = ref Unsafe.Add(ref At, 1);
    }

    /// <summary>
    /// Negative numbers take ten bytes, sign-extended, so that int64 readers understand them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Int32(int value) => Number((ulong)value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Int64(long value) => Number((ulong)value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void UInt32(uint value) => Number(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void UInt64(ulong value) => Number(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Double(double value)
    {
        Unsafe.WriteUnaligned(ref At, value);
        At = ref Unsafe.Add(ref At, sizeof(double));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enum<TEnum>(TEnum value)
        where TEnum : struct, Enum => Int32(Unsafe.BitCast<TEnum, int>(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Text(Text value) => At = ref LengthDelimited(ref At, value.Span);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Bytes(Bytes value) => At = ref LengthDelimited(ref At, value.Span);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Bytes32(in Bytes32 value)
    {
        At = Records.Bytes32.Size;
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref At, 1), value);
        At = ref Unsafe.Add(ref At, 1 + Records.Bytes32.Size);
    }

    /// <summary>The shortest big-endian form; none at all for zero.</summary>
    public void UInt256(in UInt256 value)
    {
        int length = value.BigEndianLength;
        At = (byte)length;
        value.WriteBigEndian(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref At, 1), Records.UInt256.Size));
        if (length < Records.UInt256.Size)
        {
            Span<byte> all = MemoryMarshal.CreateSpan(ref Unsafe.Add(ref At, 1), Records.UInt256.Size);
            all[^length..].CopyTo(all);
        }
        At = ref Unsafe.Add(ref At, 1 + length);
    }

    /// <summary>Writes a varint.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Number(ulong value)
    {
        if (value < 0x80)
        {
            At = (byte)value;
            At = ref Unsafe.Add(ref At, 1);
        }
        else
        {
            At = ref LongNumber(ref At, value);
        }
    }

    /// <summary>
    /// Writes the whole of the eight bytes that seven-bit groups fill, and steps over those that count.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ref byte LongNumber(ref byte at, ulong value)
    {
        const ulong Continuations = 0x8080808080808080;
        ulong groups = Varint.Spread(value);
        if (value < 1UL << 56)
        {
            int size = Varint.Size(value);
            Unsafe.WriteUnaligned(ref at, groups | (Continuations & ((1UL << (8 * (size - 1))) - 1)));
            return ref Unsafe.Add(ref at, size);
        }
        Unsafe.WriteUnaligned(ref at, groups | Continuations);
        uint rest = (uint)(value >> 56);
        Unsafe.Add(ref at, 8) = (byte)rest;
        if (rest < 0x80)
            return ref Unsafe.Add(ref at, 9);
        Unsafe.Add(ref at, 9) = (byte)(rest >> 7);
        return ref Unsafe.Add(ref at, 10);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ref byte LengthDelimited(ref byte at, ReadOnlySpan<byte> bytes)
    {
        var length = new ProtobufValueWriter(ref at);
        length.Number((uint)bytes.Length);
        bytes.CopyTo(MemoryMarshal.CreateSpan(ref length.At, bytes.Length));
        return ref Unsafe.Add(ref length.At, bytes.Length);
    }
}
