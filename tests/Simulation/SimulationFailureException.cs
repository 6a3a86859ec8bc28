namespace Streams.Tests.Simulation;

/// <summary>The simulation has found something that must not be.</summary>
internal sealed class SimulationFailureException(string message, Exception? inner = null)
    : Exception(message, inner);
