using System.Globalization;
using System.Text;
using Streams.Connect;
using Streams.Records;

using Streams.Tests.Reference;

namespace Streams.Tests.Simulation;

/// <summary>
/// A system outside that has records to give. It survives every crash of the engine, and gives again what
/// nobody has acknowledged: in the same order, or each key's in its order and the keys mixed anew, with
/// repetitions.
/// </summary>
internal sealed class SimulatedFeed
{
    private readonly Random _random;

    /// <summary>Draws the feed's records.</summary>
    internal SimulatedFeed(string topic, int seed, int records, Coverage seen)
    {
        Topic = topic;
        Seen = seen;
        _random = new Random(seed);
        IsQueue = _random.Next(2) == 0;
        long timeMs = 1_700_000_000_000 + _random.Next(10_000);
        int keys = _random.Next(1, 8);
        // Coarse times meet one another, and the borders of windows.
        long grainMs = _random.Next(3) switch { 0 => 1, 1 => 500, _ => 5_000 };
        var counts = new Dictionary<string, int>();
        for (int i = 0; i < records; i++)
        {
            timeMs += _random.Next(6) == 0 ? _random.Next(100_000) : _random.Next(3_000);
            long lateMs = _random.Next(5) == 0 ? _random.Next(_random.Next(2) == 0 ? 10_000 : 400_000) : 0;
            string? key = _random.Next(20) == 0 ? null : $"k{_random.Next(keys)}";
            string? value = _random.Next(8) == 0 ? null : $"v{i}";
            string lane = key ?? "";
            counts[lane] = counts.GetValueOrDefault(lane) + 1;
            string headers = _random.Next(4) == 0 ? $"h=x{i}" : "";
            Items.Add(new FeedItem(lane, counts[lane], i, new Row(
                key, value, (timeMs - lateMs) / grainMs * grainMs, headers)));
        }
    }

    /// <summary>What happened.</summary>
    internal Coverage Seen { get; }

    /// <summary>The topic that its records go to.</summary>
    internal string Topic { get; }

    /// <summary>Whether it is a queue, which may repeat and mix keys; else a log, which is read from a
    /// place.</summary>
    internal bool IsQueue { get; }

    /// <summary>Everything that it has.</summary>
    internal List<FeedItem> Items { get; } = [];

    /// <summary>How it is run.</summary>
    internal SourceBinding<string, string> Binding => new(
        $"feed-{Topic}", Topic, Serdes.String, Serdes.String, () => new FeedSource(this, _random));

    /// <summary>Whether records that are in the topic are the feed's, none twice and each key's in
    /// order.</summary>
    /// <returns>What is wrong; null for nothing.</returns>
    internal string? Compare(IEnumerable<Row> rows, bool complete)
    {
        foreach (IGrouping<string, FeedItem> lane in Items.GroupBy(i => i.Lane))
        {
            List<Row> found = [.. rows.Where(r => (r.Key ?? "") == lane.Key)];
            List<Row> expected = [.. lane.Select(i => i.Row)];
            if (!found.SequenceEqual(expected.Take(found.Count))
                || (complete && found.Count < expected.Count))
                return $"{Topic} has for key '{lane.Key}' [{string.Join(", ", found)}], not " +
                    $"[{string.Join(", ", expected)}]";
        }
        return null;
    }
}

/// <summary>A record of a feed.</summary>
/// <param name="Lane">Its key; empty for none.</param>
/// <param name="Number">Its place among those of its key, from 1.</param>
/// <param name="Place">Its place among all.</param>
/// <param name="Row">The record.</param>
internal readonly record struct FeedItem(string Lane, int Number, int Place, Row Row);

/// <summary>The source that reads a feed, as an author of a connector would write it.</summary>
internal sealed class FeedSource(SimulatedFeed feed, Random random) : ISource<string, string>
{
    private readonly Dictionary<string, int> _emitted = [];
    private readonly Queue<FeedItem> _delivery = [];
    private int _place;

    public void Open(SourceContext context)
    {
        if (random.Next(20) == 0)
        {
            feed.Seen.Count("source did not answer");
            throw new UnavailableException("The feed does not answer.");
        }
        if (!feed.IsQueue)
        {
            _place = (int)Number(context.Cursor("place"));
            feed.Items.Skip(_place).ToList().ForEach(_delivery.Enqueue);
            return;
        }
        foreach ((string key, byte[] value) in context.Cursors())
            _emitted[key[1..]] = (int)Number(value);
        Deliver();
    }

    public ValueTask<SourceStatus> ReadAsync(
        SourceOutput<string, string> output, CancellationToken cancellation)
    {
        for (int count = random.Next(1, 8); count > 0 && _delivery.TryDequeue(out FeedItem item); count--)
        {
            if (random.Next(200) == 0)
            {
                feed.Seen.Count("source lost its connection");
                throw new UnavailableException("The connection is lost.");
            }
            Emit(output, item);
        }
        return ValueTask.FromResult(_delivery.Count > 0 ? SourceStatus.More : SourceStatus.Done);
    }

    public void Dispose()
    {
    }

    private void Emit(SourceOutput<string, string> output, FeedItem item)
    {
        if (feed.IsQueue)
        {
            if (item.Number <= _emitted.GetValueOrDefault(item.Lane))
            {
                feed.Seen.Count("source repeated a record");
                return;
            }
            if (item.Place < _place)
                feed.Seen.Count("source reordered records");
            _place = item.Place;
            _emitted[item.Lane] = item.Number;
            output.SetCursor("k" + item.Lane, Bytes(item.Number));
        }
        else
        {
            output.SetCursor("place", Bytes(++_place));
        }
        output.Emit(new Record<string, string>(
            item.Row.Key!, item.Row.Value!, item.Row.TimestampMs, LoggedRow.Encode(item.Row.Headers)));
    }

    // Some of each key's that are known already, then the rest; the keys take turns at random.
    private void Deliver()
    {
        List<Queue<FeedItem>> lanes = [.. feed.Items.GroupBy(i => i.Lane).Select(lane =>
            new Queue<FeedItem>(lane.Skip(Math.Max(
                0, _emitted.GetValueOrDefault(lane.Key) - random.Next(3)))))];
        while (lanes.RemoveAll(l => l.Count == 0) >= 0 && lanes.Count > 0)
            _delivery.Enqueue(lanes[random.Next(lanes.Count)].Dequeue());
    }

    private static long Number(byte[]? cursor) =>
        cursor is null ? 0 : long.Parse(Encoding.ASCII.GetString(cursor), CultureInfo.InvariantCulture);

    private static byte[] Bytes(int number) =>
        Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));
}
