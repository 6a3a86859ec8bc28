using System.Security.Cryptography;
using Streams.Buffers;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Buffers;

public sealed class Sha256Tests
{
    [Fact]
    public void Every_length_and_every_split_equals_the_framework()
    {
        byte[] data = new byte[300];
        new Random(1).NextBytes(data);
        Span<byte> actual = stackalloc byte[32];
        for (int length = 0; length <= data.Length; length++)
        {
            byte[] expected = SHA256.HashData(data.AsSpan(0, length));
            for (int split = 0; split <= length; split += 37)
            {
                Sha256.Hash(data.AsSpan(0, split), data.AsSpan(split, length - split), default, actual);
                Assert.True(actual.SequenceEqual(expected));
            }
        }
    }

    [Fact]
    public void Large_input_equals_the_framework()
    {
        byte[] data = new byte[1_000_003];
        new Random(2).NextBytes(data);
        Span<byte> actual = stackalloc byte[32];
        Sha256.Hash(data, actual);
        Assert.True(actual.SequenceEqual(SHA256.HashData(data)));
    }

    [Fact]
    public void Hash_twice_is_the_hash_of_the_hash()
    {
        Span<byte> actual = stackalloc byte[32];
        Sha256.HashTwice("hello"u8, actual);
        Assert.True(actual.SequenceEqual(SHA256.HashData(SHA256.HashData("hello"u8))));
    }

    [Fact]
    public void Hashing_allocates_nothing()
    {
        byte[] data = new byte[400];
        byte[] hash = new byte[32];
        Allocation.AssertNone(() => Sha256.HashTwice(data, hash));
    }
}
