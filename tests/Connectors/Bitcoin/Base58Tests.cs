using System.Numerics;
using System.Text;
using System.Text.Json;
using Streams.Connectors.Bitcoin;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class Base58Tests
{
    private const string Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

    [Fact]
    public void Every_vector_of_Core_is_encoded_and_decoded()
    {
        int count = 0;
        byte[] text = new byte[Base58.TextBytesMax];
        byte[] bytes = new byte[Base58.BytesMax];
        foreach (JsonElement row in BitcoinData.Json("core/base58_encode_decode.json").EnumerateArray())
        {
            byte[] source = BitcoinData.Hex(row[0].GetString());
            byte[] expected = BitcoinData.Utf8(row[1].GetString());
            Assert.Equal(expected, text[..Base58.Encode(source, text)]);
            Assert.True(Base58.TryDecode(expected, bytes, out int length).IsDone);
            Assert.Equal(source, bytes[..length]);
            count++;
        }
        Assert.Equal(14, count);
    }

    [Fact]
    public void Any_bytes_are_encoded_as_plain_long_division_would()
    {
        var random = new Random(3);
        byte[] text = new byte[Base58.TextBytesMax];
        byte[] back = new byte[Base58.BytesMax];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] source = new byte[random.Next(0, i % 100 == 0 ? Base58.BytesMax + 1 : 48)];
            random.NextBytes(source.AsSpan(random.Next(0, Math.Min(8, source.Length + 1))));
            int length = Base58.Encode(source, text);
            Assert.Equal(Divide(source), Encoding.ASCII.GetString(text, 0, length));
            Assert.True(Base58.TryDecode(text.AsSpan(0, length), back, out int bytes).IsDone);
            Assert.Equal(source, back[..bytes]);
        }
    }

    [Fact]
    public void Extremes_fit_the_room_that_is_promised()
    {
        byte[] text = new byte[Base58.TextBytesMax];
        byte[] bytes = new byte[Base58.BytesMax];
        byte[] ones = new byte[Base58.BytesMax];
        ones.AsSpan().Fill(0xFF);
        int length = Base58.Encode(ones, text);
        Assert.True(Base58.TryDecode(text.AsSpan(0, length), bytes, out int count).IsDone);
        Assert.Equal(ones, bytes[..count]);
        Assert.Throws<ArgumentOutOfRangeException>(() => Base58.Encode(new byte[Base58.BytesMax + 1], text));
    }

    [Theory]
    [InlineData("0", BitcoinTextDefect.Character)]
    [InlineData("O", BitcoinTextDefect.Character)]
    [InlineData("I", BitcoinTextDefect.Character)]
    [InlineData("l", BitcoinTextDefect.Character)]
    [InlineData(" 2g", BitcoinTextDefect.Character)]
    [InlineData("2g\u00e9", BitcoinTextDefect.Character)]
    [InlineData("111111", BitcoinTextDefect.Length)]
    [InlineData("zzzzzzzz", BitcoinTextDefect.Length)]
    public void Other_characters_and_more_bytes_than_there_is_room_for_are_refused(
        string text, BitcoinTextDefect defect) =>
        Assert.Equal(defect, Base58.TryDecode(BitcoinData.Utf8(text), new byte[5], out _).Defect);

    [Fact]
    public void Text_longer_than_the_limit_is_refused_before_it_is_worked_on() =>
        Assert.Equal(
            BitcoinTextDefect.Length,
            Base58.TryDecode(new byte[Base58.TextBytesMax + 1], new byte[Base58.BytesMax], out _).Defect);

    private static string Divide(byte[] source)
    {
        var number = new BigInteger(source, isUnsigned: true, isBigEndian: true);
        var digits = new StringBuilder();
        for (; number > 0; number /= 58)
            digits.Insert(0, Alphabet[(int)(number % 58)]);
        int zeros = source.TakeWhile(b => b == 0).Count();
        return new string('1', zeros) + digits;
    }
}
