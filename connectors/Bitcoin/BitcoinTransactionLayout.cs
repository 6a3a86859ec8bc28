namespace Streams.Connectors.Bitcoin;

/// <summary>Where a transaction's parts begin: enough to view it again without reading it again.</summary>
internal readonly struct BitcoinTransactionLayout
{
    /// <summary>Bytes of the whole transaction.</summary>
    public required int Bytes { get; init; }

    /// <summary>From the transaction's start to its first input, after the count.</summary>
    public required int InputsOffset { get; init; }

    /// <summary>Inputs.</summary>
    public required int InputCount { get; init; }

    /// <summary>From the transaction's start to its first output, after the count.</summary>
    public required int OutputsOffset { get; init; }

    /// <summary>Outputs.</summary>
    public required int OutputCount { get; init; }

    /// <summary>From the transaction's start to its first witness; 0 where there is none.</summary>
    public required int WitnessOffset { get; init; }
}
