using System.Buffers.Binary;
using Streams.Connectors.Chain;
using Streams.Records;
using Streams.Testing;
using Streams.Tests.Support;
using Streams.Topologies.Transactions;
using Streams.Topologies.Transactions.Prices;
using Streams.Topologies.Transactions.Tags;

namespace Streams.Tests.Topologies.Transactions;

/// <summary>A coin of a scenario: one output of one of its transactions.</summary>
internal readonly record struct Coin(Bytes32 TxId, uint Vout);

/// <summary>A few transactions of the main network, written by hand, through the whole topology.</summary>
internal sealed class RuleScenario : IDisposable
{
    /// <summary>When scenarios begin: the start of an hour and of a day.</summary>
    internal static readonly DateTimeOffset Start = new(2026, 1, 15, 0, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();
    private readonly TopologyTestDriver _driver;
    private readonly TestInputTopic<Bytes32, ChainTransaction> _input;
    private readonly TestOutputTopic<Bytes32, ChainTransaction> _enriched;
    private readonly TestOutputTopic<Text, Alert> _alerts;
    private long _number;

    /// <summary>Starts the topology.</summary>
    /// <param name="labels">Rows of address, category and label.</param>
    /// <param name="prices">Rows of time, asset and dollars; empty for none.</param>
    /// <param name="risk">The thresholds; the defaults where not given.</param>
    internal RuleScenario(string labels = "", string prices = "", RiskOptions? risk = null)
    {
        TagTable tags = labels.Length == 0 ? TagTable.Empty : TagLoader.Load(
            new TagOptions { CsvFiles = [Write("labels.csv", "address,category,label\n" + labels)] }).Table;
        PriceTable table = prices.Length == 0 ? PriceTable.Empty : PriceLoader.Load(
            new PriceOptions { File = Write("prices.csv", "time,asset,usd\n" + prices) });
        _driver = new TopologyTestDriver(TransactionsTopology.Build(
            new TransactionsOptions { Risk = risk ?? new RiskOptions() }, tags, prices: table));
        Serde<ChainTransaction> serde = RecordSerde.Protobuf<ChainTransaction>();
        _input = _driver.CreateInputTopic(TransactionsTopology.Transactions, Serdes.Bytes32, serde);
        _enriched = _driver.CreateOutputTopic(TransactionsTopology.Enriched, Serdes.Bytes32, serde);
        _alerts = _driver.CreateOutputTopic(
            TransactionsTopology.Alerts, Serdes.Text, RecordSerde.Protobuf<Alert>());
    }

    /// <summary>Time since the start of the transactions to come.</summary>
    internal TimeSpan Now { get; set; }

    /// <summary>The network of the transactions to come.</summary>
    internal Network Network { get; set; } = Network.Mainnet;

    /// <summary>The transaction that came out last.</summary>
    internal ChainTransaction Last { get; private set; } = new();

    /// <summary>New money for an address.</summary>
    internal Coin Mine(string address, long value) => Pay([], (address, value))[0];

    /// <summary>A transaction: what it spends, and whom it pays how much.</summary>
    /// <returns>The coins that it makes.</returns>
    internal Coin[] Pay(Coin[] spends, params (string Address, long Value)[] outputs)
    {
        ChainTransaction tx = Make(spends, outputs);
        _input.Pipe(tx.TxId, tx, tx.EventNs / 1_000_000);
        Last = _enriched.ReadAll().Single().Value;
        return [.. outputs.Select((_, i) => new Coin(tx.TxId, (uint)i))];
    }

    /// <summary>The rules of the last transaction, each with its score, the strongest first.</summary>
    internal string Reasons
    {
        get
        {
            var reasons = new List<string>();
            foreach (ref RiskReason reason in Last.Analysis.Value.Reasons.Items)
                reasons.Add($"R{(int)reason.Rule} {reason.Contribution}");
            return string.Join(", ", reasons);
        }
    }

    /// <summary>What the first reason of the last transaction rests on.</summary>
    internal string Evidence => Last.Analysis.Value.Reasons[0].Evidence.ToString();

    /// <summary>The alerts since the last call, as rules.</summary>
    internal string[] Alerts() => [.. _alerts.ReadAll().Select(alert => $"R{(int)alert.Value.Rule}")];

    public void Dispose()
    {
        _driver.Dispose();
        _folder.Dispose();
    }

    private ChainTransaction Make(Coin[] spends, (string Address, long Value)[] outputs)
    {
        Span<byte> id = stackalloc byte[Bytes32.Size];
        BinaryPrimitives.WriteInt64BigEndian(id, ++_number);
        var tx = new ChainTransaction
        {
            Chain = ChainKind.Bitcoin,
            Network = Network,
            EventNs = (Start + Now - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick,
            TxId = new Bytes32(id),
            Status = TransactionStatus.InBlock,
            IsCoinbase = spends.Length == 0,
            VsizeBytes = 200,
        };
        foreach (Coin coin in spends)
        {
            ref TransactionInput input = ref tx.Inputs.Add();
            (input.PrevTxId, input.Vout) = (coin.TxId, coin.Vout);
        }
        for (int i = 0; i < outputs.Length; i++)
        {
            ref TransactionOutput output = ref tx.Outputs.Add();
            output.Vout = (uint)i;
            output.Value = outputs[i].Value;
            output.Address = new Text(outputs[i].Address);
            output.ScriptType = ScriptType.P2wpkh;
            tx.OutputSumBase += outputs[i].Value;
        }
        return tx;
    }

    private string Write(string name, string content)
    {
        File.WriteAllText(_folder.File(name), content);
        return _folder.File(name);
    }
}
