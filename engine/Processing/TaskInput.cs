using Streams.Log;
using Streams.Records;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>One partition that a task reads: a batch of it, and the next record decoded and ready.</summary>
internal abstract class TaskInput(GraphNode node, TopicPartition partition) : IDisposable
{
    internal GraphNode Node { get; } = node;

    internal TopicPartition Partition { get; } = partition;

    /// <summary>Where the next batch is to be read from.</summary>
    internal long FetchOffset { get; private set; }

    /// <summary>The next offset to process: what a commit records.</summary>
    internal long Position { get; private protected set; }

    /// <summary>The position that the last commit records; the start where none does.</summary>
    internal long CommittedPosition { get; set; }

    /// <summary>Whether a record is decoded and waits.</summary>
    internal bool HasHead { get; private protected set; }

    /// <summary>The time of the record that waits.</summary>
    internal long HeadTimestampMs { get; private protected set; }

    /// <summary>The highest time extracted so far; -1 before the first.</summary>
    internal long PartitionTimeMs { get; set; } = -1;

    /// <summary>What is measured of it.</summary>
    internal InputFigures Figures { get; } = new();

    /// <summary>How a backfill tells its records apart; null while they all are new.</summary>
    internal InputTerritory? Territory { get; init; }

    /// <summary>The offset of the record that waits.</summary>
    private protected long HeadOffset { get; set; }

    /// <summary>The batch that is being worked off.</summary>
    private protected LogBatch? Batch { get; private set; }

    /// <summary>Starts at an offset.</summary>
    internal void Begin(long offset)
    {
        FetchOffset = Position = CommittedPosition = offset;
        HasHead = false;
    }

    /// <summary>Makes a record ready, reading on where the batch is used up.</summary>
    /// <returns>False when the partition has nothing more for now.</returns>
    internal bool Prepare(ILogReader reader)
    {
        while (!HasHead)
        {
            if (LoadHead())
                return true;
            // The batch is done: what it skipped at its end (compacted offsets, refused records) counts as
            // processed.
            Position = Math.Max(Position, FetchOffset);
            Batch ??= reader.CreateBatch();
            if (!reader.Read(Partition, FetchOffset, Batch))
                return false;
            FetchOffset = Batch.NextOffset;
        }
        return true;
    }

    /// <summary>Counts everything before an offset as processed.</summary>
    internal void SkipTo(long offset) => Position = offset;

    /// <summary>Decodes the next record of the batch that can be decoded.</summary>
    internal abstract bool LoadHead();

    /// <summary>Pushes the record that waits through the task.</summary>
    internal abstract void PushHead();

    /// <inheritdoc/>
    public void Dispose() => Batch?.Dispose();
}

/// <inheritdoc/>
internal sealed class TaskInput<TKey, TValue>(
    SourceNode<TKey, TValue> node, TopicPartition partition, TaskScope scope, RecordGuard guard,
    Serde<TKey> keySerde,
    Serde<TValue> valueSerde, TimestampExtractor<TKey, TValue>? extractor, Receiver<TKey, TValue> next)
    : TaskInput(node, partition)
{
    // 9999-12-31T23:59:59.999Z: what is later is a mistake, and would make every record after it late.
    private const long TimestampMsMax = 253_402_300_799_999;

    private TKey _key = default!;
    private TValue _value = default!;
    private Record<TKey, TValue> _head;
    private Territory _headTerritory;
    private byte[] _headers = [];

    internal override bool LoadHead()
    {
        while (Batch is not null && Batch.TryRead(out LogRecord record))
        {
            if (!guard.TryDecode(this, record))
                continue;
            HasHead = true;
            return true;
        }
        return false;
    }

    /// <summary>Decodes a record; the guard calls it and takes what it throws.</summary>
    /// <returns>False where the record is to be left out.</returns>
    internal bool Decode(in LogRecord record)
    {
        scope.CurrentNode = Node.Id;
        scope.CurrentPartition = Partition;
        scope.CurrentOffset = record.Offset;
        ReadOnlySpan<byte> headers = record.Headers;
        // Also where all records are new: a held record may have left another territory in the scope.
        scope.Territory = _headTerritory =
            Territory?.Of(record.Offset, ref headers) ?? Processing.Territory.New;
        if (record.HasKey)
            keySerde.Deserialize(record.Key, ref _key);
        if (record.HasValue)
            valueSerde.Deserialize(record.Value, ref _value);
        _head = new Record<TKey, TValue>(
            record.HasKey ? _key : default!, record.HasKey, record.HasValue ? _value
                : default!, record.HasValue,
            record.TimestampMs, headers.IsEmpty ? default : CopyHeaders(headers));
        HeadOffset = record.Offset;
        return Extract();
    }

    internal override void PushHead()
    {
        HasHead = false;
        scope.CurrentNode = Node.Id;
        scope.CurrentPartition = Partition;
        scope.CurrentOffset = HeadOffset;
        scope.Territory = _headTerritory;
        Position = HeadOffset + 1;
        if (HeadTimestampMs > scope.StreamTimeMs)
            scope.StreamTimeMs = HeadTimestampMs;
        next.Process(_head);
        if (scope.Punctuations.HasStreamTime)
            scope.Punctuations.PunctuateStreamTime(scope);
    }

    private bool Extract()
    {
        long timestampMs = extractor is null ? _head.TimestampMs : extractor(_head, PartitionTimeMs);
        if (timestampMs < 0)
        {
            SkipTo(HeadOffset + 1);
            guard.SkippedNegativeTimestamp();
            return false;
        }
        if (timestampMs > TimestampMsMax)
            throw new InvalidDataException(
                $"The record's time is {timestampMs} ms since 1970, which is after the year 9999: are those "
                + "microseconds or nanoseconds?");
        if (timestampMs != _head.TimestampMs)
            _head = _head.WithTimestamp(timestampMs);
        HeadTimestampMs = timestampMs;
        PartitionTimeMs = Math.Max(PartitionTimeMs, timestampMs);
        return true;
    }

    // Views of the batch would do until the next read, but a head can wait longer than that.
    private Headers CopyHeaders(ReadOnlySpan<byte> encoded)
    {
        if (_headers.Length < encoded.Length)
            _headers = new byte[Math.Max(encoded.Length, 256)];
        encoded.CopyTo(_headers);
        return new Headers(_headers.AsMemory(0, encoded.Length));
    }
}
