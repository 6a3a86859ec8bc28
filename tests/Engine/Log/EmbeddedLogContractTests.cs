using Streams.Log;
using Streams.Log.Embedded;
using Streams.Tests.Support;

namespace Streams.Tests.Engine.Log;

public sealed class EmbeddedLogContractTests : TopicLogContract
{
    private readonly TemporaryFolder _folder = new();

    protected override ITopicLog Open() =>
        EmbeddedLog.Open(new EmbeddedLogOptions { Directory = _folder.File("log"), DiskFreeBytesMin = 0 });

    protected override void CleanUp() => _folder.Dispose();
}

public sealed class EmbeddedLogOfSmallSegmentsContractTests : TopicLogContract
{
    private readonly TemporaryFolder _folder = new();

    // Every commit or two ends a segment, and nothing of a sealed one stays in memory.
    protected override ITopicLog Open() => EmbeddedLog.Open(new EmbeddedLogOptions
    {
        Directory = _folder.File("log"),
        DiskFreeBytesMin = 0,
        SegmentBytes = 4096,
        IndexCacheBytesMax = 0,
        OpenFilesMax = 1,
    });

    protected override void CleanUp() => _folder.Dispose();
}
