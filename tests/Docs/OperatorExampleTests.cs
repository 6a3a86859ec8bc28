using Streams.Dsl;
using Streams.Records;
using Streams.Testing;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Docs;

/// <summary>The examples of docs/operators.md compile, run, and are what the page shows.</summary>
public sealed class OperatorExampleTests
{
    [Fact]
    public void Every_block_of_the_page_is_part_of_the_examples()
    {
        string examples = Normal(File.ReadAllLines(
            Path.Combine(SharedData.RepositoryRoot, "tests/Docs/OperatorExamples.cs")));
        string[] page = File.ReadAllLines(Path.Combine(SharedData.RepositoryRoot, "docs/operators.md"));
        int blocks = 0;
        for (int i = 0; i < page.Length; i++)
        {
            if (page[i] != "```csharp")
                continue;
            int end = Array.IndexOf(page, "```", i);
            Assert.Contains(Normal(page[(i + 1)..end]), examples, StringComparison.Ordinal);
            blocks++;
            i = end;
        }
        Assert.Equal(18, blocks);
    }

    [Fact]
    public void Stateless_operators() => AssertGives(
        OperatorExamples.Stateless, "euros", Serdes.Int64, ["anna=5@1"],
        t => Pay(t, ("anna", 500, 1), ("ben", -3, 2)));

    [Fact]
    public void Branches()
    {
        using TopologyTestDriver driver = Start(OperatorExamples.Branches);
        Pay(driver, ("anna", 2_000_000, 1), ("ben", -3, 2), ("carl", 5, 3));
        Assert.Equal(["anna=2000000@1"], Read(driver, "large", Serdes.Int64));
        Assert.Equal(["ben=-3@2"], Read(driver, "refunds", Serdes.Int64));
        Assert.Equal(["carl=5@3"], Read(driver, "small", Serdes.Int64));
    }

    [Fact]
    public void Counts() => AssertGives(
        OperatorExamples.Counting, "counts", Serdes.Int64, ["anna=1@1", "anna=2@2"],
        t => Pay(t, ("anna", 5, 1), ("anna", 6, 2)));

    [Fact]
    public void Tables() => AssertGives(
        OperatorExamples.Tables, "accounts-by-country", Serdes.Int64,
        ["de=1@1", "de=2@2", "de=1@3", "fr=1@3"],
        t => Say(t, "accounts", ("anna", "de", 1), ("ben", "de", 2), ("anna", "fr", 3)));

    [Fact]
    public void Joins_of_tables() => AssertGives(
        OperatorExamples.TableJoins, "people", Serdes.String,
        ["1=Anna@1", "1=Anna in Bonn@2"],
        t =>
        {
            Say(t, "names", ("1", "Anna", 1));
            Say(t, "cities", ("1", "Bonn", 2));
        });

    [Fact]
    public void Joins_by_foreign_keys() => AssertGives(
        OperatorExamples.ForeignKeys, "deliveries", Serdes.String,
        ["o1=tea for Anna@2", "o1=tea for Anne@3"],
        t =>
        {
            Say(t, "orders", ("o1", "c1|tea", 1));
            Say(t, "customers", ("c1", "Anna", 2), ("c1", "Anne", 3));
        });

    [Fact]
    public void Joins_with_a_history() => AssertGives(
        OperatorExamples.Histories, "priced", Serdes.String, ["anna=5 at 10@1000"],
        t =>
        {
            Pay(t, ("anna", 5, 1000));
            Say(t, "prices", ("anna", "10", 900), ("anna", "11", 2000));
            Pay(t, ("anna", 6, 31_000));
        });

    [Fact]
    public void Joins_with_a_global_table() => AssertGives(
        OperatorExamples.Globals, "account-countries", Serdes.String, ["anna=Germany@2", "ben=fr@3"],
        t =>
        {
            Say(t, "countries", ("de", "Germany", 1));
            Say(t, "accounts", ("anna", "de", 2), ("ben", "fr", 3));
        });

    [Fact]
    public void Windows_that_are_emitted_on_close() => AssertGives(
        OperatorExamples.Windows, "spent-by-minute", Serdes.Int64, ["anna@0/60000=7@2000"],
        t => Pay(t, ("anna", 3, 1000), ("anna", 4, 2000), ("anna", 1, 70_000)));

    [Fact]
    public void Sliding_windows_and_sessions()
    {
        using TopologyTestDriver driver = Start(OperatorExamples.SlidingAndSessions);
        Pay(driver, ("anna", 1, 20_000), ("anna", 1, 22_000), ("anna", 1, 25_000), ("anna", 1, 900_000));
        Serde<Windowed<string>> sliding =
            WindowedSerdes.TimeWindowed(Serdes.String, TimeSpan.FromSeconds(10));
        Assert.Contains(
            driver.CreateOutputTopic("bursts", sliding, Serdes.Int64).ReadAll(),
            r => r is { HasValue: true, Value: 3, Key: { StartMs: 15_000, EndMs: 25_000 } });
        Record<Windowed<string>, long> visit = Assert.Single(driver.CreateOutputTopic(
            "visits", WindowedSerdes.SessionWindowed(Serdes.String), Serdes.Int64).ReadAll());
        Assert.Equal((20_000, 25_000, 3), (visit.Key.StartMs, visit.Key.EndMs, visit.Value));
    }

