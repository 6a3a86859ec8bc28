using System.Runtime.InteropServices;
using System.Text;
using Streams.Errors;
using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>Turns options into librdkafka's properties, and checks those that are passed through.</summary>
internal static class KafkaProperties
{
    private const int ProducedBytesMax = 64 << 20;
    private const int HeartbeatMsMax = 250;

    // What exactly-once rests on is not left to chance.
    private static readonly HashSet<string> Owned = new(StringComparer.Ordinal)
    {
        "bootstrap.servers", "metadata.broker.list", "group.id", "group.instance.id", "transactional.id",
        "enable.auto.commit", "enable.auto.offset.store", "enable.idempotence", "isolation.level",
        "partition.assignment.strategy", "auto.offset.reset", "enable.partition.eof", "session.timeout.ms",
        "transaction.timeout.ms", "security.protocol", "sasl.mechanisms", "sasl.mechanism", "sasl.username",
        "sasl.password", "ssl.ca.location", "ssl.certificate.location", "ssl.key.location",
        "ssl.key.password", "enable.gapless.guarantee", "acks", "request.required.acks",
    };

    /// <summary>How long a broker that has nothing new lets a reader wait, in milliseconds: so much later it
    /// is known that a partition has ended.</summary>
    internal const int FetchWaitMaxMs = 50;

    /// <summary>Whether records are sent compressed.</summary>
    internal static bool IsCompressing(KafkaLogOptions options) => options.Properties.Any(
        p => (p.StartsWith("compression.type=", StringComparison.Ordinal)
            || p.StartsWith("compression.codec=", StringComparison.Ordinal))
            && !p.EndsWith("=none", StringComparison.Ordinal));

