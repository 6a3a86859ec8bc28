using Streams.Connectors.Bitcoin;
using Xunit;
using Xunit.Sdk;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class BitcoinSpenderTests
{
    private const string Key = "025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee6357";

    private static readonly byte[] Signature = BitcoinData.Hex(
        "304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a"
        + "0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee01");

    [Fact]
    public void A_coinbase_reveals_nothing()
    {
        BitcoinBlock block =
            BitcoinData.Read(BitcoinData.Bytes(BitcoinData.TestnetBlock), BitcoinData.Testnet);
        foreach (BitcoinInput input in block[0].Inputs)
            Assert.Equal(BitcoinEvidence.None, BitcoinSpender.Reveal(input).Evidence);
    }

    [Fact]
    public void Shapes_that_are_not_convincing_reveal_nothing()
    {
        byte[] signature = Signature;
        byte[] key = BitcoinData.Hex(Key);
        byte[] loose = [.. signature];
        loose[4] = 0x80;
        byte[] multisig = [0x51, .. ScriptText.Push(key), 0x51, 0xAE];
        byte[] pushSignature = ScriptText.Push(signature);
        byte[] pushLoose = ScriptText.Push(loose);
        byte[] pushKey = ScriptText.Push(key);
        byte[] pushScript = ScriptText.Push(multisig);

        // The plain shapes, so that what follows differs from them in one thing each.
        Assert.Equal(BitcoinScriptType.PublicKeyHash, Reveal([.. pushSignature, .. pushKey]).Type);
        Assert.Equal(BitcoinScriptType.ScriptHash, Reveal([0, .. pushSignature, .. pushScript]).Type);
        Assert.Equal(BitcoinScriptType.PublicKey, Reveal(pushSignature).Type);
        Assert.Equal(BitcoinScriptType.Multisig, Reveal([0, .. pushSignature]).Type);

        AssertNothing([.. pushLoose, .. pushKey]);
        AssertNothing([.. pushSignature, .. ScriptText.Push(key[1..])]);
        AssertNothing([.. pushSignature, .. pushKey, 0x61]);
        AssertNothing([.. pushSignature, .. pushSignature, .. pushKey]);
        AssertNothing([.. pushSignature, .. pushScript]);
        AssertNothing([0x51, .. pushSignature, .. pushScript]);
        AssertNothing([0, .. pushLoose, .. pushScript]);
        AssertNothing([0, .. pushSignature, .. pushSignature, .. pushScript]);
        AssertNothing([0, .. pushSignature, 0x51, .. pushScript]);
        AssertNothing([0, .. pushSignature, .. ScriptText.Push(multisig[..^1])]);
        AssertNothing([0x51, .. pushSignature]);
        AssertNothing(pushLoose);
        AssertNothing([0x4C]);
        AssertNothing([]);
    }

    // P2SH of scripts that are no template: they must hold together, check a signature and have a key to
    // check it with.
    [Theory]
    [InlineData("K CHECKSIGVERIFY 1", true)]
    [InlineData("7 CHECKLOCKTIMEVERIFY DROP K CHECKSIG", true)]
    [InlineData("NOP CHECKSIG", false)]
    [InlineData("NOP K DROP", false)]
    [InlineData("K NOP CHECKSIG 0x4C", false)]
    [InlineData("DUP HASH160 0x14 0x751e76e8199196d454941c45d1b3a323f1433bd6 EQUALVERIFY CHECKSIG", false)]
    public void A_script_on_top_is_believed_only_if_it_can_check_the_signature_below_it(
        string text, bool isBelieved)
    {
        byte[] script = ScriptText.Assemble(text.Replace("K ", $"0x21 0x{Key} ", StringComparison.Ordinal));
        BitcoinSpender spender = Reveal([.. ScriptText.Push(Signature), .. ScriptText.Push(script)]);
        Assert.Equal(isBelieved ? BitcoinEvidence.Structure : BitcoinEvidence.None, spender.Evidence);
        if (isBelieved)
            Assert.Equal(BitcoinAddress.FromRedeemScript(script), spender.Address);
    }

    [Fact]
    public void A_key_on_the_stack_is_a_key_to_check_with_and_a_keys_hash_must_be_its_own()
    {
        byte[] below = [.. ScriptText.Push(Signature), .. ScriptText.Push(BitcoinData.Hex(Key))];
        byte[] hash = new byte[20];
        Hash160.Hash(BitcoinData.Hex(Key), hash);
        byte[] own = [0x76, 0xA9, 20, .. hash, 0x88, 0xAC];
        BitcoinSpender spender = Reveal([.. below, .. ScriptText.Push(own)]);
        Assert.Equal(BitcoinScriptType.ScriptHash, spender.Type);
        Assert.Equal(BitcoinScriptType.PublicKeyHash, spender.InnerType);
        own[3] ^= 1;
        AssertNothing([.. below, .. ScriptText.Push(own)]);
        spender = Reveal([.. below, .. ScriptText.Push([0x61, 0xAC])]);
        Assert.Equal(
            (BitcoinScriptType.ScriptHash, BitcoinScriptType.NonStandard), (spender.Type, spender.InnerType));
    }

    // A key spend, with and without a hash type and an annex; a script spend, with and without an annex.
    [Theory]
    [InlineData(true, 64)]
    [InlineData(true, 65)]
    [InlineData(true, 64, -5)]
    [InlineData(true, 10, -33)]
    [InlineData(true, 10, 20, -65)]
    [InlineData(true, 10, -33, -5)]
    [InlineData(true, 10, -4129)]
    [InlineData(false, 63)]
    [InlineData(false, 66)]
    [InlineData(false, 10, -34)]
    [InlineData(false, 10, -4161)]
    [InlineData(false, 0)]
    public void Taproot_is_known_by_its_signature_its_control_block_or_its_annex(
        bool isTaproot, params int[] items)
    {
        // Negative lengths: a control block if it can be one, else an annex.
        byte[] witness = [(byte)items.Length, .. items.SelectMany(Item)];
        BitcoinSpender spender = Reveal([], witness);
        BitcoinScriptType expected = isTaproot ? BitcoinScriptType.Taproot : BitcoinScriptType.Unknown;
        Assert.Equal(expected, spender.Type);
        Assert.True(spender.Address.IsEmpty);

        static byte[] Item(int length)
        {
            byte[] item = new byte[Math.Abs(length)];
            if (length < 0)
                item[0] = (byte)(length > -33 ? 0x50 : 0xC1);
            byte[] size = new byte[CompactSize.BytesMax];
            return [.. size[..CompactSize.Write(size, (ulong)item.Length)], .. item];
        }
    }

    [Fact]
    public void An_input_that_spends_nothing_reveals_nothing_whatever_its_script()
    {
        byte[] script = [.. ScriptText.Push(Signature), .. ScriptText.Push(BitcoinData.Hex(Key))];
        byte[] outpoint = [.. new byte[32], 255, 255, 255, 255];
        byte[] raw = [1, 0, 0, 0, 1, .. outpoint, (byte)script.Length, .. script, .. new byte[9]];
        foreach (BitcoinInput input in BitcoinData.ReadTransaction(raw).Inputs)
            Assert.Equal(BitcoinEvidence.None, BitcoinSpender.Reveal(input).Evidence);
    }

    [Fact]
    public void A_nested_program_that_the_witness_does_not_hash_to_reveals_nothing()
    {
        byte[] key = BitcoinData.Hex(Key);
        byte[] hash = new byte[20];
        Hash160.Hash(key, hash);
        byte[] witness = [2, 1, 0xAA, (byte)key.Length, .. key];
        BitcoinSpender right = Reveal([22, 0, 20, .. hash], witness);
        Assert.Equal((BitcoinScriptType.ScriptHash, BitcoinEvidence.Hash), (right.Type, right.Evidence));
        Assert.Equal(BitcoinScriptType.WitnessPublicKeyHash, right.InnerType);
        hash[0] ^= 1;
        Assert.Equal(BitcoinEvidence.None, Reveal([22, 0, 20, .. hash], witness).Evidence);
        hash[0] ^= 1;
        Assert.Equal(BitcoinEvidence.None, Reveal([22, 0, 20, .. hash, 0], witness).Evidence);
        Assert.Equal(BitcoinEvidence.None, Reveal([0, 22, 0, 20, .. hash], witness).Evidence);
        Assert.Equal(BitcoinEvidence.None, Reveal([22, 0x51, 20, .. hash], witness).Evidence);
    }

    [Fact]
    public void Inputs_of_arbitrary_bytes_never_throw()
    {
        var random = new Random(13);
        for (int i = 0; i < 100_000; i++)
        {
            byte[] script = new byte[random.Next(0, 80)];
            random.NextBytes(script);
            byte[] item = new byte[random.Next(0, 80)];
            random.NextBytes(item);
            if (i % 4 == 0 && item.Length > 4)
                item[^1] = 0xAE;
            BitcoinSpender spender =
                Reveal(i % 3 == 0 ? [] : script, i % 2 == 0 ? [] : [2, 0, (byte)item.Length, .. item]);
            Assert.NotEqual(BitcoinEvidence.Hash, spender.Evidence);
        }
    }

    private static void AssertNothing(byte[] script) =>
        Assert.Equal(BitcoinEvidence.None, Reveal(script).Evidence);

    internal static BitcoinSpender Reveal(byte[] script, byte[]? witness = null)
    {
        byte[] body =
            [1, 0, 0, 0, .. witness is { Length: > 0 } ? new byte[] { 0, 1 } : [], 1, .. new byte[36]];
        byte[] length = new byte[CompactSize.BytesMax];
        length = length[..CompactSize.Write(length, (ulong)script.Length)];
        byte[] raw = [.. body, .. length, .. script, 0, 0, 0, 0, 0, .. witness ?? [], 0, 0, 0, 0];
        foreach (BitcoinInput input in BitcoinData.ReadTransaction(raw).Inputs)
            return BitcoinSpender.Reveal(input);
        throw new XunitException("no input");
    }
}
