using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Streams.Connectors.Bitcoin;
using Streams.Connectors.Chain;
using Streams.Tests.Support;
using Streams.Tests.Topologies.Transactions;
using Streams.Topologies.Configuration;
using Streams.Topologies.Documents;
using Streams.Topologies.Transactions;
using Streams.Topologies.Transactions.Patterns;
using Streams.Topologies.Transactions.Prices;
using Streams.Topologies.Transactions.State;
using Xunit;

namespace Streams.Tests.Topologies.Documents;

/// <summary>The numbers of docs/rules.md and docs/transactions.md against the code.</summary>
public sealed partial class RulesPageTests
{
    private static readonly string Rules = Read("rules.md");
    private static readonly string Steps = OneLine(Read("transactions.md"));

    [Fact]
    public void Every_threshold_stands_on_the_page_with_its_default_and_unit()
    {
        var text = new OptionText();
        Assert.All(
            OptionDocument.Of(typeof(RiskOptions), text, "risk."),
            option => Assert.Contains(
                $"| `{option.Name}` | {Grouped(option.Default)} | {option.Unit}".TrimEnd() + " |", Rules,
                StringComparison.Ordinal));
        Assert.Contains(
            $"| `prices.age_max` | {Durations.Format(new PriceOptions().AgeMax)} | |", Rules,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_names_no_option_that_there_is_not()
    {
        var text = new OptionText();
        HashSet<string> known =
            [.. OptionDocument.Of(typeof(TransactionsSetupOptions), text).Select(option => option.Name)];
        Assert.All(
            OptionName().Matches(Rules + Steps).Select(match => match.Groups[1].Value),
            name => Assert.Contains(name, known));
    }

    [Theory]
    [InlineData("R1", "sanctioned_direct", RuleBook.R1Score)]
    [InlineData("R2", "sanctioned_indirect", RuleBook.R2Score)]
    [InlineData("R3 direct", "illicit_actor", RuleBook.R3DirectScore)]
    [InlineData("R3 indirect", "illicit_actor", RuleBook.R3IndirectScore)]
    [InlineData("R4", "mixer", RuleBook.R4Score)]
    [InlineData("R5", "peel_chain", RuleBook.R5Score)]
    [InlineData("R6", "structuring", RuleBook.R6Score)]
    [InlineData("R7", "velocity", RuleBook.R7Score)]
    [InlineData("R8", "rapid_pass_through", RuleBook.R8Score)]
    [InlineData("R9", "fan_out_fan_in", RuleBook.R9Score)]
    [InlineData("R10", "dust", 0)]
    public void Every_score_stands_on_the_page_with_its_level_and_whether_it_alerts(
        string rule, string name, int score)
    {
        string level = OptionBinder.SnakeCase(RuleBook.LevelOf(score).ToString());
        string alerts = score >= new RiskOptions().AlertScoreMin ? "yes" : "no";
        Assert.Contains(
            $"| {rule} | `{name}` | {score} | {level} | {alerts} |", Rules, StringComparison.Ordinal);
        Assert.Contains(
            Enum.GetValues<RiskRule>(),
            value => $"R{(int)value}" == rule.Split(' ')[0]
                && OptionBinder.SnakeCase(value.ToString()) == name);
    }

    [Fact]
    public void The_levels_on_the_page_are_those_of_the_scores()
    {
        Match scores = Regex.Match(Rules, @"\| score \|(.*)\|");
        Match levels = Regex.Match(Rules, @"\| level \|(.*)\|");
        IEnumerable<(string Range, string Level)> columns =
            scores.Groups[1].Value.Split('|').Zip(levels.Groups[1].Value.Split('|'));
        int next = 0;
        foreach ((string range, string level) in columns)
        {
            int[] ends = [.. range.Split(" to ").Select(end => int.Parse(end, CultureInfo.InvariantCulture))];
            Assert.Equal(next, ends[0]);
            for (; next <= ends[1]; next++)
                Assert.Equal(level.Trim(), OptionBinder.SnakeCase(RuleBook.LevelOf(next).ToString()));
        }
        Assert.Equal(101, next);
    }

    [Fact]
    public void The_numbers_of_each_step_are_those_of_the_code()
    {
        string Joins(string name) => Constant(typeof(CoinJoinDetector), name);
        string Change(string name) => Constant(typeof(ChangeFinder), name);
        string Entity(string name) => Constant(typeof(EntityClusterer), name);
        string participants = Joins("JoinMarketParticipantsMin");
        var risk = new RiskOptions();
        var setup = new TransactionsSetupOptions();
        string[] facts =
        [
            $"at least {participants} inputs and {participants} outputs",
            $"| {Joins("WhirlpoolParticipantsMin")} to {Joins("WhirlpoolParticipantsMax")} inputs",
            $"known inputs at most {Joins("WhirlpoolFeeMax")} above it | {Joins("WhirlpoolConfidence")} |",
            $"bring a fee | {Joins("WhirlpoolConfirmedConfidence")} |",
            $"at least {Joins("Wasabi1ParticipantsMin")} equal outputs within {Joins("Wasabi1Tolerance")} of "
                + $"{Joins("Wasabi1Denomination")} satoshi",
            $"at most {Joins("Wasabi1InputsPerParticipantMax")} distinct inputs for each, half of the "
                + $"outputs of amounts that repeat | {Joins("Wasabi1Confidence")} |",
            $"at least {Joins("Wasabi2InputsMin")} inputs, "
                + $"no output under {Joins("Wasabi2ValueMin")} satoshi, "
                + $"at least {Joins("Wasabi2DenominationsMin")} amounts that repeat",
            $"of them but not all | {Joins("Wasabi2Confidence")} |",
            $"at least {participants} equal outputs of {Joins("JoinMarketValueMin")} satoshi",
            $"as many distinct inputs | {Joins("JoinMarketSmallConfidence")} |",
            $"at least {Joins("JoinMarketSureParticipants")} equal outputs "
                + $"| {Joins("JoinMarketConfidence")} |",
            $"at least {risk.PeelSharePercentMin} % (`risk.peel_share_percent_min`)",
            $"under {risk.DustBelow} satoshi",
            $"{Constant(typeof(Structure), "RoundValueMin")} satoshi or more with at most "
                + $"{Constant(typeof(Structure), "RoundDigits")} significant digits",
            $"also spent from: {Change("DirectConfidence")} %",
            $"spender's entity: {Change("EntityConfidence")} %",
            $"where at most {Change("OutputsMax")} outputs",
            $"not a multiple of {Change("RoundSatoshi")} satoshi: {Change("OneTimeConfidence")} %",
            $"are one entity, at {Entity("MultiInputConfidence")} %",
            $"from {risk.SuppressConfidenceMin} % on",
            $"the confidence is {Entity("TaggedConfidence")} %",
            $"by hour for the last {Constant(typeof(ActivityPanes), "HoursKept")} and by day for the last "
                + Constant(typeof(ActivityPanes), "DaysKept"),
            $"at most {risk.TaintHopsMax} transactions far",
            $"`deduplicate_within` (`{Durations.Format(setup.DeduplicateWithin)}`)",
            $"`hour_grace` (`{Durations.Format(setup.HourGrace)}`)",
            $"`finality_blocks` ({setup.FinalityBlocks})",
            $"for an address {AddressState.Bytes} bytes, its text, and {ActivityPanes.PaneBytes} bytes",
            $"for an unspent output {OutputState.Bytes} bytes",
        ];
        Assert.All(facts, fact => Assert.Contains(fact, Steps, StringComparison.Ordinal));
    }

    [Fact]
    public void What_the_page_says_of_a_real_block_is_so()
    {
        string file = SharedData.Path(
            "btc/blocks/mainnet_000000000000000000000c835b2adcaedc20fdf6ee440009c249452c726dafae.raw");
        using var run = new TransactionsRun();
        run.Drain(new BitcoinFilesOptions { Files = file });
        List<ChainTransaction> enriched = run.Read<ChainTransaction>(TransactionsTopology.Enriched);
        int rapid = enriched.Count(tx => tx.Analysis.Value.Reasons.Items.ToArray().Any(
            reason => reason.Rule == RiskRule.RapidPassThrough));
        Assert.Contains(
            $"In block 702861, read alone, R8 holds for {rapid} of {enriched.Count:N0} transactions", Rules,
            StringComparison.Ordinal);
        Assert.DoesNotContain(
            run.Read<Alert>(TransactionsTopology.Alerts), alert => alert.Rule == RiskRule.RapidPassThrough);
    }

    [Fact]
    public void Every_topic_is_on_the_page() =>
        Assert.All(
            TransactionsTables.Formats,
            format => Assert.Contains($"| `{format.Topic}` |", Steps, StringComparison.Ordinal));

    [Theory]
    [InlineData("rules.md")]
    [InlineData("transactions.md")]
    [InlineData("schemas/README.md")]
    public void Links_lead_to_files_and_headings_that_are_there(string page)
    {
        string folder = Path.GetDirectoryName(PathOf(page))!;
        foreach (Match link in Link().Matches(Read(page)))
        {
            string[] parts = link.Groups[1].Value.Split('#');
            string target = parts[0].Length == 0 ? PathOf(page) : Path.Combine(folder, parts[0]);
            Assert.True(File.Exists(target), $"{page}: {link.Value}");
            if (parts.Length > 1)
                Assert.Contains(parts[1], File.ReadLines(target).Where(l => l.StartsWith('#')).Select(Slug));
        }
    }

    private static string Slug(string heading) =>
        Regex.Replace(heading.TrimStart('#', ' ').ToLowerInvariant(), "[^a-z0-9 _-]", "").Replace(' ', '-');

    private static string Grouped(string value) =>
        long.TryParse(value.Trim('`'), out long number)
            ? number.ToString("N0", CultureInfo.InvariantCulture)
            : value.Trim('`');

    private static string Constant(Type type, string name)
    {
        FieldInfo field = type.GetField(name, BindingFlags.NonPublic | BindingFlags.Static)
            ?? throw new ArgumentException($"{type.Name} has no constant {name}.");
        return Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture)
            .ToString("N0", CultureInfo.InvariantCulture);
    }

    private static string OneLine(string text) => Regex.Replace(text, @"\s*\n\s*(?=[^\s|#-])", " ");

    private static string PathOf(string page) => Path.Combine(SharedData.RepositoryRoot, "docs", page);

    private static string Read(string page) => File.ReadAllText(PathOf(page));

    [GeneratedRegex(@"`((?:risk|prices|labels)\.(?!hourly)[a-z_0-9]+)`")]
    private static partial Regex OptionName();

    [GeneratedRegex(@"\]\(([^)]+)\)")]
    private static partial Regex Link();
}
