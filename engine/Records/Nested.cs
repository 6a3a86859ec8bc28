namespace Streams.Records;

/// <summary>A record inside a record, which may be absent; its memory is kept while it is.</summary>
/// <typeparam name="T">The inner record.</typeparam>
public struct Nested<T>
    where T : struct, IDescribed<T>
{
    /// <summary>The inner record; meaningless unless <see cref="IsPresent"/>.</summary>
    public T Value;

    /// <summary>Whether there is one.</summary>
    public bool IsPresent;
}
