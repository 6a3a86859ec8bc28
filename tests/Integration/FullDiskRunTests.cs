using System.Net;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>A run whose data directory lies on a disk that fills up.</summary>
public sealed class FullDiskRunTests : IDisposable
{
    private const int DiskMegabytes = 64;
    private const int RoomBytes = 6_000_000;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task A_full_disk_is_said_waited_for_and_forgotten()
    {
        using SmallDisk disk = SmallDisk.Mount(DiskMegabytes);
        (string input, string expected) = Undisturbed();
        disk.Fill(RoomBytes);
        using StreamsProcess process = StreamsProcess.Start(Arguments(input, disk));
        string address = await process.AddressAsync();
        (HttpStatusCode status, string reasons) = await Http.WaitAsync(
            $"{address}/readyz", (_, text) => text.Contains("disk", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal("the disk of the data directory is full; commits wait until there is room\n", reasons);
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await Http.GetAsync($"{address}/healthz"));
        Assert.Contains(
            "The disk of the log is full: commits wait", process.Errors, StringComparison.Ordinal);
        Assert.Contains(disk.Path, process.Errors, StringComparison.Ordinal);
        Assert.Contains(
            "streams_log_full{application=\"transactions\"} 1",
            (await Http.GetAsync($"{address}/metrics")).Text, StringComparison.Ordinal);
        disk.Empty();
        var ended = process.WaitForEnd();
        TransactionsInput.AssertDone(ended);
        Assert.Contains("There is room on the disk of the log again", ended.Errors, StringComparison.Ordinal);
        TransactionsInput.AssertSame(expected, _folder.File("actual"), "after the disk was full");
        Assert.Equal(0, StreamsProcess.Run("log", "verify", "--data", Path.Combine(disk.Path, "data")).Code);
    }

    [Fact]
    public async Task Stopped_while_the_disk_is_full_a_run_ends_and_goes_on_later()
    {
        using SmallDisk disk = SmallDisk.Mount(DiskMegabytes);
        (string input, string expected) = Undisturbed();
        disk.Fill(RoomBytes);
        using (StreamsProcess process = StreamsProcess.Start(Arguments(input, disk)))
        {
            await process.WaitForAsync("The disk of the log is full");
            process.Terminate();
            var ended = process.WaitForEnd();
            Assert.Equal(3, ended.Code);
            Assert.Contains("Make room", ended.Errors, StringComparison.Ordinal);
        }
        var again = StreamsProcess.Run("tap", "transactions", "--data", Path.Combine(disk.Path, "data"));
        Assert.True(again.Code == 0, again.Errors);
        disk.Empty();
        TransactionsInput.AssertDone(StreamsProcess.Run(Arguments(input, disk)));
        TransactionsInput.AssertSame(expected, _folder.File("actual"), "after a stop on a full disk");
    }

    public void Dispose() => _folder.Dispose();

    private (string Input, string Expected) Undisturbed()
    {
        string input = TransactionsInput.Make(_folder);
        string expected = _folder.File("expected");
        TransactionsInput.AssertDone(StreamsProcess.Run(
            TransactionsInput.Arguments(input, expected, _folder.File("data"))));
        return (input, expected);
    }

    // Small segments and snapshots, so that all kinds of files meet the full disk.
    private string[] Arguments(string input, SmallDisk disk)
    {
        string config = _folder.File("small.yaml");
        File.WriteAllText(config, """
            listen: 127.0.0.1:0
            log:
              segment_bytes: 1000000
              disk_free_bytes_min: 500000
            runtime:
              log_full_retry: 50ms
              snapshots:
                changelog_bytes_min: 1000
                changelog_percent_min: 1
            intake:
              log_full_retry: 50ms
              commit_bytes_max: 300000
            delivery:
              log_full_retry: 50ms
            """);
        return TransactionsInput.Arguments(
            input, _folder.File("actual"), Path.Combine(disk.Path, "data"), config);
    }
}
