using Streams.Records.Schemas;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Records;

public sealed class ProtoFileTests
{
    [Fact]
    public void The_committed_fixture_is_what_the_writer_writes()
    {
        string path = Path.Combine(SharedData.RepositoryRoot, "tests/Engine/Records/Fixtures/every_kind.proto");
        string written = ProtoFile.Write(RecordSchema.Of<EveryKind>(), "streams.tests.wire");
        if (Environment.GetEnvironmentVariable("STREAMS_UPDATE_FIXTURES") == "1")
            File.WriteAllText(path, written);
        Assert.Equal(File.ReadAllText(path), written);
    }
}
