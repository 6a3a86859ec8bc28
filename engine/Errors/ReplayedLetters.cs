using Streams.Log;

namespace Streams.Errors;

/// <summary>The dead letters that were replayed, as a log says when it is asked.</summary>
public sealed class ReplayedLetters
{
    private readonly Dictionary<string, OffsetSet> _offsets;

    /// <param name="log">The log of the letters.</param>
    public ReplayedLetters(ILogContents log) => _offsets = log.Cursors(DeadLetterReplay.CursorSource)
        .ToDictionary(c => c.Key, c => OffsetSet.Read(c.Value), StringComparer.Ordinal);

    /// <summary>Whether the record of that letter was written to its topic again.</summary>
    public bool Contains(StoredLetter letter) =>
        _offsets.TryGetValue(
            DeadLetterReplay.KeyOf(letter.Topic.Name, letter.Partition), out OffsetSet? offsets)
        && offsets.Contains(letter.Offset);
}
