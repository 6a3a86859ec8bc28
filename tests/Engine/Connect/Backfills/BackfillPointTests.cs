using Streams.Connect;
using Streams.Connect.Backfills;
using Streams.Processing;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Connect.Backfills;

public sealed class BackfillPointTests
{
    [Theory]
    [InlineData("2026-11-20", null, BackfillUnit.Time, 1_795_132_800_000)]
    [InlineData("2026-11-20T06:00:00Z", null, BackfillUnit.Time, 1_795_154_400_000)]
    [InlineData("2026-11-20T06:00:00+02:00", null, BackfillUnit.Time, 1_795_147_200_000)]
    [InlineData("trades:2026-11-20", "trades", BackfillUnit.Time, 1_795_132_800_000)]
    [InlineData("trades:offset=12", "trades", BackfillUnit.Offset, 12)]
    [InlineData("chain:height=800000", "chain", BackfillUnit.Position, 800_000)]
    public void A_point_is_read(string words, string? name, BackfillUnit unit, long value)
    {
        BackfillPoint point = BackfillPoint.Parse(words);
        Assert.Equal((name, unit, value), (point.Name, point.Unit, point.Values[0]));
    }

    [Fact]
    public void Offsets_can_be_given_by_partition() =>
        Assert.Equal([3, 0, 7], BackfillPoint.Parse("in:offset=3,0,7").Values);

    [Theory]
    [InlineData("yesterday")]
    [InlineData("in:yesterday")]
    [InlineData("in:offset=-1")]
    [InlineData("chain:height=1,2")]
    [InlineData("2026-13-45")]
    public void A_mistake_is_said_with_what_can_be_written(string words)
    {
        var e = Assert.Throws<ConfigurationException>(() => BackfillPoint.Parse(words));
        Assert.Contains($"'{words}'", e.Message, StringComparison.Ordinal);
        Assert.Contains("SOURCE:height=800000", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mark_is_taken_off_and_other_headers_stay()
    {
        Headers headers = default(Headers).With("a", "1").With("b", "2");
        byte[] marked = [.. headers.Encoded, .. TerritoryMark.Of(Territory.Silent)];
        ReadOnlySpan<byte> rest = marked;
        var inputs = new InputTerritory(0, 0, 0, IsMarked: true);
        Assert.Equal(Territory.Silent, inputs.Of(5, ref rest));
        Assert.True(rest.SequenceEqual(headers.Encoded));
    }

    [Fact]
    public void A_value_that_ends_like_a_mark_is_none()
    {
        Headers headers = default(Headers).With("a", TerritoryMark.Of(Territory.Known));
        ReadOnlySpan<byte> rest = headers.Encoded;
        var inputs = new InputTerritory(0, 0, 0, IsMarked: true);
        Assert.Equal(Territory.New, inputs.Of(5, ref rest));
        Assert.Equal(headers.Encoded.Length, rest.Length);
    }

    [Fact]
    public void Before_the_end_offsets_decide()
    {
        var input = new InputTerritory(10, 20, 30, IsMarked: false);
        ReadOnlySpan<byte> none = default;
        Assert.Equal(Territory.Silent, input.Of(9, ref none));
        Assert.Equal(Territory.Known, input.Of(10, ref none));
        Assert.Equal(Territory.Silent, input.Of(20, ref none));
        Assert.Equal(Territory.New, input.Of(30, ref none));
    }
}
