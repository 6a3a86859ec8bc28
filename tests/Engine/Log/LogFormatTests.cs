using System.Globalization;
using System.Text;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Log;

/// <summary>
/// The bytes of docs/log-format.md. When one of them changes, so must the version and the document.
/// </summary>
public sealed class LogFormatTests
{
    private const string Segment = "0000000000000001.segment";

    [Fact]
    public void A_small_log_has_exactly_these_bytes()
    {
        var files = new SimulatedFileSystem(1);
        EmbeddedLog log = SmallLog.Open(files);
        Topic topic = log.EnsureTopic(new TopicSpec { Name = "t", Partitions = 2, Schema = "s" });
        ILogWriter writer = log.OpenWriter("w");
        writer.Append(topic[1], new LogRecord
        {
            TimestampMs = 1_704_164_645_000,
            HasKey = true,
            Key = "k"u8,
            HasValue = true,
            Value = "value"u8,
            Headers = "\u0001h\u0004xy"u8,
        });
        writer.Append(topic[1], "k", null, 1_704_164_644_000);
        writer.CommitOffset("g", topic[0], 5);
        writer.CommitCursor("s", "k", "c"u8);
        writer.Commit();
        log.Dispose();
        Assert.Equal(Expected.ReplaceLineEndings("\n"), Dump(files.Contents(Segment)).TrimEnd());
    }

    private const string Expected = """
        0000  53 54 52 4d 53 4c 4f 47 01 00 00 00 00 00 00 00
        0010  88 77 66 55 44 33 22 11 01 00 00 00 00 00 00 00
        0020  01 00 00 00 00 00 00 00 88 d8 20 c8 8c 01 00 00
        0030  00 00 00 00 00 00 00 00 00 00 00 00 22 a9 f0 62
        0040  c5 63 6d 74 01 02 00 00 3a 00 00 00 01 00 00 00
        0050  00 00 00 00 00 00 00 00 88 d8 20 c8 8c 01 00 00
        0060  00 00 00 00 00 00 00 00 1a a9 c7 37 a3 3e f2 9e
        0070  e5 65 08 00 02 00 00 00 a6 6c a8 10 00 00 00 00
        0080  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        0090  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00a0  00 00 00 00 fa 82 3c 64 01 01 c5 63 6d 74 01 01
        00b0  00 00 49 00 00 00 01 00 00 00 01 00 00 00 00 00
        00c0  00 00 88 d8 20 c8 8c 01 00 00 aa 00 00 00 00 00
        00d0  00 00 1c 83 2c 84 c4 b9 9c 8b e5 65 04 00 11 00
        00e0  00 00 65 f4 83 0a 01 00 00 00 00 00 00 00 00 00
        00f0  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        0100  00 00 00 00 00 00 00 00 00 00 00 00 00 00 fe 4b
        0110  90 7b 01 74 02 00 81 88 b2 a0 02 00 80 80 80 04
        0120  01 01 73 c5 63 6d 74 01 01 00 00 c8 00 00 00 03
        0130  00 00 00 02 00 00 00 00 00 00 00 88 d8 20 c8 8c
        0140  01 00 00 aa 00 00 00 00 00 00 00 43 bb 0c 55 27
        0150  ef 20 58 e5 65 01 00 15 00 00 00 b4 29 8c 64 01
        0160  00 00 00 01 00 00 00 02 00 00 00 00 00 00 00 00
        0170  00 00 00 01 00 00 00 88 d8 20 c8 8c 01 00 00 88
        0180  d8 20 c8 8c 01 00 00 04 b6 95 0f 07 00 01 6b 05
        0190  76 61 6c 75 65 05 01 68 04 78 79 01 cf 0f 01 6b
        01a0  e5 65 02 00 05 00 00 00 5d 6c 50 88 00 00 00 00
        01b0  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        01c0  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        01d0  00 00 00 00 b7 38 f6 cf 01 67 01 00 05 e5 65 03
        01e0  00 06 00 00 00 6f ce dd 1b 00 00 00 00 00 00 00
        01f0  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        0200  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        0210  00 8d 20 ed 1c 01 73 01 6b 01 63 c5 63 6d 74 01
        0220  04 00 00 3c 00 00 00 01 00 00 00 02 00 00 00 00
        0230  00 00 00 88 d8 20 c8 8c 01 00 00 1b 02 00 00 00
        0240  00 00 00 ac ed 42 6e f7 41 e2 60 e5 65 07 00 04
        0250  00 00 00 30 3b 5c a9 01 00 00 00 00 00 00 00 00
        0260  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        0270  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 52
        0280  fd 6b 6c 00 00 00 02
        """;

    private static string Dump(byte[] bytes)
    {
        var text = new StringBuilder();
        for (int at = 0; at < bytes.Length; at += 16)
        {
            text.Append(CultureInfo.InvariantCulture, $"{at:x4} ");
            for (int i = at; i < Math.Min(at + 16, bytes.Length); i++)
                text.Append(CultureInfo.InvariantCulture, $" {bytes[i]:x2}");
            text.Append('\n');
        }
        return text.ToString();
    }
}
