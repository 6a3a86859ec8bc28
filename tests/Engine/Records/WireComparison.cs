using Google.Protobuf;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Records;

/// <summary>Compares our record with the one that protoc generated, field by field.</summary>
internal static class WireComparison
{
    public static void AssertSame(EveryKind ours, Wire.EveryKind theirs)
    {
        AssertSameScalars(ours, theirs);
        AssertSameOptionals(ours, theirs);
        AssertSameLists(ours, theirs);
        Assert.Equal(ours.Part.IsPresent, theirs.Part is not null);
        if (theirs.Part is not null)
            AssertSame(ref ours.Part.Value, theirs.Part);
        Assert.Equal(ours.Parts.Count, theirs.Parts.Count);
        for (int i = 0; i < theirs.Parts.Count; i++)
            AssertSame(ref ours.Parts[i], theirs.Parts[i]);
    }

    private static void AssertSameScalars(EveryKind ours, Wire.EveryKind theirs)
    {
        Assert.Equal(ours.Flag, theirs.Flag);
        Assert.Equal(ours.Int32, theirs.Int32);
        Assert.Equal(ours.Int64, theirs.Int64);
        Assert.Equal(ours.UInt32, theirs.Uint32);
        Assert.Equal(ours.UInt64, theirs.Uint64);
        AssertSame(ours.Double, theirs.Double);
        Assert.Equal((int)ours.Colour, (int)theirs.Colour);
        Assert.Equal(ours.Text.ToString(), theirs.Text);
        Assert.Equal(ours.Bytes.Span, theirs.Bytes.Span);
        Assert.Equal(ours.Hash, Hash(theirs.Hash));
        Assert.Equal(ours.Amount, UInt256.FromBigEndian(theirs.Amount.Span));
        Assert.Equal(ours.Far, theirs.Far);
    }

    private static void AssertSameOptionals(EveryKind ours, Wire.EveryKind theirs)
    {
        Assert.Equal(ours.MaybeFlag, theirs.HasMaybeFlag ? theirs.MaybeFlag : null);
        Assert.Equal(ours.MaybeInt32, theirs.HasMaybeInt32 ? theirs.MaybeInt32 : null);
        Assert.Equal(ours.MaybeInt64, theirs.HasMaybeInt64 ? theirs.MaybeInt64 : null);
        Assert.Equal(ours.MaybeUInt32, theirs.HasMaybeUint32 ? theirs.MaybeUint32 : null);
        Assert.Equal(ours.MaybeUInt64, theirs.HasMaybeUint64 ? theirs.MaybeUint64 : null);
        Assert.Equal(ours.MaybeDouble.HasValue, theirs.HasMaybeDouble);
        AssertSame(ours.MaybeDouble.GetValueOrDefault(), theirs.MaybeDouble);
        Assert.Equal((int?)ours.MaybeColour, theirs.HasMaybeColour ? (int)theirs.MaybeColour : null);
        Assert.Equal(ours.MaybeText?.ToString(), theirs.HasMaybeText ? theirs.MaybeText : null);
        Assert.Equal(
            ours.MaybeBytes?.Span.ToArray(), theirs.HasMaybeBytes ? theirs.MaybeBytes.ToByteArray() : null);
        Assert.Equal(ours.MaybeHash, theirs.HasMaybeHash ? Hash(theirs.MaybeHash) : null);
        Assert.Equal(
            ours.MaybeAmount, theirs.HasMaybeAmount
                ? UInt256.FromBigEndian(theirs.MaybeAmount.Span)
                : (UInt256?)null);
        Assert.Equal(ours.Farthest?.ToString(), theirs.HasFarthest ? theirs.Farthest : null);
    }

    private static void AssertSameLists(EveryKind ours, Wire.EveryKind theirs)
    {
        Assert.Equal(ours.Flags.Items.ToArray(), theirs.Flags);
        Assert.Equal(ours.Int32s.Items.ToArray(), theirs.Int32S);
        Assert.Equal(ours.Int64s.Items.ToArray(), theirs.Int64S);
        Assert.Equal(ours.UInt32s.Items.ToArray(), theirs.Uint32S);
        Assert.Equal(ours.UInt64s.Items.ToArray(), theirs.Uint64S);
        Assert.Equal(ours.Doubles.Items.ToArray().Select(Bits), theirs.Doubles.Select(Bits));
        Assert.Equal(ours.Colours.Items.ToArray().Select(c => (int)c), theirs.Colours.Select(c => (int)c));
        Assert.Equal(ours.Texts.Items.ToArray().Select(t => t.ToString()), theirs.Texts);
        Assert.Equal(
            ours.Blobs.Items.ToArray().Select(b => b.ToString()),
            theirs.Blobs.Select(b => Convert.ToHexStringLower(b.Span)));
        Assert.Equal(ours.Hashes.Items.ToArray(), theirs.Hashes.Select(Hash));
        Assert.Equal(ours.Amounts.Items.ToArray(), theirs.Amounts.Select(a => UInt256.FromBigEndian(a.Span)));
    }

    private static void AssertSame(ref Part ours, Wire.EveryKind.Types.Part theirs)
    {
        Assert.Equal(ours.Id, theirs.Id);
        Assert.Equal(ours.Label?.ToString(), theirs.HasLabel ? theirs.Label : null);
        Assert.Equal(ours.Best.IsPresent, theirs.Best is not null);
        if (theirs.Best is not null)
            AssertSame(ref ours.Best.Value, theirs.Best);
        Assert.Equal(ours.Leaves.Count, theirs.Leaves.Count);
        for (int i = 0; i < theirs.Leaves.Count; i++)
            AssertSame(ref ours.Leaves[i], theirs.Leaves[i]);
        Assert.Equal(ours.Sizes.Items.ToArray(), theirs.Sizes);
    }

    private static void AssertSame(ref Leaf ours, Wire.EveryKind.Types.Leaf theirs)
    {
        Assert.Equal(ours.Weight.HasValue, theirs.HasWeight);
        AssertSame(ours.Weight.GetValueOrDefault(), theirs.Weight);
        Assert.Equal(ours.Tags.Items.ToArray().Select(t => t.ToString()), theirs.Tags);
    }

    private static void AssertSame(double ours, double theirs) => Assert.Equal(Bits(ours), Bits(theirs));

    private static long Bits(double value) => BitConverter.DoubleToInt64Bits(value);

    private static Bytes32 Hash(ByteString bytes) => bytes.IsEmpty ? default : new Bytes32(bytes.Span);
}
