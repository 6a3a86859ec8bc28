using System.Text;
using System.Text.Json;
using Streams.Buffers;
using Streams.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class BitcoinAddressTests
{
    private static readonly BitcoinNetwork[] Networks =
    [
        BitcoinNetwork.Mainnet, BitcoinNetwork.Testnet3, BitcoinNetwork.Testnet4, BitcoinNetwork.Signet,
        BitcoinNetwork.Regtest,
    ];

    [Fact]
    public void Every_valid_address_of_Core_gives_its_script_and_every_script_its_address()
    {
        int count = 0;
        foreach (JsonElement row in BitcoinData.Json("core/key_io_valid.json").EnumerateArray())
        {
            JsonElement about = row[2];
            if (about.GetProperty("isPrivkey").GetBoolean())
                continue;
            byte[] text = BitcoinData.Utf8(row[0].GetString());
            byte[] script = BitcoinData.Hex(row[1].GetString());
            BitcoinNetwork network = NetworkOf(about);
            ParseResult<BitcoinTextDefect> result =
                BitcoinAddress.TryDecode(text, network, out BitcoinAddress address);
            Assert.True(result.IsDone, $"{result}: {row[0]}");
            Assert.Equal(script, ScriptOf(address));
            Assert.True(BitcoinAddress.TryFromScript(script, out BitcoinAddress fromScript));
            Assert.Equal(address, fromScript);
            Assert.Equal(row[0].GetString(), fromScript.ToString(network));

            // Witness addresses may be upper case as a whole; letters of Base 58 mean different digits.
            bool mayFlip = about.TryGetProperty("tryCaseFlip", out JsonElement flip) && flip.GetBoolean();
            byte[] flipped = BitcoinData.Utf8(FlipCase(row[0].GetString()!));
            result = BitcoinAddress.TryDecode(flipped, network, out BitcoinAddress same);
            Assert.Equal(mayFlip, result.IsDone);
            if (mayFlip)
                Assert.Equal(address, same);
            count++;
        }
        Assert.Equal(54, count);
    }

    [Fact]
    public void No_invalid_text_of_Core_is_an_address_or_a_private_key_on_any_network()
    {
        int count = 0;
        byte[] key = new byte[32];
        foreach (JsonElement row in BitcoinData.Json("core/key_io_invalid.json").EnumerateArray())
        {
            byte[] text = BitcoinData.Utf8(row[0].GetString());
            foreach (BitcoinNetwork network in Networks)
            {
                Assert.True(BitcoinAddress.TryDecode(text, network, out BitcoinAddress address).IsInvalid);
                Assert.True(address.IsEmpty);
                Assert.True(WalletImportFormat.TryDecode(text, network, key, out _).IsInvalid);
            }
            count++;
        }
        Assert.Equal(70, count);
    }

    [Fact]
    public void Every_private_key_of_Core_is_read_on_its_network_and_is_no_address()
    {
        int count = 0;
        byte[] key = new byte[32];
        foreach (JsonElement row in BitcoinData.Json("core/key_io_valid.json").EnumerateArray())
        {
            JsonElement about = row[2];
            if (!about.GetProperty("isPrivkey").GetBoolean())
                continue;
            byte[] text = BitcoinData.Utf8(row[0].GetString());
            BitcoinNetwork network = NetworkOf(about);
            var result = WalletImportFormat.TryDecode(text, network, key, out bool isCompressed);
            Assert.True(result.IsDone, $"{result}: {row[0]}");
            Assert.Equal(row[1].GetString(), Convert.ToHexStringLower(key));
            Assert.Equal(about.GetProperty("isCompressed").GetBoolean(), isCompressed);
            Assert.True(BitcoinAddress.TryDecode(text, network, out _).IsInvalid);
            BitcoinNetwork other =
                network == BitcoinNetwork.Mainnet ? BitcoinNetwork.Regtest : BitcoinNetwork.Mainnet;
            Assert.Equal(
                BitcoinTextDefect.Network, WalletImportFormat.TryDecode(text, other, key, out _).Defect);
            count++;
        }
        Assert.Equal(16, count);
    }

    // BIP173's own addresses of versions above 0 carry the checksum that BIP350 replaced.
    [Theory]
    [InlineData("bips/bip0173_vectors.json", 3)]
    [InlineData("bips/bip0350_vectors.json", 8)]
    public void The_valid_addresses_of_the_BIPs_give_their_scripts(string file, int expected)
    {
        int valid = 0;
        foreach (JsonElement vector in BitcoinData.Json(file).GetProperty("valid_address").EnumerateArray())
        {
            string text = vector.GetProperty("address").GetString()!;
            byte[] script = BitcoinData.Hex(vector.GetProperty("scriptPubKey").GetString());
            BitcoinNetwork network = NetworkOf(text);
            var result =
                BitcoinAddress.TryDecode(BitcoinData.Utf8(text), network, out BitcoinAddress address);
            bool isReplaced = expected == 3 && script[0] != 0;
            Assert.Equal(
                isReplaced ? BitcoinTextDefect.ChecksumVariant : BitcoinTextDefect.None, result.Defect);
            if (isReplaced)
                continue;
            Assert.Equal(script, ScriptOf(address));
            Assert.True(BitcoinAddress.TryFromScript(script, out BitcoinAddress fromScript));
            Assert.Equal(text.ToLowerInvariant(), fromScript.ToString(network));
            valid++;
        }
        Assert.Equal(expected, valid);
    }

    [Theory]
    [InlineData("bips/bip0173_vectors.json", 10)]
    [InlineData("bips/bip0350_vectors.json", 15)]
    public void The_invalid_addresses_of_the_BIPs_are_refused_for_the_reason_they_give(
        string file, int expected)
    {
        int count = 0;
        foreach (JsonElement vector in BitcoinData.Json(file).GetProperty("invalid_address").EnumerateArray())
        {
            string text = vector.GetProperty("string").GetString()!;
            string reason = vector.GetProperty("reason").GetString()!;
            BitcoinNetwork network = NetworkOf(text);
            var result = BitcoinAddress.TryDecode(BitcoinData.Utf8(text), network, out _);
            BitcoinTextDefect wanted = DefectOf(reason);
            // Where a version above 0 has BIP173's checksum, that is found before what BIP173 meant to show.
            if (expected == 10 && wanted is BitcoinTextDefect.ProgramLength or BitcoinTextDefect.Padding
                && result.Defect == BitcoinTextDefect.ChecksumVariant)
                wanted = BitcoinTextDefect.ChecksumVariant;
            Assert.True(wanted == result.Defect, $"{text}: {reason}, but {result}");
            count++;
        }
        Assert.Equal(expected, count);
    }

    [Fact]
    public void Taproot_outputs_of_BIP341_have_the_addresses_it_gives()
    {
        int count = 0;
        JsonElement vectors = BitcoinData.Json("core/bip341_wallet_vectors.json").GetProperty("scriptPubKey");
        foreach (JsonElement vector in vectors.EnumerateArray())
        {
            JsonElement expected = vector.GetProperty("expected");
            byte[] script = BitcoinData.Hex(expected.GetProperty("scriptPubKey").GetString());
            Assert.True(BitcoinAddress.TryFromScript(script, out BitcoinAddress address));
            Assert.Equal(BitcoinScriptType.Taproot, address.Type);
            Assert.Equal(
                expected.GetProperty("bip350Address").GetString(), address.ToString(BitcoinNetwork.Mainnet));
            count++;
        }
        Assert.Equal(7, count);
    }

    [Fact]
    public void The_tagged_outputs_of_two_mainnet_blocks_have_the_addresses_of_their_tags()
    {
        string[] files = [BitcoinData.Block413567, BitcoinData.Block702861];
        int hits = 0;
        foreach (string file in files)
        {
            BitcoinBlock block = BitcoinData.Read(BitcoinData.Bytes(file), new BitcoinReaderOptions());
            foreach (JsonElement hit in BitcoinData.Json("expected_tag_hits.json").EnumerateArray())
            {
                if (hit.GetProperty("height").GetInt32() != block.Index.Height)
                    continue;
                int position =
                    block.Index.TxIds.IndexOf(BitcoinHashTests.Parse(hit.GetProperty("txid").GetString()!));
                int vout = hit.GetProperty("vout").GetInt32();
                foreach (BitcoinOutput output in block[position].Outputs)
                {
                    if (vout-- != 0)
                        continue;
                    Assert.Equal(hit.GetProperty("valueSat").GetInt64(), output.Satoshi);
                    Assert.True(BitcoinAddress.TryFromScript(output.Script, out BitcoinAddress address));
                    Assert.Equal(
                        hit.GetProperty("address").GetString(), address.ToString(BitcoinNetwork.Mainnet));
                    hits++;
                }
            }
        }
        Assert.Equal(5, hits);
    }

    [Fact]
    public void Every_output_with_an_address_in_two_mainnet_blocks_leads_to_the_address_and_back()
    {
        string[] files = [BitcoinData.Block413567, BitcoinData.Block702861];
        byte[] text = new byte[BitcoinAddress.TextBytesMax];
        int addresses = 0;
        foreach (string file in files)
        {
            foreach (BitcoinTransaction transaction in BitcoinData.Read(BitcoinData.Bytes(file), new()))
            {
                foreach (BitcoinOutput output in transaction.Outputs)
                {
                    if (!BitcoinAddress.TryFromScript(output.Script, out BitcoinAddress address))
                        continue;
                    int length = address.Encode(BitcoinNetwork.Mainnet, text);
                    var result = BitcoinAddress.TryDecode(
                        text.AsSpan(0, length), BitcoinNetwork.Mainnet, out BitcoinAddress decoded);
                    Assert.True(result.IsDone);
                    Assert.Equal(address, decoded);
                    Assert.Equal(output.Script.ToArray(), ScriptOf(decoded));
                    addresses++;
                }
            }
        }
        Assert.True(addresses > 9000, $"{addresses} addresses");
    }

    [Fact]
    public void The_anchor_output_has_an_address_on_every_network()
    {
        Assert.True(BitcoinAddress.TryFromScript(BitcoinData.Hex("51024e73"), out BitcoinAddress anchor));
        Assert.Equal(BitcoinScriptType.Anchor, anchor.Type);
        // Bitcoin Core 28.0, script_standard_tests and the functional test of ephemeral anchors.
        Assert.Equal("bc1pfeessrawgf", anchor.ToString(BitcoinNetwork.Mainnet));
        Assert.Equal("bcrt1pfeesnyr2tx", anchor.ToString(BitcoinNetwork.Regtest));
    }

    [Fact]
    public void A_bare_key_has_an_address_only_where_it_may_stand_for_its_hash()
    {
        const string Key = "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6"
            + "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f";
        byte[] script = BitcoinData.Hex($"41{Key}ac");
        Assert.False(BitcoinAddress.TryFromScript(script, out BitcoinAddress none));
        Assert.True(none.IsEmpty);
        Assert.True(BitcoinAddress.TryFromScript(script, out BitcoinAddress address, keyAsHash: true));
        Assert.Equal("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", address.ToString(BitcoinNetwork.Mainnet));
    }

    [Fact]
    public void An_address_of_another_network_is_called_that()
    {
        string[] mainnet =
        [
            "1BShJZ8A5q53oJJfMJoEF1gfZCWdZqZwwD", "3L1YkZjdeNSqaZcNKZFXQfyokx3zVYm7r6",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1pfeessrawgf",
        ];
        foreach (string text in mainnet)
        {
            Assert.True(
                BitcoinAddress.TryDecode(BitcoinData.Utf8(text), BitcoinNetwork.Mainnet, out _).IsDone);
            var result = BitcoinAddress.TryDecode(BitcoinData.Utf8(text), BitcoinNetwork.Testnet4, out _);
            Assert.Equal(BitcoinTextDefect.Network, result.Defect);
        }
    }

    [Theory]
    [InlineData("1BShJZ8A5q53oJJfMJoEF1gfZCWdZqZww0", BitcoinTextDefect.Character, 33)]
    [InlineData("1BShJZ8A5q53oJJfMJoEF1gfZCWdZqZwwé", BitcoinTextDefect.Character, 33)]
    [InlineData("1BShJZ8A5q53oJJfMJoEF1gfZCWdZqZwwE", BitcoinTextDefect.Checksum, 0)]
    [InlineData("", BitcoinTextDefect.Length, 0)]
    [InlineData("1", BitcoinTextDefect.Length, 1)]
    [InlineData("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3b4", BitcoinTextDefect.Character, 40)]
    [InlineData("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", BitcoinTextDefect.Checksum, 36)]
    [InlineData("bc1qW508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", BitcoinTextDefect.MixedCase, 4)]
    public void A_defect_is_reported_where_it_is(string text, BitcoinTextDefect defect, int offset)
    {
        var result = BitcoinAddress.TryDecode(BitcoinData.Utf8(text), BitcoinNetwork.Mainnet, out _);
        Assert.Equal(ParseResult<BitcoinTextDefect>.Invalid(defect, offset), result);
    }

    [Fact]
    public void Private_keys_outside_the_group_are_refused()
    {
        byte[] key = new byte[32];
        // Zero, the order itself, and the number below it, with their checksums.
        (string Hex, BitcoinTextDefect Defect)[] cases =
        [
            (new string('0', 64), BitcoinTextDefect.KeyRange),
            ("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", BitcoinTextDefect.KeyRange),
            ("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", BitcoinTextDefect.None),
        ];
        foreach ((string hex, BitcoinTextDefect defect) in cases)
        {
            byte[] text = new byte[60];
            int length = Base58Check.Encode([128, .. BitcoinData.Hex(hex)], text);
            var result =
                WalletImportFormat.TryDecode(text.AsSpan(0, length), BitcoinNetwork.Mainnet, key, out _);
            Assert.Equal(defect, result.Defect);
        }
    }

    [Fact]
    public void Arbitrary_text_is_never_an_address_and_never_throws()
    {
        var random = new Random(11);
        byte[] key = new byte[32];
        byte[][] seeds = [.. BitcoinData.Json("core/key_io_valid.json").EnumerateArray()
            .Select(row => BitcoinData.Utf8(row[0].GetString()))];
        for (int i = 0; i < 100_000; i++)
        {
            byte[] text = new byte[random.Next(0, 120)];
            random.NextBytes(text);
            if (i % 2 == 0)
            {
                text = [.. seeds[random.Next(seeds.Length)]];
                text[random.Next(text.Length)] ^= (byte)(1 << random.Next(8));
            }
            BitcoinNetwork network = Networks[i % Networks.Length];
            var result = BitcoinAddress.TryDecode(text, network, out _);
            // Flipping the case of one letter or bit 7 is an error; so is everything else that one bit can
            // do.
            Assert.True(result.IsInvalid, $"{Encoding.Latin1.GetString(text)} on {network}");
            Assert.True(WalletImportFormat.TryDecode(text, network, key, out _).IsInvalid);
        }
    }

    [Fact]
    public void Encoding_and_decoding_allocate_nothing()
    {
        string[] texts =
        [
            "1BShJZ8A5q53oJJfMJoEF1gfZCWdZqZwwD", "3L1YkZjdeNSqaZcNKZFXQfyokx3zVYm7r6",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        ];
        byte[][] inputs = [.. texts.Select(BitcoinData.Utf8)];
        byte[] text = new byte[BitcoinAddress.TextBytesMax];
        byte[] script = new byte[BitcoinAddress.ScriptBytesMax];
        Allocation.AssertNone(() =>
        {
            foreach (byte[] input in inputs)
            {
                BitcoinAddress.TryDecode(input, BitcoinNetwork.Mainnet, out BitcoinAddress address);
                int length = address.WriteScript(script);
                BitcoinAddress.TryFromScript(script.AsSpan(0, length), out address);
                address.Encode(BitcoinNetwork.Mainnet, text);
            }
        });
        Assert.Equal(inputs[^1], text[..inputs[^1].Length]);
    }

    internal static byte[] ScriptOf(BitcoinAddress address)
    {
        byte[] script = new byte[BitcoinAddress.ScriptBytesMax];
        return script[..address.WriteScript(script)];
    }

    private static BitcoinNetwork NetworkOf(JsonElement about) =>
        about.GetProperty("chain").GetString() switch
        {
            "main" => BitcoinNetwork.Mainnet,
            "test" => BitcoinNetwork.Testnet3,
            "signet" => BitcoinNetwork.Signet,
            _ => BitcoinNetwork.Regtest,
        };

    private static BitcoinNetwork NetworkOf(string address) =>
        address.StartsWith("tb", StringComparison.OrdinalIgnoreCase)
            ? BitcoinNetwork.Testnet3
            : BitcoinNetwork.Mainnet;

    private static BitcoinTextDefect DefectOf(string reason) => reason switch
    {
        "Invalid human-readable part" => BitcoinTextDefect.Network,
        "Invalid checksum" => BitcoinTextDefect.Checksum,
        "Invalid witness version" => BitcoinTextDefect.WitnessVersion,
        "Mixed case" => BitcoinTextDefect.MixedCase,
        "Empty data section" => BitcoinTextDefect.Length,
        "Invalid character in checksum" => BitcoinTextDefect.Character,
        _ when reason.Contains("program length", StringComparison.Ordinal) => BitcoinTextDefect.ProgramLength,
        _ when reason.Contains("instead of", StringComparison.Ordinal) => BitcoinTextDefect.ChecksumVariant,
        _ when reason.Contains("adding", StringComparison.Ordinal) => BitcoinTextDefect.Padding,
        _ => BitcoinTextDefect.None,
    };

    private static string FlipCase(string text) =>
        string.Concat(
            text.Select(c => char.IsUpper(c) ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c)));
}
