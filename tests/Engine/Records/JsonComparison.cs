using System.Text.Json;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Records;

/// <summary>Compares our record with what System.Text.Json found in our JSON, field by field.</summary>
internal static class JsonComparison
{
    public static void AssertSame(EveryKind ours, JsonElement theirs)
    {
        Assert.Equal(ours.Flag, theirs.GetProperty("flag").GetBoolean());
        Assert.Equal(ours.MaybeFlag, Find(theirs, "maybe_flag")?.GetBoolean());
        Assert.Equal(ours.Int32, theirs.GetProperty("int32").GetInt32());
        Assert.Equal(ours.MaybeInt32, Find(theirs, "maybe_int32")?.GetInt32());
        Assert.Equal(ours.Int64, theirs.GetProperty("int64").GetInt64());
        Assert.Equal(ours.MaybeInt64, Find(theirs, "maybe_int64")?.GetInt64());
        Assert.Equal(ours.UInt32, theirs.GetProperty("uint32").GetUInt32());
        Assert.Equal(ours.MaybeUInt32, Find(theirs, "maybe_uint32")?.GetUInt32());
        Assert.Equal(ours.UInt64, theirs.GetProperty("uint64").GetUInt64());
        Assert.Equal(ours.MaybeUInt64, Find(theirs, "maybe_uint64")?.GetUInt64());
        Assert.Equal(ours.Double, theirs.GetProperty("double").GetDouble());
        Assert.Equal(ours.MaybeDouble, Find(theirs, "maybe_double")?.GetDouble());
        Assert.Equal(Name(ours.Colour), theirs.GetProperty("colour").GetString());
        Assert.Equal(
            ours.MaybeColour is { } colour ? Name(colour) : null, Find(theirs, "maybe_colour")?.GetString());
        AssertSameTexts(ours, theirs);
        AssertSameLists(ours, theirs);
        Assert.Equal(ours.Part.IsPresent, Find(theirs, "part") is not null);
        if (Find(theirs, "part") is { } part)
            AssertSame(ref ours.Part.Value, part);
        AssertSame(ours.Parts, theirs.GetProperty("parts"));
    }

    private static void AssertSameTexts(EveryKind ours, JsonElement theirs)
    {
        Assert.Equal(ours.Text.ToString(), theirs.GetProperty("text").GetString());
        Assert.Equal(ours.MaybeText?.ToString(), Find(theirs, "maybe_text")?.GetString());
        Assert.Equal(ours.Farthest?.ToString(), Find(theirs, "farthest")?.GetString());
        Assert.Equal(ours.Bytes.Span, theirs.GetProperty("bytes").GetBytesFromBase64());
        Assert.Equal(ours.MaybeBytes?.Span.ToArray(), Find(theirs, "maybe_bytes")?.GetBytesFromBase64());
        Assert.Equal(ours.Hash.ToString(), theirs.GetProperty("hash").GetString());
        Assert.Equal(ours.MaybeHash?.ToString(), Find(theirs, "maybe_hash")?.GetString());
        Assert.Equal(ours.Amount.ToString(), theirs.GetProperty("amount").GetString());
        Assert.Equal(ours.MaybeAmount?.ToString(), Find(theirs, "maybe_amount")?.GetString());
    }

    private static void AssertSameLists(EveryKind ours, JsonElement theirs)
    {
        AssertSame(ours.Flags, theirs, "flags", item => item.GetBoolean());
        AssertSame(ours.Int32s, theirs, "int32s", item => item.GetInt32());
        AssertSame(ours.Int64s, theirs, "int64s", item => item.GetInt64());
        AssertSame(ours.UInt32s, theirs, "uint32s", item => item.GetUInt32());
        AssertSame(ours.UInt64s, theirs, "uint64s", item => item.GetUInt64());
        AssertSame(ours.Doubles, theirs, "doubles", item => item.GetDouble());
        AssertSame(ours.Texts, theirs, "texts", item => new Text(item.GetString()!));
        AssertSame(ours.Blobs, theirs, "blobs", item => new Bytes(item.GetBytesFromBase64()));
        AssertSame(ours.Hashes, theirs, "hashes", item => Bytes32.Parse(item.GetString()!));
        AssertSame(ours.Amounts, theirs, "amounts", item => UInt256.Parse(item.GetString()!));
    }

    private static void AssertSame(RecordList<Part> ours, JsonElement theirs)
    {
        Assert.Equal(ours.Count, theirs.GetArrayLength());
        for (int i = 0; i < ours.Count; i++)
            AssertSame(ref ours[i], theirs[i]);
    }

    private static void AssertSame(ref Part ours, JsonElement theirs)
    {
        Assert.Equal(ours.Id, theirs.GetProperty("id").GetInt64());
        Assert.Equal(ours.Label?.ToString(), Find(theirs, "label")?.GetString());
        AssertSame(ours.Sizes, theirs, "sizes", item => item.GetInt32());
        Assert.Equal(ours.Leaves.Count, theirs.GetProperty("leaves").GetArrayLength());
        for (int i = 0; i < ours.Leaves.Count; i++)
            AssertSame(ref ours.Leaves[i], theirs.GetProperty("leaves")[i]);
        Assert.Equal(ours.Best.IsPresent, Find(theirs, "best") is not null);
        if (Find(theirs, "best") is { } best)
            AssertSame(ref ours.Best.Value, best);
    }

    private static void AssertSame(ref Leaf ours, JsonElement theirs)
    {
        Assert.Equal(ours.Weight, Find(theirs, "weight")?.GetDouble());
        AssertSame(ours.Tags, theirs, "tags", item => new Text(item.GetString()!));
    }

    private static void AssertSame<T>(
        RecordList<T> ours, JsonElement theirs, string name, Func<JsonElement, T> read)
        where T : struct
    {
        T[] values = [.. theirs.GetProperty(name).EnumerateArray().Select(read)];
        Assert.Equal(ours.Items.ToArray(), values);
    }

    private static JsonElement? Find(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) ? value : null;

    private static string Name(Colour colour) => colour switch
    {
        Colour.DarkRed => "dark_red",
        Colour.Green => "green",
        Colour.Negative => "negative",
        _ => "clear",
    };
}
