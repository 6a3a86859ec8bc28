using Streams.Tests.Conformance;
using Streams.Tests.Integration;
using Streams.Tests.Simulation;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Streams.Tests;

/// <summary>Runs the tests; or, by its first argument, one of the checks that a person may want
/// alone.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args)
    {
        if (args is ["conformance", .. string[] rest])
            return Task.FromResult(ConformanceCommand.Run(rest, Console.Out));
        if (args is ["simulate", .. string[] simulation])
            return Task.FromResult(SimulationCommand.Run(simulation, Console.Out));
        if (args is ["kafka-worker", .. string[] worker])
            return Task.FromResult(KafkaWorker.Run(worker));
        if (args is ["same-bytes", .. string[] comparison])
            return Task.FromResult(SameBytes.Run(comparison, Console.Out));
        // What test explorers start it with.
        if (args.Any(a => a is "-automated" or "@@"))
            return ConsoleRunner.Run(args);
        return TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
    }
}
