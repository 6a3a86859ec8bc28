using System.Runtime.InteropServices;
using Streams.Records;
using Streams.Telemetry;
using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>Sends the records and positions of one commit after the other. For one thread at a
/// time.</summary>
internal sealed unsafe class KafkaSender : IDisposable
{
    private const int ArgumentsMax = 6;
    private const int PurgeAll = 3;

    // How many times as long as one request what can go on is waited for: nothing is lost by patience.
    private const int Patience = 10;

    private static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ReturnWait = TimeSpan.FromMilliseconds(50);

    private readonly KafkaLog _log;
    private readonly Client.IProducer<Client.Null, Client.Null> _producer;
    private readonly nint _handle;
    private readonly bool _transactional;
    private readonly Dictionary<int, nint> _topics = [];
    private readonly Librdkafka.Argument* _arguments;
    private readonly TimeSpan _attempt;
    private volatile Client.Error? _fatal;
    private bool _broken;

    internal KafkaSender(KafkaLog log, string? transactionalId)
    {
        _log = log;
        _attempt = log.Options.RequestTimeout < AttemptTimeout ? log.Options.RequestTimeout : AttemptTimeout;
        _transactional = transactionalId is not null;
        _producer = new Client.ProducerBuilder<Client.Null, Client.Null>(
            KafkaProperties.Producer(
                log.Options, transactionalId ?? log.ClientId, transactionalId,
                log.TopicsOf.RecordBytesMax()))
            .SetLogHandler(log.Logger.KafkaSays)
            .SetErrorHandler((client, error) =>
            {
                log.Brokers.Note(client, error);
                if (error.IsFatal
                    || KafkaFailures.Of(error, "writing", log.Options.Brokers) is LogUnavailableException)
                    _fatal = error;
            })
            .Build();
        _handle = Librdkafka.HandleOf(_producer);
        _arguments = (Librdkafka.Argument*)NativeMemory.AllocZeroed(
            ArgumentsMax, (nuint)sizeof(Librdkafka.Argument));
        if (_transactional)
            Initialise(transactionalId!);
    }

    private long PatienceMs => (long)(Patience * _log.Options.RequestTimeout.TotalMilliseconds);

    /// <summary>A call that was not waited for any longer; null for none. Until it returns, neither this nor
    /// what was to be sent may be disposed of.</summary>
    internal Task? Abandoned { get; private set; }

    /// <summary>Sends the records, and moves the positions with them.</summary>
    /// <exception cref="LogInterruptedException">It failed and nothing of it is visible; a new writer has to
    /// begin at the last commit.</exception>
    internal void Commit(
        RecordPages records, IReadOnlyDictionary<(string Group, TopicPartition Partition), long> offsets)
    {
        if (_broken)
            throw new LogInterruptedException("A commit before failed.");
        _broken = true;
        // Positions of a group without members fence nobody: without records they need no transaction.
        if (!_transactional || (records.Count == 0 && offsets.Keys.All(o => !_log.IsMember(o.Group))))
            CommitPlainly(records, offsets);
        else
            CommitTransaction(records, offsets);
        _broken = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The memory of what was not sent is about to be freed.
        _ = Librdkafka.Purge(_handle, PurgeAll);
        foreach (nint topic in _topics.Values)
            Librdkafka.TopicDestroy(topic);
        _producer.Dispose();
        NativeMemory.Free(_arguments);
    }

    // What has failed here is tried again with another client, so this one must not be left behind.
    private void Initialise(string transactionalId)
    {
        bool isUp = false;
        try
        {
            Retry($"starting transactions as '{transactionalId}'", _producer.InitTransactions);
            isUp = true;
        }
        finally
        {
            if (!isUp)
                Dispose();
        }
    }

    // What an abort takes back is still here, so it is sent again: after a broker's failure, or when the
    // group was just being rebalanced around us. It is given up once the lanes it belongs to are somebody
    // else's.
    private void CommitTransaction(
        RecordPages records, IReadOnlyDictionary<(string Group, TopicPartition Partition), long> offsets)
    {
        long until = Environment.TickCount64 + (long)_log.Options.RequestTimeout.TotalMilliseconds;
        while (true)
        {
            try
            {
                TryCommitTransaction(records, offsets);
                return;
            }
            catch (AbortRequiredException e)
            {
                // Where a topic was refused, there is nothing that the coordinator could abort.
                if (e.Failure is LogUnavailableException)
                    throw new LogUnavailableException(
                        $"{e.Message} The transaction wrote to {NamesOf(records)}.");
                Abort();
                if (e.Failure is RecordTooLargeException)
                    throw TooLarge(records, e.Failure);
                if (e.Failure is not LogInterruptedException || _log.HasLostLanes || _log.IsOverdue
                    || Environment.TickCount64 > until)
                    throw e.Failure;
                _log.Logger.TransactionSentAgain(e.Message);
                Thread.Sleep(RetryWait);
            }
        }
    }

