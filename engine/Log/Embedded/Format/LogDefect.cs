namespace Streams.Log.Embedded.Format;

/// <summary>What can be wrong with bytes of a segment.</summary>
internal enum LogDefect : byte
{
    None,
    SegmentHeader,
    SegmentVersion,
    SegmentIdentity,
    FrameMagic,
    FrameVersion,
    FrameHeader,
    FrameCutOff,
    EntryHeader,
    EntryLength,
    EntryPayload,
    EntryContents,
    EntryCount,
    EntrySet,
    CommitOrder,
    FirstFrame,
    BehindSeal,
    BelowWatermark,
    NotSealed,
}

/// <summary>The defects in words.</summary>
internal static class LogDefectText
{
    /// <summary>A clause for a person, without a full stop.</summary>
    public static string Describe(this LogDefect defect) => defect switch
    {
        LogDefect.SegmentHeader => "the segment's header does not match its checksum",
        LogDefect.SegmentVersion => "the segment has a format version that this program does not know",
        LogDefect.SegmentIdentity => "the segment belongs to another log or has another number",
        LogDefect.FrameMagic => "no commit begins here",
        LogDefect.FrameVersion => "the commit has a format version that this program does not know",
        LogDefect.FrameHeader => "a commit's header does not match its checksum",
        LogDefect.FrameCutOff => "the file ends inside a commit",
        LogDefect.EntryHeader => "an entry's header does not match its checksum",
        LogDefect.EntryLength => "an entry is longer than its commit",
        LogDefect.EntryPayload => "an entry's bytes do not match their checksum",
        LogDefect.EntryContents => "an entry's bytes match their checksum and make no sense",
        LogDefect.EntryCount => "a commit has another number of entries than its header says",
        LogDefect.EntrySet => "a commit's entries are not the ones it was written with",
        LogDefect.CommitOrder => "a commit is out of order",
        LogDefect.FirstFrame => "the segment does not begin with a snapshot",
        LogDefect.BehindSeal => "there are bytes behind the segment's end",
        LogDefect.BelowWatermark => "bytes that had reached the disk are missing",
        LogDefect.NotSealed => "the segment's end is missing",
        _ => "nothing is wrong",
    };
}
