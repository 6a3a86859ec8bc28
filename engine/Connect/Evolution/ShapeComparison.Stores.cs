using Streams.Processing;
using Streams.Records.Schemas;
using Streams.State;

namespace Streams.Connect.Evolution;

/// <content>What becomes of the stores.</content>
internal sealed partial class ShapeComparison
{
    private void CompareStores()
    {
        foreach (RecordedStore old in _old.Stores)
        {
            if (_now.Stores.FirstOrDefault(s => s.Name == old.Name) is { } now)
                CompareStore(old, now);
            else
                DropStore(old);
        }
        CompareUndo();
        foreach (RecordedStore now in NewStores())
        {
            string sources = string.Join(", ", _now.Sources.Select(s => $"{s.Name} {Begin(s.Name)}"));
            Add(Fine(
                "store", now.Name, $"is new; it begins empty and sees what is read from here on: {sources}"));
        }
    }

    // What is kept to roll a store back is of no use to another one in its place.
    private void CompareUndo()
    {
        RecordedStore? undo = _old.Stores.FirstOrDefault(s => s.Name == Topology.SavepointStore);
        string[] lost = [.. _changes.Where(c => c.Effect == ChangeEffect.LosesState
            && _old.Stores.Any(s => s.Savepoints && s.Name == c.Subject)).Select(c => c.Subject)];
        if (undo is null || lost.Length == 0 || _changes.Any(c => c.Subject == Topology.SavepointStore))
            return;
        Give(undo, "cannot roll back any more", [$"it undoes changes of {Quoted(lost)} too"],
            [$"keep {Quoted(lost)}"]);
    }

    private void CompareStore(RecordedStore old, RecordedStore now)
    {
        if (old.Name == Topology.StreamTimeStore)
            return;
        string[] reasons = [.. Differences(old, now)];
        if (reasons.Length == 0 || IsMigrated(old, now, ref reasons))
            return;
        Give(old, "cannot be read any more", reasons,
        [
            old.Shape.Kind == "savepoints"
                ? "keep the stores with savepoints; a new one is fine when its name sorts behind theirs"
                : "go back to what it was",
            $"migrate: say how old values become new ones, with StreamsBuilder.Migrate; or give the changed "
                + $"operator another store name, and keep '{old.Name}' beside it until the new one has seen "
                + "enough",
        ]);
    }

    // A migration counts where it is of what is there to what is wanted, and nothing else differs.
    private bool IsMigrated(RecordedStore old, RecordedStore now, ref string[] reasons)
    {
        if (_definition.Topology.Migrations.FirstOrDefault(m => m.Store == old.Name) is not { } migration)
            return false;
        string[] others = [.. Differences(old, now with
        {
            Shape = now.Shape with { Value = old.Shape.Value, ValueSchema = old.Shape.ValueSchema },
        })];
        string? against = old.Savepoints || now.Savepoints ? "it can be rolled back"
            : old.Shape.Kind is not ("key-value" or "window" or "session") ? $"it is of type {old.Shape.Kind}"
            : others.Length > 0 ? "more than its values changed"
            : !AreValues(old.Shape, migration.From) ? $"that is of values of {migration.From.Value}"
                + (old.Shape.Value == migration.From.Value ? " with other fields" : "")
            : !AreValues(now.Shape, migration.To) ? $"that makes values of {migration.To.Value}"
            : null;
        if (against is not null)
        {
            reasons = [.. reasons, $"the migration that is registered does not apply: {against}"];
            return false;
        }
        _migrations.Add(old.Name);
        Add(Fine("store", old.Name, $"is migrated at the start, from {old.Shape.Value} to {now.Shape.Value}; "
            + $"{Appended(Changelog(old)):N0} changes made it") with
        {
            Reasons = reasons,
        });
        return true;
    }

    private static bool AreValues(StoreShape one, StoreShape other) =>
        one.Value == other.Value && one.ValueSchema == other.ValueSchema;

    private void DropStore(RecordedStore old)
    {
        RecordedStore? renamed = NewStores().FirstOrDefault(n => !Differences(old, n).Any());
        string name = $"give its operator the name: StoreName = \"{old.Name}\"";
        if (renamed is null)
            Give(old, "is not in the topology any more", [], [$"if it was renamed, {name}"]);
        else
            Give(old, "is not in the topology any more",
                [$"new is '{renamed.Name}', of the same shape: was it renamed?"], [name]);
    }

