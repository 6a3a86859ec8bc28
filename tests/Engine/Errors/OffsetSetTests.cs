using Streams.Buffers;
using Streams.Errors;
using Xunit;

namespace Streams.Tests.Engine.Errors;

public sealed class OffsetSetTests
{
    [Fact]
    public void It_holds_what_a_plain_set_holds_and_comes_back_from_its_bytes()
    {
        var random = new Random(3);
        var set = new OffsetSet();
        var plain = new HashSet<long>();
        for (int i = 0; i < 2_000; i++)
        {
            long offset = random.Next(1_000);
            Assert.Equal(plain.Contains(offset), set.Contains(offset));
            Assert.Equal(plain.Add(offset), set.Add(offset));
        }
        using var buffer = new PooledBuffer();
        set.Write(buffer);
        OffsetSet read = OffsetSet.Read(buffer.WrittenSpan);
        for (long offset = 0; offset <= 1_000; offset++)
            Assert.Equal(plain.Contains(offset), read.Contains(offset));
    }

    [Fact]
    public void Neighbours_take_a_few_bytes_however_many_they_are()
    {
        var set = new OffsetSet();
        for (long offset = 1_000_000; offset > 0; offset--)
            set.Add(offset);
        using var buffer = new PooledBuffer();
        set.Write(buffer);
        Assert.True(buffer.Length <= 8, $"{buffer.Length} bytes.");
    }

    [Fact]
    public void Bytes_that_are_cut_off_are_refused() =>
        Assert.Throws<FormatException>(() => OffsetSet.Read([0x80]));
}
