using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>Says what a failure of a client means for the application.</summary>
internal static class KafkaFailures
{
    /// <summary>What to throw for an error: what passes is tried again from the last commit, what does not
    /// stops the process with a line that says what to do.</summary>
    /// <param name="error">What the client said.</param>
    /// <param name="doing">What was being done, such as "committing".</param>
    /// <param name="brokers">Where.</param>
    internal static LogException Of(Client.Error error, string doing, string brokers) => error.Code switch
    {
        Client.ErrorCode.Local_Authentication or Client.ErrorCode.SaslAuthenticationFailed
            or Client.ErrorCode.UnsupportedSaslMechanism or Client.ErrorCode.IllegalSaslState =>
            new LogUnavailableException(
                $"Kafka at {brokers} refuses the authentication while {doing}: {error.Reason}. Check "
                + "kafka.security, kafka.sasl_username and the secret."),
        Client.ErrorCode.Local_Ssl => new LogUnavailableException(
            $"Kafka at {brokers}: no TLS connection while {doing}: {error.Reason}. Check kafka.ssl_ca_file."),
        Client.ErrorCode.TopicAuthorizationFailed or Client.ErrorCode.GroupAuthorizationFailed
            or Client.ErrorCode.ClusterAuthorizationFailed
            or Client.ErrorCode.TransactionalIdAuthorizationFailed => new LogUnavailableException(
            $"Kafka at {brokers} does not allow {doing}: {error.Reason}. Give the user the ACLs that "
            + "docs/kafka.md lists."),
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
            throw Of(e.Error, doing, brokers);
        }
    }
}
