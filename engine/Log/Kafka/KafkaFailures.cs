using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>Says what a failure of a client means for the application.</summary>
internal static class KafkaFailures
{
    // What librdkafka says of connections that end in the middle of TLS or of authentication, as they do when
    // a broker is restarted.
    private static readonly string[] Passing =
        ["transport failure", "Disconnected", "unexpected eof", "Connection re", "imed out"];

    /// <summary>What to throw for an error: what passes is tried again from the last commit, what does not
    /// stops the process with a line that says what to do.</summary>
    /// <param name="error">What the client said.</param>
    /// <param name="doing">What was being done, such as "committing".</param>
    /// <param name="brokers">Where.</param>
    internal static LogException Of(Client.Error error, string doing, string brokers) => error.Code switch
    {
        Client.ErrorCode.Local_Authentication or Client.ErrorCode.SaslAuthenticationFailed
            or Client.ErrorCode.UnsupportedSaslMechanism or Client.ErrorCode.IllegalSaslState
            when !IsPassing(error) => new LogUnavailableException(
            $"Kafka at {brokers} refuses the authentication while {doing}: {error.Reason}. Check "
            + $"kafka.sasl_mechanism, kafka.sasl_username and the password.{ScramHint(error)}"),
        Client.ErrorCode.Local_Ssl when !IsPassing(error) => NoTls(error, doing, brokers),
        // A broker that does not like our certificate says so only after the handshake.
        Client.ErrorCode.Local_Transport
            when error.Reason.Contains("SSL alert number", StringComparison.Ordinal) =>
            NoTls(error, doing, brokers),
        Client.ErrorCode.TopicAuthorizationFailed => NotAllowed(
            error, doing, brokers, "that topic: Read and Describe to read, Write and Describe to write, "
                + "Create to have it made"),
        Client.ErrorCode.GroupAuthorizationFailed => NotAllowed(error, doing, brokers, "that group: Read"),
        Client.ErrorCode.TransactionalIdAuthorizationFailed => NotAllowed(
            error, doing, brokers, "that transactional id: Write and Describe"),
        Client.ErrorCode.ClusterAuthorizationFailed => NotAllowed(
            error, doing, brokers, "the cluster: Create to have topics made, else IdempotentWrite"),
        Client.ErrorCode.FencedInstanceId => new LogUnavailableException(
            $"Another process has taken this one's kafka.instance: {error.Reason}. Give each its own."),
        Client.ErrorCode.InconsistentGroupProtocol => new LogUnavailableException(
            $"The group at {brokers} has members with another assignment strategy: {error.Reason}. Stop "
            + "them, or choose another application name."),
        Client.ErrorCode.MsgSizeTooLarge => new RecordTooLargeException(
            $"Kafka at {brokers} refuses a record as too large while {doing}: {error.Reason}. Raise the "
            + "topic's max.message.bytes (and message.max.bytes among kafka.properties)."),
        Client.ErrorCode.UnknownTopicOrPart or Client.ErrorCode.Local_UnknownTopic
            or Client.ErrorCode.Local_UnknownPartition => new LogUnavailableException(
            $"Kafka at {brokers} has lost a topic or partition while {doing}: {error.Reason}."),
        _ => new LogInterruptedException(
            $"Kafka at {brokers}: {doing} failed: {error.Reason} ({error.Code})."),
    };

    /// <summary>Runs a request and says what its failure means.</summary>
    internal static T Ask<T>(string doing, string brokers, Func<T> request)
    {
        try
        {
            return request();
        }
        catch (Client.KafkaException e)
        {
            throw Of(ErrorOf(e), doing, brokers);
        }
    }

    /// <summary>What went wrong; of a request about partitions, with the first that went wrong.</summary>
    internal static Client.Error ErrorOf(Client.KafkaException e) =>
        e is Client.TopicPartitionOffsetException partitions
            ? partitions.Results.FirstOrDefault(r => r.Error.IsError)?.Error ?? e.Error : e.Error;

    private static LogUnavailableException NoTls(Client.Error error, string doing, string brokers) => new(
        $"Kafka at {brokers}: no TLS connection while {doing}: {error.Reason}. Check kafka.security, "
        + "kafka.ssl_ca_file and, where the brokers ask for one, kafka.ssl_certificate_file and "
        + "kafka.ssl_key_file.");

    private static LogUnavailableException NotAllowed(
        Client.Error error, string doing, string brokers, string acls) => new(
        $"Kafka at {brokers} does not allow {doing}: {error.Reason.TrimEnd('.')}. The user needs ACLs on "
        + $"{acls}; docs/kafka.md lists them all.");

    private static bool IsPassing(Client.Error error) =>
        Array.Exists(Passing, p => error.Reason.Contains(p, StringComparison.Ordinal));

    // librdkafka's pull request 4895, mended in 2.6.1.
    private static string ScramHint(Client.Error error) =>
        error.Reason.Contains("SCRAM", StringComparison.Ordinal) && Client.Library.Version < 0x02060100
            ? $" librdkafka {Client.Library.VersionString} sends a nonce with SCRAM that Kafka 4 refuses, "
                + "whatever the password: install 2.6.1 or newer, or use PLAIN inside TLS."
            : "";
}
