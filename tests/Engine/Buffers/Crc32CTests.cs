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
}
