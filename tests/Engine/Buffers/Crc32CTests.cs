using Streams.Buffers;
using Xunit;

namespace Streams.Tests.Engine.Buffers;

public sealed class Crc32CTests
{
    // RFC 3720, appendix B.4.
    [Fact]
    public void The_vectors_of_the_specification_hold()
    {
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute([.. Enumerable.Repeat((byte)0xFF, 32)]));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));
    }

    [Fact]
    public void Every_length_and_every_split_equals_the_sum_bit_by_bit()
    {
        byte[] data = new byte[5000];
        new Random(1).NextBytes(data);
        uint expected = Crc32C.Start;
        for (int length = 0; length < data.Length; length++)
        {
            Assert.Equal(Crc32C.Finish(expected), Crc32C.Compute(data.AsSpan(0, length)));
            int split = length * 7 / 11;
            uint first = Crc32C.Append(Crc32C.Start, data.AsSpan(0, split));
            Assert.Equal(expected, Crc32C.Append(first, data.AsSpan(split, length - split)));
            expected = Next(expected, data[length]);
        }
    }

    private static uint Next(uint state, byte value)
    {
        state ^= value;
        for (int bit = 0; bit < 8; bit++)
            state = (state >> 1) ^ ((state & 1) == 0 ? 0 : 0x82F63B78u);
        return state;
    }
}