    private void TryCommitTransaction(
        RecordPages records, IReadOnlyDictionary<(string Group, TopicPartition Partition), long> offsets)
    {
        Retry("beginning a transaction", _ => _producer.BeginTransaction());
        Send(records);
        foreach (IGrouping<string, KeyValuePair<(string Group, TopicPartition Partition), long>> group
            in offsets.GroupBy(o => o.Key.Group))
        {
            Client.IConsumerGroupMetadata metadata = _log.MetadataOf(group.Key);
            List<Client.TopicPartitionOffset> positions = [.. group.Select(Position)];
            Retry(
                $"committing positions of the group '{_log.GroupOf(group.Key)}'",
                timeout => SendOffsets(positions, metadata, timeout));
        }
        Retry("committing", _producer.CommitTransaction);
    }

    // While the group's coordinator is away, librdkafka waits for it beyond any timeout (its issue 5456).
    // The transaction is then given up together with the client; nobody commits it any more, so it does not
    // matter that the call goes on.
    private void SendOffsets(
        List<Client.TopicPartitionOffset> positions, Client.IConsumerGroupMetadata metadata, TimeSpan timeout)
    {
        long until = Environment.TickCount64 + PatienceMs;
        Task call = Task.Factory.StartNew(
            () => _producer.SendOffsetsToTransaction(positions, metadata, timeout), CancellationToken.None,
            TaskCreationOptions.LongRunning, TaskScheduler.Default);
        while (Task.WaitAny([call], ReturnWait) < 0)
        {
            if (!_log.IsOverdue && Environment.TickCount64 < until)
                continue;
            Abandoned = call;
            throw new LogInterruptedException(
                $"Kafka at {_log.Options.Brokers}: the group's coordinator does not take the positions.");
        }
        call.GetAwaiter().GetResult();
    }

    private string NamesOf(RecordPages records)
    {
        var topics = new HashSet<int>();
        foreach (ref readonly RecordPages.Entry entry in records.Entries)
            topics.Add(entry.Partition.Topic);
        return string.Join(
            ", ", topics.Select(t => _log.TopicsOf.ById(t).Name).Order(StringComparer.Ordinal));
    }

    // A topic may take less than when it was looked up: then the commit before is where to go on, and what is
    // too large meets its operator's policy.
    private LogException TooLarge(RecordPages records, LogException refusal)
    {
        var largest = new Dictionary<int, (int Bytes, int Partition)>();
        foreach (ref readonly RecordPages.Entry entry in records.Entries)
        {
            int bytes = Math.Max(entry.KeyBytes, 0) + Math.Max(entry.ValueBytes, 0) + entry.HeaderBytes;
            (int topic, int partition) = entry.Partition;
            if (!largest.TryGetValue(topic, out (int Bytes, int) known) || known.Bytes < bytes)
                largest[topic] = (bytes, partition);
        }
        if (_log.TopicsOf.HaveShrunk(largest.Keys))
            return new LogInterruptedException(refusal.Message);
        string sizes = string.Join(", ", largest.Select(
            l => $"{l.Value.Bytes:N0} bytes to {_log.TopicsOf.ById(l.Key).Name} {l.Value.Partition}"));
        return new RecordTooLargeException($"{refusal.Message} The largest records were: {sizes}.");
    }

    private void CommitPlainly(
        RecordPages records, IReadOnlyDictionary<(string Group, TopicPartition Partition), long> offsets)
    {
        if (records.Count > 0)
        {
            Send(records);
            if (_producer.Flush(_log.Options.RequestTimeout) > 0 || _fatal is not null)
                throw Failure(_fatal ?? new Client.Error(Client.ErrorCode.Local_TimedOut), "sending records");
        }
        foreach (IGrouping<string, KeyValuePair<(string Group, TopicPartition Partition), long>> group
            in offsets.GroupBy(o => o.Key.Group))
            _log.CommitPositions(group.Key, [.. group.Select(Position)]);
    }

