using Streams.Processing;

namespace Streams.Connect.Backfills;

/// <summary>How far a source that is read again has come: before, in and behind what is written again, and
/// beyond what it had emitted before.</summary>
/// <remarks>
/// It only moves forward, at the first record that reaches the next bound. Beyond begins with the first
/// record
/// that is later than all that the source had emitted: a late one behind the old end still counts as known,
/// which only means that its outputs are compared with what was delivered.
/// </remarks>
internal sealed class SourceReread(SourceTerritory bounds)
{
    /// <summary>The key that it is kept under, among the cursors of the source's output.</summary>
    internal const string Cursor = "backfill";

    private enum Stage : byte
    {
        Before,
        Within,
        Behind,
        Beyond,
    }

    private Stage _stage;

    /// <summary>Where it stands, to be kept with the source's cursor.</summary>
    internal byte State
    {
        get => (byte)_stage;
        set => _stage = (Stage)value;
    }

    /// <summary>Whether a kept state says that all was read again.</summary>
    internal static bool IsDone(byte[]? state) => state is [(byte)Stage.Beyond];

    /// <summary>What the source's next record is.</summary>
    /// <param name="timestampMs">Its event time.</param>
    /// <param name="position">Its position in the source's own unit; null where it has none.</param>
    internal Territory Of(long timestampMs, long? position)
    {
        long? at = bounds.Unit is null ? timestampMs : position;
        if (_stage == Stage.Before && at >= bounds.From)
            _stage = Stage.Within;
        if (_stage == Stage.Within && at >= bounds.To)
            _stage = Stage.Behind;
        if (timestampMs > bounds.EndMs)
            _stage = Stage.Beyond;
        return Now;
    }

    /// <summary>What comes between records, such as a dead letter.</summary>
    internal Territory Now => _stage switch
    {
        Stage.Within => Territory.Known,
        Stage.Beyond => Territory.New,
        _ => Territory.Silent,
    };
}
