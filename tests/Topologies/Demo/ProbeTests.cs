using Streams.Connectors.Bitcoin.Simulation;
using Streams.Topologies.Demo;
using Xunit;

namespace Streams.Tests.Topologies.Demo;

public sealed class ProbeTests
{
    [Fact]
    public void Probe()
    {
        int[] p = (Environment.GetEnvironmentVariable("PROBE") ?? "").Split(' ').Select(int.Parse).ToArray();
        using var run = new SimulationRun();
        var options = new SimulationOptions
        {
            Seed = p[0],
            TransactionsPerBlock = p[1],
            BlocksMax = p[2],
            TransactionsPerSecond = 0,
            InjectionsPerMillion = Math.Max(1, p[3]),
        };
        if (p[3] == 0)
            options = options.WithoutInjections();
        run.Drain(options);
        DemoResult result = run.Evaluate();
        ITestOutputHelper o = TestContext.Current.TestOutputHelper!;
        o.WriteLine($"tx {result.Transactions} injected {result.Injected} found {result.Found} false {result.FalseAlarmCount}");
        foreach (TypologyResult t in result.Typologies)
            o.WriteLine($"{t.Typology,-20} {t.Injected,5} {t.Found,5} {t.Alerted,5} false {t.FalseAlarms}");
        foreach (var f in result.FalseAlarms.GroupBy(f => f.Rule))
            o.WriteLine($"{f.Key} {f.Count()} {f.First()}");
        foreach (Injection f in result.Missed.Take(10))
            o.WriteLine($"missed {f} {f.FiresOn}");
        HashSet<Streams.Records.Bytes32> ids = [.. result.FalseAlarms.Select(f => f.TxId).Take(12)];
        run.ReadEach<Streams.Connectors.Chain.ChainTransaction>("transactions.enriched", t =>
        {
            if (!ids.Contains(t.TxId))
                return;
            o.WriteLine($"{t.BlockHeight}/{t.TxIndex} in {t.Inputs.Count} out {t.Outputs.Count} sum {t.OutputSumBase}");
            foreach (ref Streams.Connectors.Chain.RiskReason r in t.Analysis.Value.Reasons.Items)
                o.WriteLine($"   {r.Rule} {r.Evidence}");
            o.WriteLine($"   in0 {t.Inputs[0].Address} {string.Join(",", t.Inputs[0].Tags.Items.ToArray())} out0 {t.Outputs[0].Value} {t.Outputs[0].Address} out1 {(t.Outputs.Count > 1 ? t.Outputs[1].Value : 0)} entity {t.Analysis.Value.EntityId}");
        });
    }
}
