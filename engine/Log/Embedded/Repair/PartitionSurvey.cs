using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded.Repair;

/// <summary>What was seen of one partition while going through a log with damage in it.</summary>
internal sealed class PartitionSurvey
{
    private int _damageSeen;

    /// <summary>Records seen.</summary>
    public long Records { get; private set; }

    /// <summary>Bytes of their batches.</summary>
    public long Bytes { get; private set; }

    /// <summary>One past the last offset seen.</summary>
    public long NextOffset { get; private set; }

    /// <summary>Ranges of offsets, first and last, that are missing with damage in between.</summary>
    public List<(long First, long Last)> Missing { get; } = [];

    /// <summary>Takes in the next batch.</summary>
    /// <param name="batch">Its header.</param>
    /// <param name="damage">How many damaged places the log has before it: a gap without one is
    /// compaction's.</param>
    public void Add(in EntryHeader batch, int damage)
    {
        NoteGap(batch.BaseOffset, damage);
        NextOffset = Math.Max(NextOffset, batch.LastOffset + 1);
        Records += batch.Records;
        Bytes += batch.EntryBytes;
    }

    /// <summary>Takes in that the offsets before one were given.</summary>
    public void NoteGap(long nextOffset, int damage)
    {
        if (nextOffset > NextOffset && damage > _damageSeen)
            Missing.Add((NextOffset, nextOffset - 1));
        NextOffset = Math.Max(NextOffset, nextOffset);
        _damageSeen = damage;
    }
}
