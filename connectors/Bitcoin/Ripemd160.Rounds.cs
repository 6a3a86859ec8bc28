using System.Numerics;
using System.Runtime.CompilerServices;

namespace Streams.Connectors.Bitcoin;

// The five rounds of both lines, written out: every word index and every shift is then a constant, the five
// working variables change roles instead of places, and the two lines, which do not depend on each other, run
// side by side.
public static partial class Ripemd160
{
    private static void FirstRound(ref Line left, ref Line right, in Words x)
    {
        (uint a, uint b, uint c, uint d, uint e) = left;
        (uint p, uint q, uint r, uint s, uint t) = right;
        Left1(ref a, b, ref c, d, e, x[0], 11); Right1(ref p, q, ref r, s, t, x[5], 8);
        Left1(ref e, a, ref b, c, d, x[1], 14); Right1(ref t, p, ref q, r, s, x[14], 9);
        Left1(ref d, e, ref a, b, c, x[2], 15); Right1(ref s, t, ref p, q, r, x[7], 9);
        Left1(ref c, d, ref e, a, b, x[3], 12); Right1(ref r, s, ref t, p, q, x[0], 11);
        Left1(ref b, c, ref d, e, a, x[4], 5); Right1(ref q, r, ref s, t, p, x[9], 13);
        Left1(ref a, b, ref c, d, e, x[5], 8); Right1(ref p, q, ref r, s, t, x[2], 15);
        Left1(ref e, a, ref b, c, d, x[6], 7); Right1(ref t, p, ref q, r, s, x[11], 15);
        Left1(ref d, e, ref a, b, c, x[7], 9); Right1(ref s, t, ref p, q, r, x[4], 5);
        Left1(ref c, d, ref e, a, b, x[8], 11); Right1(ref r, s, ref t, p, q, x[13], 7);
        Left1(ref b, c, ref d, e, a, x[9], 13); Right1(ref q, r, ref s, t, p, x[6], 7);
        Left1(ref a, b, ref c, d, e, x[10], 14); Right1(ref p, q, ref r, s, t, x[15], 8);
        Left1(ref e, a, ref b, c, d, x[11], 15); Right1(ref t, p, ref q, r, s, x[8], 11);
        Left1(ref d, e, ref a, b, c, x[12], 6); Right1(ref s, t, ref p, q, r, x[1], 14);
        Left1(ref c, d, ref e, a, b, x[13], 7); Right1(ref r, s, ref t, p, q, x[10], 14);
        Left1(ref b, c, ref d, e, a, x[14], 9); Right1(ref q, r, ref s, t, p, x[3], 12);
        Left1(ref a, b, ref c, d, e, x[15], 8); Right1(ref p, q, ref r, s, t, x[12], 6);
        left = new Line(e, a, b, c, d);
        right = new Line(t, p, q, r, s);
    }

    private static void SecondRound(ref Line left, ref Line right, in Words x)
    {
        (uint a, uint b, uint c, uint d, uint e) = left;
        (uint p, uint q, uint r, uint s, uint t) = right;
        Left2(ref a, b, ref c, d, e, x[7], 7); Right2(ref p, q, ref r, s, t, x[6], 9);
        Left2(ref e, a, ref b, c, d, x[4], 6); Right2(ref t, p, ref q, r, s, x[11], 13);
        Left2(ref d, e, ref a, b, c, x[13], 8); Right2(ref s, t, ref p, q, r, x[3], 15);
        Left2(ref c, d, ref e, a, b, x[1], 13); Right2(ref r, s, ref t, p, q, x[7], 7);
        Left2(ref b, c, ref d, e, a, x[10], 11); Right2(ref q, r, ref s, t, p, x[0], 12);
        Left2(ref a, b, ref c, d, e, x[6], 9); Right2(ref p, q, ref r, s, t, x[13], 8);
        Left2(ref e, a, ref b, c, d, x[15], 7); Right2(ref t, p, ref q, r, s, x[5], 9);
        Left2(ref d, e, ref a, b, c, x[3], 15); Right2(ref s, t, ref p, q, r, x[10], 11);
        Left2(ref c, d, ref e, a, b, x[12], 7); Right2(ref r, s, ref t, p, q, x[14], 7);
        Left2(ref b, c, ref d, e, a, x[0], 12); Right2(ref q, r, ref s, t, p, x[15], 7);
        Left2(ref a, b, ref c, d, e, x[9], 15); Right2(ref p, q, ref r, s, t, x[8], 12);
        Left2(ref e, a, ref b, c, d, x[5], 9); Right2(ref t, p, ref q, r, s, x[12], 7);
        Left2(ref d, e, ref a, b, c, x[2], 11); Right2(ref s, t, ref p, q, r, x[4], 6);
        Left2(ref c, d, ref e, a, b, x[14], 7); Right2(ref r, s, ref t, p, q, x[9], 15);
        Left2(ref b, c, ref d, e, a, x[11], 13); Right2(ref q, r, ref s, t, p, x[1], 13);
        Left2(ref a, b, ref c, d, e, x[8], 12); Right2(ref p, q, ref r, s, t, x[2], 11);
        left = new Line(e, a, b, c, d);
        right = new Line(t, p, q, r, s);
    }

