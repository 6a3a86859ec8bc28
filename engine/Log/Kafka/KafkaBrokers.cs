using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Streams.Telemetry;
using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>Whether the brokers answer and let this process in, as all its clients hear it. Thread-safe.
/// </summary>
internal sealed class KafkaBrokers : IDisposable
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);

    private readonly KafkaLogOptions _options;
    private readonly ILogger _logger;
    private volatile LogException? _refusal;
    private volatile string? _lastError;
    private volatile string? _trouble;
    private volatile bool _isConnected;
    private volatile bool _isSuspect;

    /// <summary>Makes the first client, whose options are checked with it.</summary>
    /// <exception cref="KafkaOptionException">An option is wrong, or a file of keys is.</exception>
    internal KafkaBrokers(KafkaLogOptions options, string clientId, ILogger logger)
    {
        _options = options;
        _logger = logger;
        var config = new Client.AdminClientConfig(KafkaProperties.Common(options, $"{clientId}-admin"));
        try
        {
            Admin = new Client.AdminClientBuilder(config)
                .SetLogHandler(logger.KafkaSays).SetErrorHandler(Note).Build();
        }
        catch (InvalidOperationException e)
        {
            // What librdkafka finds only when it is put to use, such as a key that is not the certificate's.
            throw new KafkaOptionException($"Kafka: {e.Message}. Check the options of kafka.security.");
        }
    }

    /// <summary>Asks about topics and groups.</summary>
    internal Client.IAdminClient Admin { get; }

    /// <summary>Why no broker can be reached; null while one can.</summary>
    internal string? Trouble => _trouble;

    /// <summary>Connects.</summary>
    /// <returns>The cluster's id.</returns>
    /// <exception cref="LogInterruptedException">No broker answers.</exception>
    /// <exception cref="LogUnavailableException">They refuse.</exception>
    internal string Connect()
    {
        nint handle = Librdkafka.HandleOf(Admin);
        long until = Environment.TickCount64 + (long)_options.RequestTimeout.TotalMilliseconds;
        while (true)
        {
            nint id = Librdkafka.ClusterId(handle, 100);
            if (id != 0)
            {
                _isConnected = true;
                _isSuspect = false;
                string text = Marshal.PtrToStringUTF8(id)!;
                Librdkafka.MemFree(handle, id);
                return text;
            }
            if (_isSuspect && _refusal is { } refusal)
                throw refusal;
            if (Environment.TickCount64 > until)
                throw new LogInterruptedException(
                    $"Kafka at {_options.Brokers} does not answer within kafka.request_timeout, "
                    + $"{_options.RequestTimeout.TotalSeconds:N0} s"
                    + (_lastError is { } error ? $": {error}." : "."));
        }
    }

    /// <summary>Takes what a client says.</summary>
    internal void Note(Client.IClient client, Client.Error error)
    {
        // At the start it ends in one line that says it all.
        if (_isConnected)
            _logger.KafkaFails(client, error);
        if (error.Code == Client.ErrorCode.Local_AllBrokersDown)
            _isSuspect = true;
        else
            _lastError = error.Reason;
        if (KafkaFailures.Of(error, "connecting", _options.Brokers) is LogUnavailableException refusal)
            _refusal = refusal;
    }

    /// <summary>Finds out whether they answer, where a client has lost them all.</summary>
    internal void Probe()
    {
        if (!_isSuspect)
            return;
        try
        {
            Admin.GetMetadata("__consumer_offsets", ProbeTimeout);
            _isSuspect = false;
            if (_trouble is not null)
                _logger.BrokersAnswerAgain(_options.Brokers);
            _trouble = null;
        }
        catch (Client.KafkaException e)
        {
            _trouble = $"no broker of {_options.Brokers} answers: {_lastError ?? e.Error.Reason}";
        }
    }

    /// <summary>The members of a group, as client and host each.</summary>
    internal IReadOnlyList<string> MembersOf(string group)
    {
        // One that nobody knows is none at all.
        Client.GroupInfo? info = KafkaFailures.Ask<Client.GroupInfo?>(
            $"asking for the members of the group '{group}'", _options.Brokers,
            () => Admin.ListGroup(group, _options.RequestTimeout));
        if (info is null)
            return [];
        if (info.Error.IsError && info.Error.Code != Client.ErrorCode.GroupIdNotFound)
            throw KafkaFailures.Of(
                info.Error, $"asking for the members of the group '{group}'", _options.Brokers);
        return [.. info.Members.Select(m => $"{m.ClientId} at {m.ClientHost.TrimStart('/')}")];
    }

    /// <inheritdoc/>
    public void Dispose() => Admin.Dispose();
}
