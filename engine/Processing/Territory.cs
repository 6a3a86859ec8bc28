using Streams.Records;

namespace Streams.Processing;

/// <summary>What a record is to the backfill that is under way; without one, every record is
/// new.</summary>
internal enum Territory : byte
{
    /// <summary>It is processed for the first time.</summary>
    New,

    /// <summary>It was processed before: outputs are written again, but those that are delivered once and
    /// were are not.</summary>
    Known,

    /// <summary>It was processed before and only rebuilds state: nothing is written.</summary>
    Silent,
}

/// <summary>Says of records of one partition in which territory they lie: by their offsets, or by the mark
/// that whoever wrote them during the backfill has left on them.</summary>
/// <param name="From">The first offset whose outputs are written again.</param>
/// <param name="To">The first offset behind those.</param>
/// <param name="End">The first offset that was not processed before the backfill.</param>
/// <param name="IsMarked">Whether records behind the end may carry a mark.</param>
internal sealed record InputTerritory(long From, long To, long End, bool IsMarked)
{
    /// <summary>The territory of a record.</summary>
    /// <param name="offset">Its offset.</param>
    /// <param name="headers">Its headers; what is left of them is without the mark.</param>
    internal Territory Of(long offset, ref ReadOnlySpan<byte> headers)
    {
        if (offset < End)
            return offset >= From && offset < To ? Territory.Known : Territory.Silent;
        return IsMarked && !headers.IsEmpty ? TerritoryMark.Take(ref headers) : Territory.New;
    }
}

/// <summary>The last header of a record that was derived, or read again, during a backfill; it never reaches
/// an operator.</summary>
internal static class TerritoryMark
{
    /// <summary>The header's name.</summary>
    internal const string Name = "streams-backfill";

    private static readonly byte[] Known = default(Headers).With(Name, "known").Encoded.ToArray();
    private static readonly byte[] Silent = default(Headers).With(Name, "silent").Encoded.ToArray();

    /// <summary>The bytes to put behind a record's headers; none for a new record.</summary>
    internal static ReadOnlySpan<byte> Of(Territory territory) => territory switch
    {
        Territory.Known => Known,
        Territory.Silent => Silent,
        _ => [],
    };

    /// <summary>Reads the mark and cuts it off.</summary>
    internal static Territory Take(ref ReadOnlySpan<byte> headers)
    {
        // What merely ends like a mark, inside another header's value, is none.
        if (!LastNameIsOurs(headers))
            return Territory.New;
        foreach (Territory territory in (ReadOnlySpan<Territory>)[Territory.Known, Territory.Silent])
        {
            ReadOnlySpan<byte> mark = Of(territory);
            if (!headers.EndsWith(mark))
                continue;
            headers = headers[..^mark.Length];
            return territory;
        }
        return Territory.New;
    }

    private static bool LastNameIsOurs(ReadOnlySpan<byte> encoded)
    {
        bool isOurs = false;
        foreach (Headers.Header header in Headers.Of(encoded))
            isOurs = header.Name.SequenceEqual("streams-backfill"u8);
        return isOurs;
    }
}