    private static void ThirdRound(ref Line left, ref Line right, in Words x)
    {
        (uint a, uint b, uint c, uint d, uint e) = left;
        (uint p, uint q, uint r, uint s, uint t) = right;
        Left3(ref a, b, ref c, d, e, x[3], 11); Right3(ref p, q, ref r, s, t, x[15], 9);
        Left3(ref e, a, ref b, c, d, x[10], 13); Right3(ref t, p, ref q, r, s, x[5], 7);
        Left3(ref d, e, ref a, b, c, x[14], 6); Right3(ref s, t, ref p, q, r, x[1], 15);
        Left3(ref c, d, ref e, a, b, x[4], 7); Right3(ref r, s, ref t, p, q, x[3], 11);
        Left3(ref b, c, ref d, e, a, x[9], 14); Right3(ref q, r, ref s, t, p, x[7], 8);
        Left3(ref a, b, ref c, d, e, x[15], 9); Right3(ref p, q, ref r, s, t, x[14], 6);
        Left3(ref e, a, ref b, c, d, x[8], 13); Right3(ref t, p, ref q, r, s, x[6], 6);
        Left3(ref d, e, ref a, b, c, x[1], 15); Right3(ref s, t, ref p, q, r, x[9], 14);
        Left3(ref c, d, ref e, a, b, x[2], 14); Right3(ref r, s, ref t, p, q, x[11], 12);
        Left3(ref b, c, ref d, e, a, x[7], 8); Right3(ref q, r, ref s, t, p, x[8], 13);
        Left3(ref a, b, ref c, d, e, x[0], 13); Right3(ref p, q, ref r, s, t, x[12], 5);
        Left3(ref e, a, ref b, c, d, x[6], 6); Right3(ref t, p, ref q, r, s, x[2], 14);
        Left3(ref d, e, ref a, b, c, x[13], 5); Right3(ref s, t, ref p, q, r, x[10], 13);
        Left3(ref c, d, ref e, a, b, x[11], 12); Right3(ref r, s, ref t, p, q, x[0], 13);
        Left3(ref b, c, ref d, e, a, x[5], 7); Right3(ref q, r, ref s, t, p, x[4], 7);
        Left3(ref a, b, ref c, d, e, x[12], 5); Right3(ref p, q, ref r, s, t, x[13], 5);
        left = new Line(e, a, b, c, d);
        right = new Line(t, p, q, r, s);
    }

    private static void FourthRound(ref Line left, ref Line right, in Words x)
    {
        (uint a, uint b, uint c, uint d, uint e) = left;
        (uint p, uint q, uint r, uint s, uint t) = right;
        Left4(ref a, b, ref c, d, e, x[1], 11); Right4(ref p, q, ref r, s, t, x[8], 15);
        Left4(ref e, a, ref b, c, d, x[9], 12); Right4(ref t, p, ref q, r, s, x[6], 5);
        Left4(ref d, e, ref a, b, c, x[11], 14); Right4(ref s, t, ref p, q, r, x[4], 8);
        Left4(ref c, d, ref e, a, b, x[10], 15); Right4(ref r, s, ref t, p, q, x[1], 11);
        Left4(ref b, c, ref d, e, a, x[0], 14); Right4(ref q, r, ref s, t, p, x[3], 14);
        Left4(ref a, b, ref c, d, e, x[8], 15); Right4(ref p, q, ref r, s, t, x[11], 14);
        Left4(ref e, a, ref b, c, d, x[12], 9); Right4(ref t, p, ref q, r, s, x[15], 6);
        Left4(ref d, e, ref a, b, c, x[4], 8); Right4(ref s, t, ref p, q, r, x[0], 14);
        Left4(ref c, d, ref e, a, b, x[13], 9); Right4(ref r, s, ref t, p, q, x[5], 6);
        Left4(ref b, c, ref d, e, a, x[3], 14); Right4(ref q, r, ref s, t, p, x[12], 9);
        Left4(ref a, b, ref c, d, e, x[7], 5); Right4(ref p, q, ref r, s, t, x[2], 12);
        Left4(ref e, a, ref b, c, d, x[15], 6); Right4(ref t, p, ref q, r, s, x[13], 9);
        Left4(ref d, e, ref a, b, c, x[14], 8); Right4(ref s, t, ref p, q, r, x[9], 12);
        Left4(ref c, d, ref e, a, b, x[5], 6); Right4(ref r, s, ref t, p, q, x[7], 5);
        Left4(ref b, c, ref d, e, a, x[6], 5); Right4(ref q, r, ref s, t, p, x[10], 15);
        Left4(ref a, b, ref c, d, e, x[2], 12); Right4(ref p, q, ref r, s, t, x[14], 8);
        left = new Line(e, a, b, c, d);
        right = new Line(t, p, q, r, s);
    }

