namespace Streams.Topologies.Hosting;

/// <summary>What the process ends with.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    internal const int Done = 0;

    /// <summary>The command line or the configuration is wrong.</summary>
    internal const int Usage = 2;

    /// <summary>A source, a sink or the data directory cannot be used.</summary>
    internal const int Unavailable = 3;

    /// <summary>Finished, but not everything could be read, and <c>--strict</c> was given.</summary>
    internal const int DeadLetters = 4;

    /// <summary><c>plan</c>: starting would lose state that nobody accepted to lose.</summary>
    internal const int LosesState = 5;

    /// <summary>A defect of the program, or of the data in a place that only the program writes.</summary>
    internal const int Internal = 70;
}
