using System.Buffers.Binary;
using System.Text;
using Streams.Buffers;
using Streams.Connect;
using Streams.Log;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Telemetry;

namespace Streams.Dsl;

/// <summary>
/// Holds each record until its call has ended and its turn has come. What is held is in a store, so a commit
/// has the record there when it has the position behind it; the result is in memory only, for a record that
/// is held after a restart is called for again.
/// </summary>
/// <remarks>docs/decisions/0018-held-calls.md says why the commit does not wait instead. Precedents: Flink's
/// AsyncWaitOperator keeps its queue in state, Confluent's parallel consumer orders by key.</remarks>
internal sealed class MapValuesAsync<TKey, TValue, TResult>(
    string name, BytesStore held, Func<TKey, TValue, CancellationToken, Task<TResult>> mapper,
    AsyncMapped<TKey, TValue, TResult> mapped, Serde<TKey> keySerde, Serde<TValue> valueSerde)
    : Operator<TKey, TValue, TKey, TResult>, IAsyncOperator, IDisposable
{
    private const int NumberBytes = 8;

    private readonly AsyncCallOptions _options = mapped.Calls;
    private readonly PooledBuffer _entry = new();
    private readonly PooledBuffer _finished = new();
    private readonly byte[] _place = new byte[NumberBytes];
    private readonly Queue<HeldCall<TResult>> _startable = new();
    private readonly Dictionary<byte[], CallLane<TResult>> _lanes = new(KeyComparer.Instance);
    private readonly CallLane<TResult> _all = new(null, int.MaxValue);
    private AsyncCaller<TKey, TValue, TResult> _caller = null!;
    private HeldCall<TResult> _turn = null!;
    private TopicPartition _topicPartition = new(-1, -1);
    private byte[] _topic = [];
    private long _next;
    private long _bytes;
    private long _blockedSince;
    private int _calls;
    private int _fullLanes;
    private bool _isBlocked;
    private bool _isStopping;

    public AsyncFigures Figures { get; } = new(name);

    public bool IsFull =>
        Figures.Held >= _options.RecordsMax || _fullLanes > 0 || _bytes >= _options.HeldBytesMax;

    internal override void Open()
    {
        _caller = new AsyncCaller<TKey, TValue, TResult>(
            mapper, _options, mapped.RetryIf, Scope, Figures);
        Scope.Async.Add(this);
    }

    internal override void Process(in Record<TKey, TValue> record)
    {
        Enter();
        if (Scope.CurrentPartition != _topicPartition)
        {
            _topicPartition = Scope.CurrentPartition;
            _topic = Encoding.UTF8.GetBytes(Scope.TopicName(_topicPartition.Topic));
        }
        Range key = HeldRecord.Write(
            _entry, record, keySerde, valueSerde, _topic, _topicPartition.Partition, Scope.CurrentOffset,
            Scope.Territory);
        held.Put(PlaceOf(_next), _entry.WrittenSpan);
        Hold(_next++, record.HasKey, _entry.WrittenSpan[key], record.HasValue, _entry.Length);
        StartCalls();
    }

    public void Resume()
    {
        foreach ((byte[] place, byte[] entry) in held.All())
        {
            var record = new HeldRecord(entry);
            _next = BinaryPrimitives.ReadInt64BigEndian(place) + 1;
            Hold(_next - 1, record.HasKey, record.Key, record.HasValue, entry.Length);
        }
    }

    public int Forward(RecordGuard guard, IFailureSink failures)
    {
        int count = 0;
        while (_caller.TryTakeEnded(out HeldCall<TResult> ended))
        {
            ended.IsDone = true;
            if (ended.IsCall)
                Measure(ended);
            if (ended.Lane is not { } lane)
            {
                Pass(ended, guard, failures);
                count++;
                continue;
            }
            if (ended.IsCall)
                lane.Ended();
            for (; lane.Line.TryPeek(out HeldCall<TResult>? first) && first.IsDone; count++)
            {
                Leave(lane);
                Pass(first, guard, failures);
            }
            Release(lane);
        }
        StartCalls();
        return count;
    }

    public void PushFinished()
    {
        Enter();
        var record = new HeldRecord(_finished.WrittenSpan);
        TKey key = record.HasKey ? keySerde.Deserialize(record.Key) : default!;
        bool hasResult = record.HasValue;
        TResult result = _turn.Result!;
        if (_turn.Failure is { } failure)
            result = mapped.Fallback!(key, valueSerde.Deserialize(record.Value), failure);
        Next.Process(new Record<TKey, TResult>(
            key, record.HasKey, hasResult ? result : default!, hasResult && result is not null,
            record.TimestampMs, new Headers(_finished.WrittenMemory[record.HeaderRange])));
    }

    public void StopCalling() => _isStopping = true;

    public void Dispose()
    {
        _caller?.Dispose();
        _entry.Dispose();
        _finished.Dispose();
    }

    private void Hold(long number, bool hasKey, ReadOnlySpan<byte> key, bool isCall, int bytes)
    {
        Figures.Held++;
        _bytes += bytes;
        CallLane<TResult>? lane = LaneOf(hasKey, key);
        var call = new HeldCall<TResult>(number, lane, isCall);
        lane?.Line.Enqueue(call);
        if (lane?.Key is not null && lane.Line.Count == _options.KeyRecordsMax)
            _fullLanes++;
        if (!isCall)
            _caller.Skip(call);
        else if (lane is null)
            _startable.Enqueue(call);
        else
        {
            lane.Waiting.Enqueue(call);
            Release(lane);
        }
    }

    private CallLane<TResult>? LaneOf(bool hasKey, ReadOnlySpan<byte> key)
    {
        if (_options.Order == AsyncOrder.Partition)
            return _all;
        if (_options.Order == AsyncOrder.None || !hasKey)
            return null;
        Dictionary<byte[], CallLane<TResult>>.AlternateLookup<ReadOnlySpan<byte>> lanes =
            _lanes.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (!lanes.TryGetValue(key, out CallLane<TResult>? lane))
        {
            lane = new CallLane<TResult>(key.ToArray(), _options.KeyCallsMax);
            _lanes.Add(lane.Key!, lane);
        }
        return lane;
    }

    private void Leave(CallLane<TResult> lane)
    {
        if (lane.Key is not null && lane.Line.Count == _options.KeyRecordsMax)
            _fullLanes--;
        lane.Line.Dequeue();
        if (lane.Key is not null && lane.Line.Count == 0)
            _lanes.Remove(lane.Key);
    }

    private void Release(CallLane<TResult> lane)
    {
        while (lane.TryRelease(out HeldCall<TResult> call))
            _startable.Enqueue(call);
    }

    private void StartCalls()
    {
        while (_calls < _options.CallsMax && !_isStopping && _startable.Count > 0 && MayStart())
            Start(_startable.Dequeue());
    }

    // Attempts that do not heed their token run on beside the others; that has a bound too.
    private bool MayStart()
    {
        bool wasBlocked = _isBlocked;
        _isBlocked = _caller.LeftBehind >= _options.CallsMax;
        if (_isBlocked && !wasBlocked)
            _blockedSince = Scope.Clock.GetTimestamp();
        if (_isBlocked && Scope.Clock.GetElapsedTime(_blockedSince) > _options.AttemptTimeout)
            throw new InvalidOperationException(
                $"{_caller.LeftBehind:N0} calls of '{name}' still run although their time of "
                + $"{_options.AttemptTimeout.TotalSeconds} s has been over for as long: they do not heed "
                + "the cancellation token. Pass it on to whatever the call waits for.");
        return !_isBlocked;
    }

    private void Start(HeldCall<TResult> call)
    {
        Figures.Calls = ++_calls;
        call.Started = Scope.Clock.GetTimestamp();
        held.TryGet(PlaceOf(call.Number), out ReadOnlySpan<byte> entry);
        var record = new HeldRecord(entry);
        _caller.Begin(
            call, record.HasKey ? keySerde.Deserialize(record.Key) : default!,
            valueSerde.Deserialize(record.Value));
    }

    private void Measure(HeldCall<TResult> ended)
    {
        Figures.Calls = --_calls;
        EngineMeter.RecordCall(
            name, ended.Failure is null ? "done" : "failed", Scope.Clock.GetElapsedTime(ended.Started));
    }

    // Takes it out of the store and passes it on, or does what is to be done with its failure.
    private void Pass(HeldCall<TResult> call, RecordGuard guard, IFailureSink failures)
    {
        ReadOnlySpan<byte> place = PlaceOf(call.Number);
        held.TryGet(place, out ReadOnlySpan<byte> entry);
        _finished.Clear();
        _finished.Write(entry);
        _turn = call;
        var record = new HeldRecord(_finished.WrittenSpan);
        Scope.CurrentPartition = PartitionOf(record);
        Scope.CurrentOffset = record.Offset;
        Scope.Territory = record.Territory;
        Scope.CurrentNode = Node;
        if (call.Failure is { } failure && _options.OnFailure == AsyncFailure.Stop)
            throw Stopping(failure, record);
        held.Delete(place);
        Figures.Held--;
        _bytes -= _finished.Length;
        if (call.Failure is not null && _options.OnFailure == AsyncFailure.DeadLetter)
            failures.ReportCurrent(FailureStage.Processing, FailurePolicy.DeadLetter, call.Failure);
        else
            guard.Forward(this);
    }

    private Exception Stopping(Exception failure, in HeldRecord record)
    {
        string message =
            $"'{name}' failed for the record at offset {record.Offset} of {record.Topic} "
            + $"{record.Partition}: {failure.Message}";
        return _caller.MayPass(failure)
            ? new UnavailableException(message, failure)
            : new AsyncCallException(message, failure);
    }

    private TopicPartition PartitionOf(in HeldRecord record) =>
        record.Partition == _topicPartition.Partition && record.TopicBytes.SequenceEqual(_topic)
            ? _topicPartition
            : Scope.Topic(record.Topic)[record.Partition];

    private ReadOnlySpan<byte> PlaceOf(long number)
    {
        BinaryPrimitives.WriteInt64BigEndian(_place, number);
        return _place;
    }

    /// <summary>Keys by their bytes.</summary>
    private sealed class KeyComparer
        : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        internal static readonly KeyComparer Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(byte[] key) => GetHashCode(key.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)KeyHash.Of(alternate);

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}

/// <summary>A call failed in a way that another attempt does not help, and the operator is to stop
/// then.</summary>
public sealed class AsyncCallException(string message, Exception inner) : Exception(message, inner);
