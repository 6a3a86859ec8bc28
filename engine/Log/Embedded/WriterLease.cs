namespace Streams.Log.Embedded;

/// <summary>A writer's right to commit, until another writer takes its id.</summary>
internal sealed class WriterLease(string writerId)
{
    private volatile bool _fenced;

    /// <summary>The id.</summary>
    public string WriterId { get; } = writerId;

    /// <summary>Ends the right.</summary>
    public void Fence() => _fenced = true;

    /// <summary>Checks that it is not over.</summary>
    public void ThrowIfFenced()
    {
        if (_fenced)
            throw new WriterFencedException($"A newer writer has the id '{WriterId}'.");
    }
}