    [Fact]
    public void Suppression() => AssertGives(
        OperatorExamples.Suppression, "counts", Serdes.Int64, ["anna=2@2"],
        t => Pay(t, ("anna", 1, 1), ("anna", 1, 2), ("ben", 1, 6_000)));

    [Fact]
    public void Cogroups() => AssertGives(
        OperatorExamples.Cogroups, "balances", Serdes.Int64, ["anna=10@1", "anna=7@2"],
        t =>
        {
            t.CreateInputTopic("deposits", Serdes.String, Serdes.Int64).Pipe("anna", 10, 1);
            t.CreateInputTopic("withdrawals", Serdes.String, Serdes.Int64).Pipe("anna", 3, 2);
        });

    [Fact]
    public void Joins_of_streams() => AssertGives(
        OperatorExamples.StreamJoins, "open-sums", Serdes.Int64, ["o1=-2@2000", "o2=-7@1500"],
        t =>
        {
            TestInputTopic<string, long> orders =
                t.CreateInputTopic("orders", Serdes.String, Serdes.Int64);
            orders.Pipe("o1", 10, 1000);
            orders.Pipe("o2", 7, 1500);
            Pay(t, ("o1", 8, 2000));
            orders.Pipe("o3", 1, 9_000_000);
        });

    [Fact]
    public void Gaps_that_are_held()
    {
        using TopologyTestDriver driver = Start(OperatorExamples.HeldGaps);
        TestInputTopic<string, long> power = driver.CreateInputTopic("power", Serdes.String, Serdes.Int64);
        power.Pipe("m1", 3000, 1_000);
        power.Pipe("m2", 3200, 12_000);
        power.Pipe("m2", 3210, 31_000);
        power.Pipe("m1", 2900, 500);
        Assert.Equal(
            ["m1=3000@1000", "m2=3200@12000", "m1=3000@10000", "m1=3000@20000", "m2=3200@20000",
                "m2=3210@31000"],
            Read(driver, "power-by-slot", Serdes.Int64));
        Assert.Equal(["m1=2900@500"], Read(driver, "late-power", Serdes.Int64));
    }

    [Fact]
    public void Gaps_that_are_interpolated() => AssertGives(
        OperatorExamples.LinearGaps, "prices-by-slot", Serdes.Int64,
        ["btc=100@0", "btc=110@10000", "btc=120@20000", "btc=130@30000"],
        t =>
        {
            TestInputTopic<string, long> prices =
                t.CreateInputTopic("prices", Serdes.String, Serdes.Int64);
            prices.Pipe("btc", 100, 0);
            prices.Pipe("btc", 130, 30_000);
        });

    [Fact]
    public void Sequences() => AssertGives(
        OperatorExamples.Sequences, "large-orders", Serdes.String,
        ["anna=pulled 500@2000", "anna=kept 200@15000"],
        t => Say(
            t, "orders", ("anna", "+500", 1000), ("anna", "-500", 2000), ("anna", "+300", 3000),
            ("anna", "=300", 4000), ("anna", "-300", 5000), ("anna", "+200", 10_000),
            ("anna", "-200", 15_001)));

    [Fact]
    public void Calls()
    {
        using TopologyTestDriver driver = Start(OperatorExamples.Calls);
        Pay(driver, ("anna", 3, 1), ("ben", 4, 2));
        driver.WaitForCalls();
        Assert.Equal(["anna=Anna@1", "ben=unknown@2"], Read(driver, "owners", Serdes.String).Order());
    }

    [Fact]
    public void Processors() => AssertGives(
        OperatorExamples.Processors, "totals", Serdes.Int64, ["anna=3@5", "anna=4@3600000"],
        t => Pay(t, ("anna", 3, 5), ("anna", 4, 3_600_000)));

    private static void AssertGives<TValue>(
        Action<StreamsBuilder> write, string topic, Serde<TValue> values, string[] expected,
        Action<TopologyTestDriver> feed)
    {
        using TopologyTestDriver driver = Start(write);
        feed(driver);
        Assert.Equal(expected, Read(driver, topic, values));
    }

    private static TopologyTestDriver Start(Action<StreamsBuilder> write)
    {
        var builder = new StreamsBuilder();
        write(builder);
        return new TopologyTestDriver(builder.Build());
    }

    private static void Pay(
        TopologyTestDriver driver, params (string Account, long Amount, long TimestampMs)[] payments)
    {
        TestInputTopic<string, long> topic =
            driver.CreateInputTopic("payments", Serdes.String, Serdes.Int64);
        foreach ((string account, long amount, long timestampMs) in payments)
            topic.Pipe(account, amount, timestampMs);
    }

    private static void Say(
        TopologyTestDriver driver, string name, params (string Key, string Value, long TimestampMs)[] records)
    {
        TestInputTopic<string, string> topic = driver.CreateInputTopic(name, Serdes.String, Serdes.String);
        foreach ((string key, string value, long timestampMs) in records)
            topic.Pipe(key, value, timestampMs);
    }

    private static List<string> Read<TValue>(TopologyTestDriver driver, string topic, Serde<TValue> values) =>
        [.. driver.CreateOutputTopic(topic, Serdes.String, values).ReadAll()
            .Select(r => $"{r.Key}={(r.HasValue ? r.Value : "-")}@{r.TimestampMs}")];

    private static string Normal(IEnumerable<string> lines) =>
        string.Join("\n", lines.Select(l => l.Trim()).Where(l => l.Length > 0));
}
