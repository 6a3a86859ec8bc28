namespace Streams.Log.Kafka;

/// <summary>What a record may go through when a process ends in the middle.</summary>
public enum DeliveryGuarantee
{
    /// <summary>Outputs, state and positions are one transaction (Kafka Streams'
    /// <c>exactly_once_v2</c>).</summary>
    ExactlyOnceV2,

    /// <summary>Outputs first, then positions: after a crash some are written again.</summary>
    AtLeastOnce,
}

/// <summary>How connections to brokers are protected; librdkafka's <c>security.protocol</c>.</summary>
public enum KafkaSecurity
{
    /// <summary>Not at all.</summary>
    Plaintext,

    /// <summary>TLS.</summary>
    Ssl,

    /// <summary>A name and a password, readable on the way.</summary>
    SaslPlaintext,

    /// <summary>A name and a password inside TLS.</summary>
    SaslSsl,
}

/// <summary>How the log is kept on Apache Kafka.</summary>
public sealed record KafkaLogOptions
{
    /// <summary>Brokers to begin with, as host:port, separated by commas.</summary>
    public string Brokers { get; init; } = "";

    /// <summary>What a record may go through when a process ends in the middle.</summary>
    public DeliveryGuarantee Guarantee { get; init; } = DeliveryGuarantee.ExactlyOnceV2;

    /// <summary>A name of this process that is the same after a restart, such as a StatefulSet's pod: it
    /// keeps its partitions over a restart shorter than the session timeout (static membership). Null for
    /// none.</summary>
    public string? Instance { get; init; }

    /// <summary>A process that has not been heard of for this long loses its partitions. Default 10
    /// s.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A transaction that is open for this long is aborted by the broker. Default 10 s.</summary>
    public TimeSpan TransactionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a request that must be answered is waited for. Default 30 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest time in which a partition's work is brought to an end when another process takes it
    /// over; then this process stops. Default 60 s.</summary>
    public TimeSpan RevocationTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How many other processes keep a copy of a partition's state at hand, to go on at once when
    /// the one that works on it is gone (Kafka Streams' <c>num.standby.replicas</c>). Default 0.</summary>
    public int StandbyReplicas { get; init; }

    /// <summary>Replicas of topics that are created; -1 takes as many as the broker gives without being
    /// asked.</summary>
    public int ReplicationFactor { get; init; } = -1;

    /// <summary>Whether topics that are missing are created; where not, the start says what they have to be
    /// like. Default true.</summary>
    public bool CreateTopics { get; init; } = true;

    /// <summary>Whether brokers may delete records as old as a topic's retention says. They go by the
    /// records' own time and know no other, so history that is fed late would be deleted before it is
    /// processed: by default topics that are created keep everything, and whoever runs them sets a retention.
    /// Default false.</summary>
    public bool RetentionByEventTime { get; init; }

    /// <summary>Bytes that a reader fetches ahead, over all its partitions. Default 128 MiB.</summary>
    public int FetchAheadBytesMax { get; init; } = 128 << 20;

    /// <summary>Bytes of records and state in one transaction at most. Default 256 MiB.</summary>
    public int CommitBytesMax { get; init; } = 256 << 20;

    /// <summary>How connections are protected. Default plaintext.</summary>
    public KafkaSecurity Security { get; init; } = KafkaSecurity.Plaintext;

    /// <summary>File of the certificate authorities to trust, PEM; null for the system's.</summary>
    public string? SslCaFile { get; init; }

    /// <summary>File of this client's certificate, PEM; null for none.</summary>
    public string? SslCertificateFile { get; init; }

    /// <summary>File of the certificate's key, PEM.</summary>
    public string? SslKeyFile { get; init; }

    /// <summary>Password of the key file, from the environment: ${NAME}.</summary>
    public string? SslKeyPassword { get; init; }

    /// <summary>PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER. Default PLAIN.</summary>
    public string SaslMechanism { get; init; } = "PLAIN";

    /// <summary>The user's name for SASL.</summary>
    public string? SaslUsername { get; init; }

    /// <summary>The user's password for SASL, from the environment: ${NAME}.</summary>
    public string? SaslPassword { get; init; }

    /// <summary>Further properties of librdkafka, each as NAME=VALUE, such as compression.type=lz4.</summary>
    public IReadOnlyList<string> Properties { get; init; } = [];
}
