using BenchmarkDotNet.Running;
using Streams.Benchmarks.EndToEnd;
using Streams.Benchmarks.EndToEnd.LargeState;

namespace Streams.Benchmarks;

internal static class Program
{
    private static int Main(string[] args)
    {
        if (args is ["embedded", ..])
            return EmbeddedWorkloads.Run(args[1..]);
        if (args is ["postgres", ..])
            return PostgresWorkload.Run(args[1..]);
        if (args is ["kafka", ..])
            return KafkaWorkloads.Run(args[1..]);
        if (args is ["transactions", ..])
            return TransactionsWorkload.Run(args[1..]);
        if (args is ["rebalance", ..])
            return RebalanceWorkload.Run(args[1..]);
        if (args is ["restore", ..])
            return RestoreWorkload.Run(args[1..]);
        if (args is ["large-state", ..])
            return LargeStateComparison.Run(args[1..]);
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        return 0;
    }
}