    // Without anything in it a store is dropped without a question: there is nothing to lose.
    private void Give(RecordedStore old, string what, string[] reasons, IEnumerable<string> waysOut)
    {
        if (!old.Logged)
        {
            Add(Fine("store", old.Name, $"{what}; it was not kept over a restart anyway") with
            {
                Reasons = reasons,
            });
            return;
        }
        long entries = Appended(Changelog(old));
        if (_log.FindTopic(Changelog(old)) is not null)
            _removals.Add(new Removal(Changelog(old), old.Name));
        Add(entries == 0
            ? Fine("store", old.Name, $"{what}; nothing is in it, and its changelog is deleted") with
            {
                Reasons = reasons,
            }
            : Loss("store", old.Name, $"{what}, and holds what {entries:N0} changes made") with
            {
                Reasons = reasons,
                WaysOut = [.. waysOut, .. Reprocess(),
                    $"drop it, with its changelog and its snapshots: {Accept(old.Name)}"],
            });
    }

    private IEnumerable<string> Reprocess()
    {
        string from = string.Join(", ", _now.Sources.Where(s => _log.FindTopic(s.Name) is not null)
            .Select(s => $"{s.Name} {Offsets(_log.FindTopic(s.Name)!, _log.StartOffset)}"));
        if (from.Length > 0)
            yield return "reprocess: run it with a data directory and sinks of its own, where the sources " +
                "can "
                + $"be read again; or under another application id, which reads all that is kept ({from}) " +
                    $"and "
                + "writes its outputs again";
    }

    private static IEnumerable<string> Differences(RecordedStore old, RecordedStore now)
    {
        if (old.Shape.Kind == "savepoints" && now.Shape.Kind == "savepoints")
        {
            if (now.Shape.Value != old.Shape.Value
                && !now.Shape.Value.StartsWith(old.Shape.Value + ",", StringComparison.Ordinal))
                yield return $"it undoes changes of {old.Shape.Value}, by their order, which is now "
                    + now.Shape.Value;
        }
        else
        {
            foreach (string difference in Differences(old.Shape, now.Shape))
                yield return difference;
        }
        if (old.Partitions != now.Partitions)
            yield return $"its partitions changed from {old.Partitions} to {now.Partitions}, "
                + "so keys would be looked for in the wrong ones";
        if (old.Logged && !now.Logged)
            yield return "its changes are not logged any more";
    }

    private static IEnumerable<string> Differences(StoreShape old, StoreShape now)
    {
        if (old.Kind != now.Kind)
        {
            yield return $"its type changed from {old.Kind} to {now.Kind}";
            yield break;
        }
        if (old.Key != now.Key)
            yield return $"the codec of its keys changed from {old.Key} to {now.Key}";
        else
            foreach (string change in SchemaDifferences(old.KeySchema, now.KeySchema))
                yield return change;
        if (old.Value != now.Value)
            yield return $"the codec of its values changed from {old.Value} to {now.Value}";
        else
            foreach (string change in SchemaDifferences(old.ValueSchema, now.ValueSchema))
                yield return change;
        if (old.Windows != now.Windows)
            yield return $"its windows changed from {old.Windows} to {now.Windows}";
        if (old.RetentionMs != now.RetentionMs)
            yield return $"the time it keeps changed from {Span(old.RetentionMs)} to {Span(now.RetentionMs)}";
        else if (old.StretchMs != now.StretchMs)
            yield return $"how it divides time changed from {Span(old.StretchMs)} to {Span(now.StretchMs)}";
    }

    // A description may grow; words in it may change. Whether its version went up is for its own tests.
    private static IEnumerable<string> SchemaDifferences(string? old, string? now)
    {
        if (old is null || now is null || old == now)
            return [];
        RecordSchema older = SchemaText.Read(old);
        RecordSchema newer = SchemaText.Read(now);
        return SchemaChanges.FindIncompatible(older, newer with { Version = older.Version + 1 })
            .Select(c => "its record changed: " + c.TrimEnd('.'));
    }

    private IEnumerable<RecordedStore> NewStores() =>
        _now.Stores.Where(n => _old.Stores.All(o => o.Name != n.Name)
            && n.Name is not (Topology.SavepointStore or Topology.StreamTimeStore));

    private long Appended(string name) => _log.FindTopic(name) is { } topic
        ? Enumerable.Range(0, topic.Partitions).Sum(p => _log.EndOffset(topic[p]))
        : 0;

    private static string Span(long milliseconds) => TimeSpan.FromMilliseconds(milliseconds).ToString();
}
