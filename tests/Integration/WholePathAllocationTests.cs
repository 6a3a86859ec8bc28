using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connectors.Bitcoin;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Log;
using Streams.Tests.Support;
using Streams.Topologies.Configuration;
using Streams.Topologies.Hosting;
using Streams.Topologies.Transactions;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>From the bytes of blocks to committed enriched records on the embedded log: all threads together
/// allocate next to nothing per transaction, in the steady state.</summary>
[Collection(Alone.Name)]
public sealed class WholePathAllocationTests : IDisposable
{
    private const int TransactionsPerBlock = 1_000;
    private const int WarmupTransactions = 150_000;
    private const int MeasuredTransactions = 100_000;

    // Commits, fsyncs and segments allocate a little each, whatever is in them.
    private const double BytesPerTransactionMax = 16;

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task From_block_bytes_to_committed_records_next_to_nothing_is_allocated(bool isScraped)
    {
        WriteBlocks();
        await using ApplicationHost host = ApplicationHost.Open(Settings(), NullLogger.Instance);
        using var ticks = new AllocationTicks();
        await host.StartAsync(isScraped ? "127.0.0.1:0" : null);
        TopicPartition enriched = host.Log.FindTopic(TransactionsTopology.Enriched)![0];
        long first = WaitFor(host, enriched, WarmupTransactions);
        ticks.Reset();
        long last = WaitFor(host, enriched, WarmupTransactions + MeasuredTransactions);
        long allocated = ticks.Bytes;
        string types = ticks.ToString();
        double each = (double)allocated / (last - first);
        TestContext.Current.TestOutputHelper?.WriteLine($"{each:F2} bytes per transaction");
        Assert.True(
            each < BytesPerTransactionMax,
            $"{each:F1} bytes were allocated per transaction, {allocated:N0} in all:\n{types}");
    }

    public void Dispose() => _folder.Dispose();

    // Without allocating anything itself.
    private static long WaitFor(ApplicationHost host, TopicPartition partition, long end)
    {
        while (true)
        {
            long offset = host.Log.EndOffset(partition, ReadLevel.Committed);
            if (offset >= end)
                return offset;
            if (host.Application.Failure is { } failure)
                throw new InvalidOperationException("The application stopped.", failure);
            Thread.Sleep(1);
        }
    }

    private void WriteBlocks()
    {
        var options = new SimulationOptions { Seed = 7, TransactionsPerBlock = TransactionsPerBlock };
        using var simulator = new BlockSimulator(options);
        using var writer = new BlockFileWriter(_folder.File("blocks"), BitcoinNetwork.Regtest);
        int blocks = (WarmupTransactions + MeasuredTransactions) / TransactionsPerBlock;
        writer.WriteChain(simulator, SimulationOptions.RunUpBlocks + blocks + 20);
    }

    private RunSettings Settings() => RunSettingsReader.Read(
        ConfigSection.Empty("test"),
        new CommandLineSettings
        {
            Topology = "transactions",
            Sources = [$"bitcoin-files:{_folder.File("blocks")}/*.dat?network=regtest"],
            Data = _folder.File("data"),
            Drain = true,
        });
}
