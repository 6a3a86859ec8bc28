using Xunit;

namespace Streams.Tests.Support;

/// <summary>Asserts what the record path promises: nothing allocated in the steady state.</summary>
public static class Allocation
{
    /// <summary>Runs the action to warm it up, then asserts that further runs allocate nothing on this
    /// thread.</summary>
    public static void AssertNone(Action action, int warmupRuns = 200, int measuredRuns = 1000)
    {
        for (int i = 0; i < warmupRuns; i++)
            action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < measuredRuns; i++)
            action();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(
            allocated == 0, $"{allocated} bytes were allocated in {measuredRuns} runs; none was expected.");
    }
}