    private static void FifthRound(ref Line left, ref Line right, in Words x)
    {
        (uint a, uint b, uint c, uint d, uint e) = left;
        (uint p, uint q, uint r, uint s, uint t) = right;
        Left5(ref a, b, ref c, d, e, x[4], 9); Right5(ref p, q, ref r, s, t, x[12], 8);
        Left5(ref e, a, ref b, c, d, x[0], 15); Right5(ref t, p, ref q, r, s, x[15], 5);
        Left5(ref d, e, ref a, b, c, x[5], 5); Right5(ref s, t, ref p, q, r, x[10], 12);
        Left5(ref c, d, ref e, a, b, x[9], 11); Right5(ref r, s, ref t, p, q, x[4], 9);
        Left5(ref b, c, ref d, e, a, x[7], 6); Right5(ref q, r, ref s, t, p, x[1], 12);
        Left5(ref a, b, ref c, d, e, x[12], 8); Right5(ref p, q, ref r, s, t, x[5], 5);
        Left5(ref e, a, ref b, c, d, x[2], 13); Right5(ref t, p, ref q, r, s, x[8], 14);
        Left5(ref d, e, ref a, b, c, x[10], 12); Right5(ref s, t, ref p, q, r, x[7], 6);
        Left5(ref c, d, ref e, a, b, x[14], 5); Right5(ref r, s, ref t, p, q, x[6], 8);
        Left5(ref b, c, ref d, e, a, x[1], 12); Right5(ref q, r, ref s, t, p, x[2], 13);
        Left5(ref a, b, ref c, d, e, x[3], 13); Right5(ref p, q, ref r, s, t, x[13], 6);
        Left5(ref e, a, ref b, c, d, x[8], 14); Right5(ref t, p, ref q, r, s, x[14], 5);
        Left5(ref d, e, ref a, b, c, x[11], 11); Right5(ref s, t, ref p, q, r, x[0], 15);
        Left5(ref c, d, ref e, a, b, x[6], 8); Right5(ref r, s, ref t, p, q, x[3], 13);
        Left5(ref b, c, ref d, e, a, x[15], 5); Right5(ref q, r, ref s, t, p, x[9], 11);
        Left5(ref a, b, ref c, d, e, x[13], 6); Right5(ref p, q, ref r, s, t, x[11], 11);
        left = new Line(e, a, b, c, d);
        right = new Line(t, p, q, r, s);
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Left1(ref uint a, uint b, ref uint c, uint d, uint e, uint word, int shift) =>
        Step(ref a, b ^ c ^ d, ref c, e, word, shift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Left2(ref uint a, uint b, ref uint c, uint d, uint e, uint word, int shift) =>
        Step(ref a, ((c ^ d) & b) ^ d, ref c, e, word + 0x5A827999, shift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Left3(ref uint a, uint b, ref uint c, uint d, uint e, uint word, int shift) =>
        Step(ref a, (b | ~c) ^ d, ref c, e, word + 0x6ED9EBA1, shift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Left4(ref uint a, uint b, ref uint c, uint d, uint e, uint word, int shift) =>
        Step(ref a, ((b ^ c) & d) ^ c, ref c, e, word + 0x8F1BBCDC, shift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Left5(ref uint a, uint b, ref uint c, uint d, uint e, uint word, int shift) =>
        Step(ref a, b ^ (c | ~d), ref c, e, word + 0xA953FD4E, shift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Right1(ref uint a, uint b, ref uint c, uint d, uint e, uint word, int shift) =>
        Step(ref a, b ^ (c | ~d), ref c, e, word + 0x50A28BE6, shift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Right2(ref uint a, uint b, ref uint c, uint d, uint e, uint word, int shift) =>
        Step(ref a, ((b ^ c) & d) ^ c, ref c, e, word + 0x5C4DD124, shift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Right3(ref uint a, uint b, ref uint c, uint d, uint e, uint word, int shift) =>
        Step(ref a, (b | ~c) ^ d, ref c, e, word + 0x6D703EF3, shift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Right4(ref uint a, uint b, ref uint c, uint d, uint e, uint word, int shift) =>
        Step(ref a, ((c ^ d) & b) ^ d, ref c, e, word + 0x7A6D76E9, shift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Right5(ref uint a, uint b, ref uint c, uint d, uint e, uint word, int shift) =>
        Step(ref a, b ^ c ^ d, ref c, e, word, shift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(ref uint a, uint mixed, ref uint c, uint e, uint word, int shift)
    {
        a = BitOperations.RotateLeft(a + mixed + word, shift) + e;
        c = BitOperations.RotateLeft(c, 10);
    }
}
