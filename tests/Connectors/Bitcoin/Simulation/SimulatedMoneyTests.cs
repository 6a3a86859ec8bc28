using Streams.Connectors.Bitcoin;
using Streams.Connectors.Bitcoin.Simulation;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin.Simulation;

/// <summary>A walk over the chain with a set of unspent outputs of its own, which knows nothing of the
/// simulator.</summary>
public sealed class SimulatedMoneyTests
{
    private const int Blocks = 700;
    private const int CoinbaseMaturityBlocks = 100;
    private const long SubsidySatoshi = 5_000_000_000;
    private const int EndowedBlocks = 24;
    private const long EndowmentSatoshi = 10_000_000_000_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void No_output_is_spent_twice_and_no_money_comes_from_nowhere(long seed)
    {
        var unspent = new Dictionary<(BitcoinHash, uint), (long Satoshi, int Height, bool IsCoinbase)>();
        Walk(seed, (height, block) =>
        {
            long fees = 0;
            long minted = 0;
            for (int i = 0; i < block.Count; i++)
            {
                BitcoinHash id = block.Index.TxIds[i];
                long spent = 0;
                foreach (BitcoinInput input in block[i].Inputs)
                {
                    if (i == 0)
                        continue;
                    Assert.True(unspent.Remove((input.PreviousTxId, input.PreviousOutput), out var coin));
                    Assert.True(!coin.IsCoinbase || height - coin.Height >= CoinbaseMaturityBlocks);
                    spent += coin.Satoshi;
                }
                long paid = 0;
                uint output = 0;
                foreach (BitcoinOutput made in block[i].Outputs)
                {
                    paid += made.Satoshi;
                    unspent.Add((id, output++), (made.Satoshi, height, i == 0));
                }
                Assert.True(i == 0 || spent >= paid);
                fees += i == 0 ? 0 : spent - paid;
                minted += i == 0 ? paid : 0;
            }
            Assert.Equal(fees + (height < EndowedBlocks ? EndowmentSatoshi : SubsidySatoshi), minted);
        });
    }

    [Fact]
    public void What_an_input_reveals_is_what_it_spends()
    {
        var made = new Dictionary<(BitcoinHash, uint), (BitcoinScriptType Type, BitcoinAddress Address)>();
        var evidence = new Dictionary<BitcoinEvidence, int>();
        Walk(seed: 4, (_, block) =>
        {
            for (int i = 0; i < block.Count; i++)
            {
                foreach (BitcoinInput input in block[i].Inputs)
                {
                    if (i == 0)
                        continue;
                    var (type, address) = made[(input.PreviousTxId, input.PreviousOutput)];
                    BitcoinSpender spender = BitcoinSpender.Reveal(input);
                    Assert.Equal(type, spender.Type);
                    if (!spender.Address.IsEmpty)
                        Assert.Equal(address, spender.Address);
                    evidence[spender.Evidence] = evidence.GetValueOrDefault(spender.Evidence) + 1;
                }
                uint output = 0;
                foreach (BitcoinOutput paid in block[i].Outputs)
                {
                    BitcoinScript script = BitcoinScript.Classify(paid.Script);
                    BitcoinAddress.TryFromScript(script, out BitcoinAddress address);
                    made.Add((block.Index.TxIds[i], output++), (script.Type, address));
                }
            }
        });
        Assert.False(evidence.ContainsKey(BitcoinEvidence.None));
        Assert.True(evidence[BitcoinEvidence.Structure] > evidence[BitcoinEvidence.Type]);
        Assert.True(evidence[BitcoinEvidence.Hash] > 0);
    }

    [Fact]
    public void All_kinds_of_scripts_occur_and_the_usual_ones_most()
    {
        var kinds = new Dictionary<BitcoinScriptType, double>();
        double outputs = 0;
        double withWitness = 0;
        double transactions = 0;
        Walk(seed: 5, (_, block) =>
        {
            foreach (BitcoinTransaction transaction in block)
            {
                transactions++;
                withWitness += transaction.HasWitness ? 1 : 0;
                foreach (BitcoinOutput output in transaction.Outputs)
                {
                    BitcoinScriptType type = BitcoinScript.Classify(output.Script).Type;
                    kinds[type] = kinds.GetValueOrDefault(type) + 1;
                    outputs++;
                }
            }
        });
        Assert.InRange(kinds[BitcoinScriptType.WitnessPublicKeyHash] / outputs, 0.30, 0.50);
        Assert.InRange(kinds[BitcoinScriptType.PublicKeyHash] / outputs, 0.12, 0.28);
        Assert.InRange(kinds[BitcoinScriptType.ScriptHash] / outputs, 0.10, 0.28);
        Assert.InRange(kinds[BitcoinScriptType.Taproot] / outputs, 0.08, 0.22);
        Assert.InRange(kinds[BitcoinScriptType.WitnessScriptHash] / outputs, 0.02, 0.10);
        Assert.InRange(kinds[BitcoinScriptType.NullData] / outputs, 0.001, 0.05);
        Assert.InRange(kinds[BitcoinScriptType.PublicKey] / outputs, 0.001, 0.02);
        Assert.InRange(kinds[BitcoinScriptType.Multisig] / outputs, 0.001, 0.02);
        Assert.InRange(withWitness / transactions, 0.60, 0.95);
    }

    [Fact]
    public void Known_actors_are_the_same_whatever_the_seed_and_all_different()
    {
        Assert.Equal(64 + 64 + 64 + 16 + 24 + 8, SimulatedActors.All.Count);
        Assert.Equal(
            SimulatedActors.All.Count, SimulatedActors.All.Select(a => a.Address).Distinct().Count());
        var paid = new HashSet<string>();
        byte[] text = new byte[BitcoinAddress.TextBytesMax];
        Walk(seed: 6, (height, block) =>
        {
            foreach (BitcoinOutput output in block[0].Outputs)
            {
                if (BitcoinAddress.TryFromScript(
                    BitcoinScript.Classify(output.Script), out BitcoinAddress address))
                    paid.Add(System.Text.Encoding.ASCII.GetString(
                        text, 0, address.Encode(BitcoinNetwork.Regtest, text)));
            }
        });
        Assert.Equal(
            SimulatedActors.All
                .Where(a => a.Kind is SimulatedActorKind.Exchange or SimulatedActorKind.MiningPool)
                .Select(a => a.Address).Order(),
            paid.Order());
    }

    private delegate void BlockAction(int height, BitcoinBlock block);

    private static void Walk(long seed, BlockAction action)
    {
        var reader = new BitcoinBlockReader(new BitcoinReaderOptions { Network = BitcoinNetwork.Regtest });
        var index = new BitcoinBlockIndex();
        using var simulator = new BlockSimulator(new SimulationOptions
        {
            Seed = seed,
            TransactionsPerBlock = 60,
            BlocksMax = Blocks,
            InjectionsPerMillion = 1_000,
            CorruptBlocksPerThousand = 0,
            DuplicateBlocksPerThousand = 0,
        });
        while (simulator.TryNext(out SimulatedDelivery delivery))
        {
            Assert.True(reader.ReadWhole(delivery.Bytes, index, out BitcoinBlock block).IsDone);
            action(delivery.Height, block);
        }
        Assert.Equal(Blocks - 1, simulator.Height);
    }
}
