using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded;

/// <summary>
/// Keeps the log's share of the system's page cache small: segments that lie far enough behind the end are
/// given up once they are on the disk. A log is written once and read soon after, so what is older would only
/// push out what others need, or count against a container's memory.
/// </summary>
internal sealed class PageCacheBound(LogState state, ILogFileSystem files, long bytesMax)
{
    private long _droppedThrough;

    /// <summary>Gives up what has fallen behind since the last call.</summary>
    public void Apply()
    {
        while (Next() is { } segment)
        {
            files.DropFromCache(segment.FileName);
            _droppedThrough = segment.Header.LastNumber;
        }
    }

    // The oldest segment that is still held and lies behind the bound as a whole.
    private LogSegment? Next()
    {
        lock (state.Gate)
        {
            long newer = state.Active.Length;
            LogSegment? found = null;
            for (int i = state.Segments.Count - 1; i >= 0; i--)
            {
                LogSegment segment = state.Segments[i];
                if (segment.Number <= _droppedThrough)
                    break;
                if (newer >= bytesMax && segment.IsFinished)
                    found = segment;
                newer += segment.Length;
            }
            return found;
        }
    }
}
