using System.Text;
using Streams.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class BitcoinScriptTests
{
    private const string Key = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5";
    private const string FullKey =
        "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        + "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";

    private const string Hash = "751e76e8199196d454941c45d1b3a323f1433bd6";
    private const string LongHash = "1863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262";

    // The cases of Bitcoin Core's script_standard_tests, solver success and failure.
    [Theory]
    [InlineData("21" + Key + "ac", BitcoinScriptType.PublicKey)]
    [InlineData("41" + FullKey + "ac", BitcoinScriptType.PublicKey)]
    [InlineData("76a914" + Hash + "88ac", BitcoinScriptType.PublicKeyHash)]
    [InlineData("a914" + Hash + "87", BitcoinScriptType.ScriptHash)]
    [InlineData("0014" + Hash, BitcoinScriptType.WitnessPublicKeyHash)]
    [InlineData("0020" + LongHash, BitcoinScriptType.WitnessScriptHash)]
    [InlineData("5120" + LongHash, BitcoinScriptType.Taproot)]
    [InlineData("51024e73", BitcoinScriptType.Anchor)]
    [InlineData("51024e74", BitcoinScriptType.WitnessUnknown)]
    [InlineData("5114" + Hash, BitcoinScriptType.WitnessUnknown)]
    [InlineData("5220" + LongHash, BitcoinScriptType.WitnessUnknown)]
    [InlineData("6002751e", BitcoinScriptType.WitnessUnknown)]
    [InlineData("6a", BitcoinScriptType.NullData)]
    [InlineData("6a0400010203", BitcoinScriptType.NullData)]
    [InlineData("6a4c4c00", BitcoinScriptType.NonStandard)]
    [InlineData("6a0109010e", BitcoinScriptType.NullData)]
    [InlineData("6a5152", BitcoinScriptType.NullData)]
    [InlineData("6a60", BitcoinScriptType.NullData)]
    [InlineData("6a61", BitcoinScriptType.NonStandard)]
    [InlineData("6a0400010203ac", BitcoinScriptType.NonStandard)]
    [InlineData("", BitcoinScriptType.NonStandard)]
    [InlineData("51", BitcoinScriptType.NonStandard)]
    [InlineData("20" + Key + "ac", BitcoinScriptType.NonStandard)]
    [InlineData("2105" + LongHash + "ac", BitcoinScriptType.NonStandard)]
    [InlineData("76a914" + Hash + "88ad", BitcoinScriptType.NonStandard)]
    [InlineData("76a914" + Hash + "0088ac", BitcoinScriptType.NonStandard)]
    [InlineData("a914" + Hash + "0087", BitcoinScriptType.NonStandard)]
    [InlineData("a815" + Hash + "87", BitcoinScriptType.NonStandard)]
    [InlineData("0015" + Hash + "00", BitcoinScriptType.NonStandard)]
    [InlineData("0013" + "751e76e8199196d454941c45d1b3a323f1433b", BitcoinScriptType.NonStandard)]
    [InlineData("5100", BitcoinScriptType.NonStandard)]
    [InlineData("510100", BitcoinScriptType.NonStandard)]
    [InlineData("5014" + Hash, BitcoinScriptType.NonStandard)]
    public void A_script_is_what_Core_calls_it(string hex, BitcoinScriptType expected) =>
        Assert.Equal(expected, BitcoinScript.Classify(BitcoinData.Hex(hex)).Type);

    [Fact]
    public void Payload_is_the_part_that_differs_between_scripts_of_a_type()
    {
        Assert.Equal(BitcoinData.Hex(Key), Payload("21" + Key + "ac"));
        Assert.Equal(BitcoinData.Hex(Hash), Payload("76a914" + Hash + "88ac"));
        Assert.Equal(BitcoinData.Hex(Hash), Payload("a914" + Hash + "87"));
        Assert.Equal(BitcoinData.Hex(Hash), Payload("0014" + Hash));
        Assert.Equal(BitcoinData.Hex(LongHash), Payload("5120" + LongHash));
        Assert.Equal(BitcoinData.Hex("0400010203"), Payload("6a0400010203"));
        Assert.Equal(BitcoinData.Hex("21" + Key), Payload("5121" + Key + "51ae"));
        Assert.Empty(Payload("51"));
        Assert.Empty(Payload("0013751e76e8199196d454941c45d1b3a323f1433b"));
        Assert.Equal(16, BitcoinScript.Classify(BitcoinData.Hex("6002751e")).WitnessVersion);
        Assert.Equal(1, BitcoinScript.Classify(BitcoinData.Hex("5120" + LongHash)).WitnessVersion);
        Assert.Equal(0, BitcoinScript.Classify(BitcoinData.Hex("0014" + Hash)).WitnessVersion);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(16, 16)]
    [InlineData(1, 17)]
    [InlineData(17, 20)]
    [InlineData(20, 20)]
    public void Multisig_of_up_to_twenty_keys_shows_how_many_of_how_many(int required, int keys)
    {
        string text = $"{required} {Words(keys)}{keys} CHECKMULTISIG";
        BitcoinScript script = BitcoinScript.Classify(ScriptText.Assemble(text));
        Assert.Equal(BitcoinScriptType.Multisig, script.Type);
        Assert.Equal((required, keys), (script.RequiredSignatures, script.KeyCount));
    }

    // More signatures than keys; none; no keys; a wrong count; too many; numbers in a longer form; a wrong
    // key.
    [Theory]
    [InlineData("2 K 1 CHECKMULTISIG")]
    [InlineData("0 K 1 CHECKMULTISIG")]
    [InlineData("0 0 CHECKMULTISIG")]
    [InlineData("1 1 CHECKMULTISIG")]
    [InlineData("1 K K 1 CHECKMULTISIG")]
    [InlineData("1 K 2 CHECKMULTISIG")]
    [InlineData("1 K 1")]
    [InlineData("CHECKMULTISIG")]
    [InlineData("0x01 0x01 K 1 CHECKMULTISIG")]
    [InlineData("1 K 0x01 0x01 CHECKMULTISIG")]
    [InlineData("1 K 0x01 CHECKMULTISIG")]
    [InlineData("1 K 1 NOP CHECKMULTISIG")]
    [InlineData("1 NOP K 1 CHECKMULTISIG")]
    [InlineData("1 0x20 K 1 CHECKMULTISIG")]
    [InlineData("1 K 1 CHECKMULTISIGVERIFY")]
    [InlineData("NOP K 1 CHECKMULTISIG")]
    public void Anything_like_multisig_but_not_it_is_non_standard(string text)
    {
        byte[] script = ScriptText.Assemble(text.Replace("K", $"0x21{Key}", StringComparison.Ordinal)
            .Replace($"CHEC0x21{Key}", "CHECK", StringComparison.Ordinal));
        Assert.Equal(BitcoinScriptType.NonStandard, BitcoinScript.Classify(script).Type);
    }

    [Fact]
    public void Twenty_one_keys_are_too_many() =>
        Assert.Equal(
            BitcoinScriptType.NonStandard,
            BitcoinScript.Classify(ScriptText.Assemble($"1 {Words(21)}21 CHECKMULTISIG")).Type);

    [Fact]
    public void Every_type_has_a_name_of_its_own()
    {
        BitcoinScriptType[] types = Enum.GetValues<BitcoinScriptType>();
        Assert.Equal(
            types.Length, types.Select(t => Encoding.ASCII.GetString(t.Utf8Name())).Distinct().Count());
        Assert.Equal("witness_v1_taproot"u8.ToArray(), BitcoinScriptType.Taproot.Utf8Name().ToArray());
    }

    // Core wrote these types for the same outputs.
    [Fact]
    public void Outputs_of_recorded_RPC_have_the_types_that_RPC_says()
    {
        string folder = SharedData.Path("btc/bitcoin-etl/test_export_blocks_job/bitcoin");
        int outputs = 0;
        foreach (
            string file in Directory.GetFiles(folder, "rpc_response_*.json", SearchOption.AllDirectories))
            outputs += CompareOutputs(
                System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(file)).RootElement);
        Assert.Equal(14, outputs);
    }

    [Fact]
    public void Any_bytes_can_stand_in_a_script()
    {
        var random = new Random(12);
        byte[] address = new byte[BitcoinAddress.TextBytesMax];
        for (int i = 0; i < 100_000; i++)
        {
            byte[] script = new byte[random.Next(0, 60)];
            random.NextBytes(script);
            if (script.Length > 0 && i % 3 == 0)
                script[^1] = 0xAE;
            BitcoinScript classified = BitcoinScript.Classify(script);
            Assert.NotEqual(BitcoinScriptType.Unknown, classified.Type);
            if (BitcoinAddress.TryFromScript(classified, out BitcoinAddress found))
                Assert.Equal(script, BitcoinAddressTests.ScriptOf(found));
        }
    }

    [Fact]
    public void Classifying_allocates_nothing()
    {
        byte[][] scripts =
        [
            BitcoinData.Hex("76a914" + Hash + "88ac"), BitcoinData.Hex("5121" + Key + "51ae"),
            BitcoinData.Hex("6a0400010203"), [],
        ];
        int sum = 0;
        Allocation.AssertNone(() =>
        {
            foreach (byte[] script in scripts)
                sum += (int)BitcoinScript.Classify(script).Type;
        });
        Assert.NotEqual(0, sum);
    }

    private static int CompareOutputs(System.Text.Json.JsonElement element)
    {
        if (element.ValueKind == System.Text.Json.JsonValueKind.Array)
            return element.EnumerateArray().Sum(CompareOutputs);
        if (element.ValueKind != System.Text.Json.JsonValueKind.Object)
            return 0;
        if (!element.TryGetProperty("scriptPubKey", out System.Text.Json.JsonElement script))
            return element.EnumerateObject().Sum(p => CompareOutputs(p.Value));
        byte[] bytes = BitcoinData.Hex(script.GetProperty("hex").GetString());
        BitcoinScript classified = BitcoinScript.Classify(bytes);
        Assert.Equal(
            script.GetProperty("type").GetString(), Encoding.ASCII.GetString(classified.Type.Utf8Name()));
        Assert.True(BitcoinAddress.TryFromScript(classified, out BitcoinAddress address, keyAsHash: true));
        Assert.Equal(
            script.GetProperty("addresses")[0].GetString(), address.ToString(BitcoinNetwork.Mainnet));
        return 1;
    }

    private static byte[] Payload(string hex) =>
        BitcoinScript.Classify(BitcoinData.Hex(hex)).Payload.ToArray();

    private static string Words(int keys) => string.Concat(Enumerable.Repeat($"0x21{Key} ", keys));
}
