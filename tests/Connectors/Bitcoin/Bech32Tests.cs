using System.Text;
using System.Text.Json;
using Streams.Connectors.Bitcoin;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class Bech32Tests
{
    [Theory]
    [InlineData("bips/bip0173_vectors.json", Bech32Variant.Bech32)]
    [InlineData("bips/bip0350_vectors.json", Bech32Variant.Bech32m)]
    public void Valid_texts_of_the_BIPs_are_read_and_written_again(string file, Bech32Variant expected)
    {
        int count = 0;
        byte[] values = new byte[Bech32.ValuesMax];
        byte[] written = new byte[Bech32.TextBytesMax];
        foreach (JsonElement vector in BitcoinData.Json(file).GetProperty("valid_checksum").EnumerateArray())
        {
            byte[] text = BitcoinData.Utf8(vector.GetString());
            var result =
                Bech32.TryDecode(text, values, out int prefixBytes, out int valueCount, out var variant);
            Assert.True(result.IsDone, $"{result}: {vector}");
            Assert.Equal(expected, variant);
            string lower = vector.GetString()!.ToLowerInvariant();
            int length = Bech32.Encode(lower[..prefixBytes], values.AsSpan(0, valueCount), variant, written);
            Assert.Equal(lower, Encoding.ASCII.GetString(written, 0, length));
            count++;
        }
        Assert.Equal(7, count);
    }

    [Theory]
    [InlineData("bips/bip0173_vectors.json", 12)]
    [InlineData("bips/bip0350_vectors.json", 14)]
    public void Invalid_texts_of_the_BIPs_are_refused_for_the_reason_they_give(string file, int expected)
    {
        int count = 0;
        foreach (
            JsonElement vector in BitcoinData.Json(file).GetProperty("invalid_checksum").EnumerateArray())
        {
            // The vectors write a byte above 127 as one character.
            byte[] text = Encoding.Latin1.GetBytes(vector.GetProperty("string").GetString()!);
            string reason = vector.GetProperty("reason").GetString()!;
            var result = Bech32.TryDecode(text, new byte[Bech32.ValuesMax], out _, out _, out _);
            Assert.True(DefectOf(reason) == result.Defect, $"{vector}: {result}");
            count++;
        }
        Assert.Equal(expected, count);
    }

    [Fact]
    public void Bytes_become_five_bit_values_and_come_back()
    {
        var random = new Random(5);
        for (int i = 0; i < 5_000; i++)
        {
            byte[] bytes = new byte[random.Next(0, 41)];
            random.NextBytes(bytes);
            byte[] values = new byte[Bech32.ValuesMax];
            int count = Bech32.ToValues(bytes, values);
            Assert.Equal(((bytes.Length * 8) + 4) / 5, count);
            byte[] back = new byte[Bech32.ValuesMax];
            Assert.True(Bech32.TryToBytes(values.AsSpan(0, count), back, out int length));
            Assert.Equal(bytes, back[..length]);
        }
    }

    // BIP173: any error of up to four characters is found.
    [Fact]
    public void Up_to_four_wrong_characters_are_always_detected()
    {
        const string Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
        byte[] text = BitcoinData.Utf8("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
        byte[] values = new byte[Bech32.ValuesMax];
        var random = new Random(6);
        for (int i = 0; i < 50_000; i++)
        {
            byte[] wrong = [.. text];
            for (int errors = random.Next(1, 5); errors > 0; errors--)
                wrong[random.Next(3, wrong.Length)] = (byte)Alphabet[random.Next(32)];
            bool isSame = wrong.AsSpan().SequenceEqual(text);
            Assert.Equal(isSame, Bech32.TryDecode(wrong, values, out _, out _, out var variant).IsDone
                && variant == Bech32Variant.Bech32);
        }
    }

    private static BitcoinTextDefect DefectOf(string reason) => reason switch
    {
        "HRP character out of range" => BitcoinTextDefect.Character,
        "overall max length exceeded" => BitcoinTextDefect.Length,
        "No separator character" => BitcoinTextDefect.Prefix,
        "Empty HRP" or "empty HRP" => BitcoinTextDefect.Prefix,
        "Invalid data character" => BitcoinTextDefect.Character,
        "Too short checksum" => BitcoinTextDefect.Length,
        "Invalid character in checksum" => BitcoinTextDefect.Character,
        "checksum calculated with uppercase form of HRP" => BitcoinTextDefect.Checksum,
        _ => BitcoinTextDefect.None,
    };
}