    /// <summary>What every client of the log has in common.</summary>
    /// <exception cref="KafkaOptionException">A property is unknown, or its value is not allowed.</exception>
    internal static Dictionary<string, string> Common(KafkaLogOptions options, string clientId)
    {
        Librdkafka.Require();
        CheckSecurity(options);
        var common = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["bootstrap.servers"] = options.Brokers,
            ["client.id"] = clientId,
            ["security.protocol"] = options.Security switch
            {
                KafkaSecurity.Ssl => "ssl",
                KafkaSecurity.SaslPlaintext => "sasl_plaintext",
                KafkaSecurity.SaslSsl => "sasl_ssl",
                _ => "plaintext",
            },
            ["allow.auto.create.topics"] = "false",
            ["reconnect.backoff.max.ms"] = "2000",
            ["socket.keepalive.enable"] = "true",
        };
        Add(common, "ssl.ca.location", options.SslCaFile);
        Add(common, "ssl.certificate.location", options.SslCertificateFile);
        Add(common, "ssl.key.location", options.SslKeyFile);
        Add(common, "ssl.key.password", options.SslKeyPassword);
        if (options.Security is KafkaSecurity.SaslPlaintext or KafkaSecurity.SaslSsl)
        {
            common["sasl.mechanism"] = options.SaslMechanism;
            Add(common, "sasl.username", options.SaslUsername);
            Add(common, "sasl.password", options.SaslPassword);
        }
        foreach (string property in options.Properties)
            AddPassed(common, property);
        Validate(common);
        return common;
    }

    /// <summary>A consumer that belongs to no group's members; it reads, or asks for offsets.</summary>
    internal static Client.ConsumerConfig Reader(
        KafkaLogOptions options, string clientId, string group, Client.IsolationLevel level) =>
        new(Common(options, clientId))
        {
            GroupId = group,
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            EnablePartitionEof = true,
            IsolationLevel = level,
            AutoOffsetReset = Client.AutoOffsetReset.Error,
            QueuedMaxMessagesKbytes = Math.Max(options.FetchAheadBytesMax >> 10, 1024),
            // Bytes are the bound: at the number of messages the client would pause fetching for a second.
            QueuedMinMessages = 1_000_000,
            MaxPartitionFetchBytes = Math.Clamp(options.FetchAheadBytesMax / 8, 1 << 20, 8 << 20),
            FetchWaitMaxMs = FetchWaitMaxMs,
        };

    /// <summary>A member of the application's group.</summary>
    internal static Client.ConsumerConfig Member(KafkaLogOptions options, string clientId, string group)
    {
        var config = new Client.ConsumerConfig(Common(options, clientId))
        {
            GroupId = group,
            GroupInstanceId = options.Instance is { } instance ? $"{group}-{instance}" : null,
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            AutoOffsetReset = Client.AutoOffsetReset.Latest,
            PartitionAssignmentStrategy = Client.PartitionAssignmentStrategy.CooperativeSticky,
            SessionTimeoutMs = (int)options.SessionTimeout.TotalMilliseconds,
            MaxPollIntervalMs = (int)Math.Max(
                options.RevocationTimeout.TotalMilliseconds * 2, options.SessionTimeout.TotalMilliseconds),
        };
        // With the answer to a heartbeat a member is told that lanes move, and those that do stand still
        // until all members know it.
        config.HeartbeatIntervalMs ??= (int)Math.Clamp(
            options.SessionTimeout.TotalMilliseconds / 4, 100, HeartbeatMsMax);
        return config;
    }

    /// <summary>A producer; with a transactional id where one is given.</summary>
    /// <param name="options">Where and how.</param>
    /// <param name="clientId">Its name.</param>
    /// <param name="transactionalId">Null for none.</param>
    /// <param name="batchBytesMax">What every topic takes at once.</param>
    internal static Client.ProducerConfig Producer(
        KafkaLogOptions options, string clientId, string? transactionalId, int batchBytesMax)
    {
        var config = new Client.ProducerConfig(Common(options, clientId))
        {
            EnableIdempotence = true,
            EnableDeliveryReports = false,
            TransactionalId = transactionalId,
        };
        // The limit of each topic counts, which is checked before; the client's own default is below it.
        config.MessageMaxBytes ??= ProducedBytesMax;
        config.BatchSize ??= Math.Min(1_000_000, batchBytesMax);
        if (transactionalId is not null)
        {
            config.TransactionTimeoutMs = (int)options.TransactionTimeout.TotalMilliseconds;
            // A commit sends what there is; before it nobody waits for it, and fewer requests cost less.
            config.LingerMs ??= 50;
        }
        else
        {
            config.EnableGaplessGuarantee = true;
        }
        return config;
    }

    private static void CheckSecurity(KafkaLogOptions options)
    {
        bool isTls = options.Security is KafkaSecurity.Ssl or KafkaSecurity.SaslSsl;
        foreach ((string name, string? file) in new[]
        {
            ("ssl_ca_file", options.SslCaFile), ("ssl_certificate_file", options.SslCertificateFile),
            ("ssl_key_file", options.SslKeyFile),
        })
        {
            if (file is null)
                continue;
            if (!isTls)
                throw new KafkaOptionException(
                    $"kafka.{name} is given, but kafka.security has no TLS: set it to ssl or sasl_ssl.");
            if (!File.Exists(file) && !Directory.Exists(file))
                throw new KafkaOptionException($"kafka.{name}: there is no file '{file}'.");
        }
        if (options.Security is KafkaSecurity.SaslPlaintext or KafkaSecurity.SaslSsl)
        {
            if (options.SaslMechanism is not ("OAUTHBEARER" or "GSSAPI")
                && (options.SaslUsername is null || options.SaslPassword is null))
                throw new KafkaOptionException(
                    $"kafka.sasl_mechanism {options.SaslMechanism} needs kafka.sasl_username and "
                    + "kafka.sasl_password.");
        }
        else if (options.SaslUsername is not null || options.SaslPassword is not null)
        {
            throw new KafkaOptionException(
                "kafka.sasl_username or sasl_password is given, but kafka.security has no authentication: "
                + "set it to sasl_ssl, or to sasl_plaintext.");
        }
    }

    private static void Add(Dictionary<string, string> properties, string name, string? value)
    {
        if (value is not null)
            properties[name] = value;
    }

    private static void AddPassed(Dictionary<string, string> properties, string property)
    {
        int at = property.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0)
            throw new KafkaOptionException($"'{property}' is no property: write NAME=VALUE.");
        string name = property[..at].Trim();
        if (Owned.Contains(name))
            throw new KafkaOptionException(
                $"The property '{name}' is set by an option of its own, or is what exactly-once rests on; "
                + "it cannot be passed through.");
        properties[name] = property[(at + 1)..].Trim();
    }

    private static unsafe void Validate(Dictionary<string, string> properties)
    {
        nint configuration = Librdkafka.ConfNew();
        byte* reason = stackalloc byte[512];
        try
        {
            foreach ((string name, string value) in properties)
            {
                int result = Librdkafka.ConfSet(configuration, name, value, reason, 512);
                if (result == 0)
                    continue;
                throw new KafkaOptionException(result == -2
                    ? $"librdkafka has no property '{name}'; the nearest is '{Nearest(configuration, name)}'."
                    : $"The property '{name}': {Encoding.UTF8.GetString(
                        MemoryMarshal.CreateReadOnlySpanFromNullTerminated(reason))}.");
            }
        }
        finally
        {
            Librdkafka.ConfDestroy(configuration);
        }
    }

    private static unsafe string Nearest(nint configuration, string name)
    {
        nint count = 0;
        nint* names = Librdkafka.ConfDump(configuration, &count);
        var known = new List<string>();
        for (nint i = 0; i + 1 < count; i += 2)
            known.Add(Marshal.PtrToStringUTF8(names[i])!);
        Librdkafka.ConfDumpFree(names, count);
        return known.OrderBy(k => EditDistance.Between(k, name))
            .ThenBy(k => k, StringComparer.Ordinal)
            .First();
    }
}

/// <summary>The log cannot be opened as it is configured: the message says which option, and why.</summary>
public sealed class KafkaOptionException(string message) : LogException(message);
