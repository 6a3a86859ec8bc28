using System.Text.Json;
using Streams.Buffers;
using Streams.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;
using Xunit.Sdk;

namespace Streams.Tests.Connectors.Bitcoin;

/// <summary>What inputs reveal, held against the outputs that they really spend.</summary>
public sealed class BitcoinSpenderVectorTests
{
    // An output that is spent in its own block is known: what the input reveals can be held against it.
    [Theory]
    [InlineData(BitcoinData.Block413567, 287)]
    [InlineData(BitcoinData.Block702861, 327)]
    public void Spends_inside_two_mainnet_blocks_reveal_the_address_that_they_really_spend(
        string file, int spends)
    {
        BitcoinBlock block = BitcoinData.Read(BitcoinData.Bytes(file), new BitcoinReaderOptions());
        Dictionary<(BitcoinHash, uint), byte[]> outputs = OutputsOf(block);
        int revealed = 0;
        int compared = 0;
        foreach (BitcoinTransaction transaction in block)
        {
            foreach (BitcoinInput input in transaction.Inputs)
            {
                if (!outputs.TryGetValue((input.PreviousTxId, input.PreviousOutput), out byte[]? script))
                    continue;
                BitcoinSpender spender = BitcoinSpender.Reveal(input);
                AssertRight(spender, script, input.PreviousTxId.ToString());
                compared++;
                revealed += spender.Address.IsEmpty ? 0 : 1;
            }
        }
        Assert.Equal(spends, compared);
        Assert.Equal(spends, revealed);
    }

    [Theory]
    [InlineData(BitcoinData.Block413567, 0.99)]
    [InlineData(BitcoinData.Block702861, 0.99)]
    public void Nearly_every_input_of_two_mainnet_blocks_reveals_an_address(string file, double atLeast)
    {
        BitcoinBlock block = BitcoinData.Read(BitcoinData.Bytes(file), new BitcoinReaderOptions());
        var types = new Dictionary<string, int>();
        int inputs = 0;
        int addresses = 0;
        foreach (BitcoinTransaction transaction in block)
        {
            foreach (BitcoinInput input in transaction.Inputs)
            {
                BitcoinSpender spender = BitcoinSpender.Reveal(input);
                string kind = $"{spender.Type}/{spender.InnerType}/{spender.Evidence}";
                types[kind] = types.GetValueOrDefault(kind) + 1;
                Assert.Equal(
                    spender.Evidence == BitcoinEvidence.None, spender.Type == BitcoinScriptType.Unknown);
                Assert.Equal(spender.Evidence >= BitcoinEvidence.Structure, !spender.Address.IsEmpty);
                inputs++;
                addresses += spender.Address.IsEmpty ? 0 : 1;
            }
        }
        double share = (double)addresses / inputs;
        Assert.True(share >= atLeast, $"{share:P2}: {string.Join(", ", types.OrderBy(t => t.Key))}");
    }

    [Fact]
    public void Inputs_of_BIP352_reveal_what_they_spend_or_nothing()
    {
        int inputs = 0;
        int revealed = 0;
        JsonElement tests = BitcoinData.Json("bips/bip-0352_send_and_receive_test_vectors.json");
        foreach (JsonElement test in tests.EnumerateArray())
        {
            JsonElement given = test.GetProperty("sending")[0].GetProperty("given");
            foreach (JsonElement vin in given.GetProperty("vin").EnumerateArray())
            {
                byte[] witness = BitcoinData.Hex(vin.GetProperty("txinwitness").GetString());
                BitcoinSpender spender =
                    BitcoinSpenderTests.Reveal(
                        BitcoinData.Hex(vin.GetProperty("scriptSig").GetString()), witness);
                string script =
                    vin.GetProperty("prevout").GetProperty("scriptPubKey").GetProperty("hex").GetString()!;
                AssertRight(spender, BitcoinData.Hex(script), test.GetProperty("comment").GetString()!);
                inputs++;
                revealed += spender.Address.IsEmpty ? 0 : 1;
            }
        }
        // Most signatures in these vectors lack their hash type, without which no spend is valid.
        Assert.Equal((60, 8), (inputs, revealed));
    }

