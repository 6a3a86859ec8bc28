using Streams.Errors;
using Streams.Log;

namespace Streams.Topologies.Commands;

/// <summary>What became of the letters that a replay was asked for.</summary>
internal sealed class DlqReplay
{
    private readonly DlqFilter _filter;

    internal DlqReplay(DlqFilter filter) => _filter = filter;

    internal long Replayed { get; private set; }

    internal long ReplayedBefore { get; private set; }

    internal long NotReplayable { get; private set; }

    /// <summary>Counts what a replay would do. Changes nothing.</summary>
    internal void Count(ILogContents log)
    {
        var replayed = new ReplayedLetters(log);
        Take(log, letter => !replayed.Contains(letter));
    }

    /// <summary>Replays.</summary>
    internal void Run(ITopicLog log)
    {
        using var replay = new DeadLetterReplay(log);
        Take(new OpenLogContents(log), letter =>
            replay.Replay(letter.Topic, letter.Partition, letter.Offset, letter.Letter));
        log.WaitDurable(replay.Commit(), CancellationToken.None);
    }

    private void Take(ILogContents log, Func<StoredLetter, bool> isNew)
    {
        foreach (StoredLetter letter in _filter.Letters(log))
        {
            if (ObstacleOf(letter) is { } obstacle)
            {
                NotReplayable++;
                Console.Error.WriteLine(
                    $"streams: {letter.Topic.Name} {letter.Partition} at offset {letter.Offset} cannot be "
                    + $"replayed: {obstacle}");
            }
            else if (isNew(letter))
                Replayed++;
            else
                ReplayedBefore++;
        }
    }

    // What a sink refused lies on its topic still, where tasks and other sinks have had it: again there is a
    // second time for them.
    private string? ObstacleOf(StoredLetter letter) =>
        letter.Letter.Stage.ToString() == "write" && _filter.Stage is null
            ? "its topic has it still, and only a sink refused it; --stage write adds it once more, for "
                + "everyone who reads the topic"
            : DeadLetterReplay.Obstacle(letter.Letter);
}