    private Client.TopicPartitionOffset Position(
        KeyValuePair<(string Group, TopicPartition Partition), long> offset) =>
        new(_log.TopicsOf.Of(offset.Key.Partition), offset.Value);

    private void Send(RecordPages records)
    {
        foreach (ref readonly RecordPages.Entry entry in records.Entries)
        {
            int count = Fill(entry);
            while (Librdkafka.Take(Librdkafka.Produce(_handle, _arguments, count)) is { } error)
            {
                if (error.Code != Client.ErrorCode.Local_QueueFull)
                    throw Failure(error, $"writing to {_log.TopicsOf.Describe(entry.Partition)}");
                Thread.Sleep(1);
                count = Fill(entry);
            }
        }
    }

    private int Fill(in RecordPages.Entry entry)
    {
        Librdkafka.Argument* next = _arguments;
        *next++ = new() { Type = Librdkafka.ArgumentType.Topic, Pointer = TopicOf(entry.Partition.Topic) };
        *next++ = new() { Type = Librdkafka.ArgumentType.Partition, Int32 = entry.Partition.Partition };
        // librdkafka takes 0 for "now", and brokers know no time before 1970.
        long timestampMs = Math.Max(entry.TimestampMs, 1);
        *next++ = new() { Type = Librdkafka.ArgumentType.Timestamp, Int64 = timestampMs };
        if (entry.KeyBytes >= 0)
            *next++ = new()
            {
                Type = Librdkafka.ArgumentType.Key,
                Pointer = (nint)entry.Start,
                Size = entry.KeyBytes,
            };
        if (entry.ValueBytes >= 0)
            *next++ = new()
            {
                Type = Librdkafka.ArgumentType.Value,
                Pointer = (nint)entry.Value,
                Size = entry.ValueBytes,
            };
        if (entry.HeaderBytes > 0)
            *next++ = new() { Type = Librdkafka.ArgumentType.Headers, Pointer = HeadersOf(entry.Headers) };
        return (int)(next - _arguments);
    }

    // The client takes them over when it takes the record.
    private static nint HeadersOf(ReadOnlySpan<byte> encoded)
    {
        nint headers = Librdkafka.HeadersNew(8);
        foreach (Headers.Header header in Headers.Of(encoded))
        {
            fixed (byte* name = header.Name, value = header.Value)
            {
                byte empty = 0;
                _ = Librdkafka.HeaderAdd(
                    headers, name, header.Name.Length,
                    header.HasValue ? (value is null ? &empty : value) : null, header.Value.Length);
            }
        }
        return headers;
    }

    private nint TopicOf(int id)
    {
        ref nint topic = ref CollectionsMarshal.GetValueRefOrAddDefault(_topics, id, out bool known);
        if (!known)
            topic = Librdkafka.TopicNew(_handle, _log.TopicsOf.ById(id).Name, 0);
        return topic;
    }

    private void Retry(string doing, Action<TimeSpan> request)
    {
        long until = Environment.TickCount64 + PatienceMs;
        while (true)
        {
            try
            {
                request(_attempt);
                return;
            }
            catch (Client.KafkaTxnRequiresAbortException e)
            {
                throw new AbortRequiredException(Failure(e.Error, doing));
            }
            catch (Client.KafkaRetriableException) when (
                Environment.TickCount64 < until && !_log.IsOverdue)
            {
                // The same call goes on where it was.
                Thread.Sleep(RetryWait);
            }
            catch (Client.KafkaException e)
            {
                throw Failure(_fatal ?? e.Error, doing);
            }
        }
    }

    // What is not aborted here, the next producer of this name or the transaction's timeout aborts.
    private void Abort()
    {
        try
        {
            Retry("aborting a transaction", _producer.AbortTransaction);
        }
        catch (AbortRequiredException e)
        {
            throw e.Failure;
        }
    }

    private LogException Failure(Client.Error error, string doing) =>
        KafkaFailures.Of(error, doing, _log.Options.Brokers);

    private sealed class AbortRequiredException(LogException failure) : Exception(failure.Message)
    {
        internal LogException Failure { get; } = failure;
    }
}
