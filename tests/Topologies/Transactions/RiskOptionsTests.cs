using Streams.Connect;
using Streams.Topologies.Transactions;
using Xunit;

namespace Streams.Tests.Topologies.Transactions;

public sealed class RiskOptionsTests
{
    public static TheoryData<RiskOptions, string> OutOfRange => new()
    {
        { new RiskOptions { AlertScoreMin = 102 }, "risk.alert_score_min is 102. Give 0 to 101." },
        { new RiskOptions { SanctionedSharePpmMin = 1_000_001 }, "risk.sanctioned_share_ppm_min" },
        { new RiskOptions { TaintHopsMax = 256 }, "risk.taint_hops_max is 256. Give 0 to 255." },
        { new RiskOptions { PeelHopsMin = 6 }, "risk.peel_hops_min is 6. Give 1 to 5." },
        { new RiskOptions { StructuringLimitBase = 0 }, "risk.structuring_limit_base is 0." },
        { new RiskOptions { VelocityFactor = 0 }, "risk.velocity_factor is 0." },
        { new RiskOptions { VelocityUsdMin = -1 }, "risk.velocity_usd_min is -1." },
        { new RiskOptions { StructuringLimitUsd = 1_000_000_000_001 }, "risk.structuring_limit_usd" },
    };

    [Fact]
    public void The_defaults_are_in_their_ranges() => new RiskOptions().Validate();

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void What_cannot_work_is_refused_by_name(RiskOptions options, string message) =>
        Assert.Contains(
            message, Assert.Throws<ConfigurationException>(options.Validate).Message,
            StringComparison.Ordinal);
}