    [Fact]
    public void Inputs_of_BIP341_reveal_what_they_spend_or_nothing()
    {
        JsonElement spending =
            BitcoinData.Json("core/bip341_wallet_vectors.json").GetProperty("keyPathSpending")[0];
        byte[] raw =
            BitcoinData.Hex(spending.GetProperty("auxiliary").GetProperty("fullySignedTx").GetString());
        JsonElement spent = spending.GetProperty("given").GetProperty("utxosSpent");
        var kinds = new List<(BitcoinScriptType, BitcoinEvidence)>();
        foreach (BitcoinInput input in BitcoinData.ReadTransaction(raw).Inputs)
        {
            BitcoinSpender spender = BitcoinSpender.Reveal(input);
            byte[] script = BitcoinData.Hex(spent[kinds.Count].GetProperty("scriptPubKey").GetString());
            AssertRight(spender, script, $"input {kinds.Count}");
            kinds.Add((spender.Type, spender.Evidence));
        }
        Assert.Equal(9, kinds.Count);
        Assert.Equal(7, kinds.Count(k => k == (BitcoinScriptType.Taproot, BitcoinEvidence.Type)));
        Assert.Contains((BitcoinScriptType.PublicKeyHash, BitcoinEvidence.Structure), kinds);
        Assert.Contains((BitcoinScriptType.WitnessPublicKeyHash, BitcoinEvidence.Structure), kinds);
    }

    [Fact]
    public void Inputs_of_Cores_valid_transactions_reveal_what_they_spend_or_nothing()
    {
        int revealed = 0;
        foreach (JsonElement row in BitcoinData.Json("core/tx_valid.json").EnumerateArray())
        {
            if (row.GetArrayLength() != 3)
                continue;
            var scripts = new Dictionary<(BitcoinHash, uint), byte[]>();
            foreach (JsonElement spent in row[0].EnumerateArray())
            {
                uint output = unchecked((uint)spent[1].GetInt64());
                BitcoinHash txId = BitcoinHashTests.Parse(spent[0].GetString()!);
                scripts[(txId, output)] = ScriptText.Assemble(spent[2].GetString()!);
            }
            foreach (
                BitcoinInput input in BitcoinData.ReadTransaction(BitcoinData.Hex(row[1].GetString())).Inputs)
            {
                BitcoinSpender spender = BitcoinSpender.Reveal(input);
                AssertRightUnlessMade(
                    spender, scripts[(input.PreviousTxId, input.PreviousOutput)], row.ToString());
                revealed += spender.Address.IsEmpty ? 0 : 1;
            }
        }
        Assert.True(revealed > 30, $"{revealed} addresses");
    }

    // Each vector is a scriptSig, a scriptPubKey and perhaps a witness; those that end OK are valid spends.
    [Fact]
    public void Spends_of_Cores_script_vectors_are_read_written_and_reveal_what_they_spend_or_nothing()
    {
        int spends = 0;
        int revealed = 0;
        foreach (JsonElement row in BitcoinData.Json("core/script_tests.json").EnumerateArray())
        {
            // A # stands for a script or a control block that Core's test makes up.
            if (row.GetArrayLength() < 4 || row.ToString().Contains('#', StringComparison.Ordinal))
                continue;
            int first = row[0].ValueKind == JsonValueKind.Array ? 1 : 0;
            byte[] script = ScriptText.Assemble(row[first + 1].GetString()!);
            byte[] raw = Spend(row, ScriptText.Assemble(row[first].GetString()!), script);
            BitcoinTransaction transaction = BitcoinData.ReadTransaction(raw);
            Assert.Equal(raw, BitcoinData.Rewrite(transaction));
            spends++;
            // Without the rules of P2SH and of witnesses, their inputs are valid whatever they hold.
            string flags = row[first + 2].GetString()!;
            bool isValid =
                row[first + 3].GetString() == "OK" && flags.Contains("P2SH", StringComparison.Ordinal)
                && (first == 0 || flags.Contains("WITNESS", StringComparison.Ordinal));
            foreach (BitcoinInput input in transaction.Inputs)
            {
                BitcoinSpender spender = BitcoinSpender.Reveal(input);
                if (isValid)
                    AssertRightUnlessMade(spender, script, row.ToString());
                revealed += spender.Address.IsEmpty ? 0 : 1;
            }
        }
        Assert.Equal(1217, spends);
        Assert.True(revealed > 60, $"{revealed} addresses");
    }

