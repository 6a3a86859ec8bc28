using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Streams.Connectors.Bitcoin;

/// <summary>RIPEMD-160, the outer half of the hash that addresses carry. Allocates nothing.</summary>
/// <remarks>
/// The framework has none. Source: Dobbertin, Bosselaers and Preneel, "RIPEMD-160: A Strengthened Version of
/// RIPEMD" (1996), appendix A; the test vectors are the authors' own.
/// </remarks>
public static partial class Ripemd160
{
    /// <summary>Bytes of a hash.</summary>
    public const int HashBytes = 20;

    private const int BlockBytes = 64;
    private const int BlockWords = BlockBytes / sizeof(uint);
    private const int LengthBytes = sizeof(ulong);
    private const byte PaddingStart = 0x80;

    /// <summary>Writes the hash of <paramref name="source"/>, 20 bytes.</summary>
    public static void Hash(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var state = new Line(0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0);
        ReadOnlySpan<byte> rest = source;
        for (; rest.Length >= BlockBytes; rest = rest[BlockBytes..])
            Compress(ref state, rest);

        // The end: the bytes that are left, one bit, zeros, and the length in bits; one block or two.
        Span<byte> padded = stackalloc byte[2 * BlockBytes];
        padded.Clear();
        rest.CopyTo(padded);
        padded[rest.Length] = PaddingStart;
        int end = rest.Length < BlockBytes - LengthBytes ? BlockBytes : 2 * BlockBytes;
        BinaryPrimitives.WriteUInt64LittleEndian(padded[(end - LengthBytes)..], (ulong)source.Length * 8);
        for (int at = 0; at < end; at += BlockBytes)
            Compress(ref state, padded[at..]);
        state.WriteTo(destination);
    }

    private static void Compress(ref Line state, ReadOnlySpan<byte> block)
    {
        Words words = default;
        for (int i = 0; i < BlockWords; i++)
            words[i] = BinaryPrimitives.ReadUInt32LittleEndian(block[(i * sizeof(uint))..]);
        Line left = state;
        Line right = state;
        FirstRound(ref left, ref right, words);
        SecondRound(ref left, ref right, words);
        ThirdRound(ref left, ref right, words);
        FourthRound(ref left, ref right, words);
        FifthRound(ref left, ref right, words);
        state = new Line(
            state.B + left.C + right.D,
            state.C + left.D + right.E,
            state.D + left.E + right.A,
            state.E + left.A + right.B,
            state.A + left.B + right.C);
    }

    // The five words of the state, and of either line's working variables.
    private readonly struct Line(uint a, uint b, uint c, uint d, uint e)
    {
        public readonly uint A = a;
        public readonly uint B = b;
        public readonly uint C = c;
        public readonly uint D = d;
        public readonly uint E = e;

        public void Deconstruct(out uint a, out uint b, out uint c, out uint d, out uint e) =>
            (a, b, c, d, e) = (A, B, C, D, E);

        public void WriteTo(Span<byte> destination)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(destination, A);
            BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], B);
            BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], C);
            BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], D);
            BinaryPrimitives.WriteUInt32LittleEndian(destination[16..], E);
        }
    }

    [InlineArray(BlockWords)]
    private struct Words
    {
        private uint _first;
    }
}
