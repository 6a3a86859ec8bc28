using Microsoft.Extensions.Logging;
using Streams.Telemetry;
using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>Passes on what the clients say.</summary>
internal static class KafkaMessages
{
    // Errors come as events as well, with a code: the text is for those who look for details.
    internal static void KafkaSays(this ILogger logger, Client.IClient client, Client.LogMessage message) =>
        logger.KafkaMessage(message.Name, message.Message);

    internal static void KafkaFails(this ILogger logger, Client.IClient client, Client.Error error) =>
        logger.KafkaError(client.Name, error.Reason, error.Code.ToString());
}