    [Fact]
    public void Revealing_allocates_nothing()
    {
        byte[] raw = BitcoinData.Hex(
            BitcoinData.Json("core/bip341_wallet_vectors.json").GetProperty("keyPathSpending")[0]
            .GetProperty("auxiliary").GetProperty("fullySignedTx").GetString());
        int sum = 0;
        Allocation.AssertNone(() =>
        {
            BitcoinTransactionReader.TryRead(
                raw, BitcoinData.TransactionBytesMax, out BitcoinTransaction transaction);
            foreach (BitcoinInput input in transaction.Inputs)
                sum += (int)BitcoinSpender.Reveal(input).Evidence;
        });
        Assert.NotEqual(0, sum);
    }

    // Core's vectors lock outputs with scripts that do what a standard one does in another way (a
    // CODESEPARATOR here, a VERIFY there), and with witness versions that accept anything. Such an output can
    // look like a standard one when it is spent: that is what Structure means.
    private static void AssertRightUnlessMade(BitcoinSpender spender, byte[] script, string context)
    {
        bool isMade = BitcoinScript.Classify(script).Type
            is BitcoinScriptType.NonStandard or BitcoinScriptType.WitnessUnknown;
        if (!isMade || spender.Evidence == BitcoinEvidence.Hash)
            AssertRight(spender, script, context);
    }

    private static void AssertRight(BitcoinSpender spender, byte[] script, string context)
    {
        if (spender.Type == BitcoinScriptType.Unknown)
            return;
        BitcoinScript spent = BitcoinScript.Classify(script);
        bool isRight = spender.Type == spent.Type;
        if (isRight && !spender.Address.IsEmpty)
            isRight =
                BitcoinAddress.TryFromScript(spent, out BitcoinAddress address) && address == spender.Address;
        if (!isRight)
            throw new XunitException(
                $"revealed {spender.Type} ({spender.Evidence}), spends {spent.Type}: {context}");
    }

    private static byte[] Spend(JsonElement row, byte[] scriptSig, byte[] scriptPubKey)
    {
        using var writer = new BitcoinTransactionWriter();
        using var destination = new PooledBuffer();
        byte[][] witness = row[0].ValueKind == JsonValueKind.Array
            ? [.. row[0].EnumerateArray().SkipLast(1).Select(item => BitcoinData.Hex(item.GetString()))]
            : [];
        writer.Start(1);
        writer.AddInput(default, uint.MaxValue, [0, 0], uint.MaxValue);
        writer.AddOutput(0, scriptPubKey);
        writer.Finish(0, destination);
        BitcoinHash credit = BitcoinData.ReadTransaction(destination.WrittenSpan.ToArray()).ComputeTxId();
        destination.Clear();
        writer.Start(1);
        writer.AddInput(credit, 0, scriptSig, uint.MaxValue, witness.Length);
        foreach (byte[] item in witness)
            writer.AddWitnessItem(item);
        writer.AddOutput(0, []);
        writer.Finish(0, destination);
        return destination.WrittenSpan.ToArray();
    }

    private static Dictionary<(BitcoinHash, uint), byte[]> OutputsOf(BitcoinBlock block)
    {
        var outputs = new Dictionary<(BitcoinHash, uint), byte[]>();
        for (int i = 0; i < block.Count; i++)
        {
            uint number = 0;
            foreach (BitcoinOutput output in block[i].Outputs)
                outputs.Add((block.Index.TxIds[i], number++), output.Script.ToArray());
        }
        return outputs;
    }
}
