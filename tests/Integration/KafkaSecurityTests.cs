using System.Net;
using System.Text.Json;
using Streams.Tests.Support;
using Xunit;
using Client = Confluent.Kafka;

namespace Streams.Tests.Integration;

/// <summary>The executable on a broker with TLS, SASL and access lists, as an operator configures it:
/// CSIC-011, 052.</summary>
[Collection("Kafka security")]
public sealed class KafkaSecurityTests(SecureKafkaFixture fixture)
    : IClassFixture<SecureKafkaFixture>, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _application = $"s{Guid.NewGuid():N}"[..10];

    private SecureKafka Kafka => fixture.Kafka;

    [Fact]
    public void Passwords_inside_tls_let_a_run_in_and_are_shown_nowhere()
    {
        string file = Configure(Kafka.SaslBrokers, Sasl("streams"));
        (int Code, string Output, string Errors)[] ended =
        [
            Streams("run", "-c", file, "--drain", "--json"), Streams("validate", "-c", file),
            Streams("describe", "-c", file), Streams("lag", "-c", file), Streams("topics", "-c", file),
            Streams("reset", "-c", file),
        ];
        Assert.All(ended, e => Assert.True(e.Code == 0, e.Errors));
        Assert.All(ended, e => Assert.DoesNotContain(
            SecureKafka.Password, e.Output + e.Errors, StringComparison.Ordinal));
        JsonElement counts = JsonDocument.Parse(ended[0].Output).RootElement;
        long written = counts.GetProperty("sources").GetProperty("bitcoin-simulated").GetProperty("records")
            .GetInt64();
        Assert.True(written > 0);
        // What was written, without the ends of transactions, and all of it processed.
        JsonElement topics = counts.GetProperty("topics");
        Assert.Equal(written, topics.GetProperty("transactions").GetInt64());
        Assert.Equal(written, topics.GetProperty("transactions.enriched").GetInt64());
    }

    [Fact]
    public void A_certificate_of_ones_own_lets_a_run_in()
    {
        string file = Configure(Kafka.MutualBrokers, Mutual(Kafka.CertificateFile, Kafka.KeyFile));
        (int code, _, string errors) = Streams("run", "-c", file, "--drain");
        Assert.True(code == 0, errors);
    }

    [Fact]
    public void A_bearer_token_lets_a_run_in()
    {
        string file = Configure(Kafka.SaslBrokers, $"""
              security: sasl_ssl
              ssl_ca_file: {Kafka.CaFile}
              sasl_mechanism: OAUTHBEARER
              properties:
                - enable.sasl.oauthbearer.unsecure.jwt=true
                - sasl.oauthbearer.config=principal=streams
            """);
        (int code, _, string errors) = Streams("run", "-c", file, "--drain");
        Assert.True(code == 0, errors);
    }

    [Fact]
    public void Scram_lets_a_run_in_or_names_the_library_that_cannot()
    {
        Assert.Equal(0, Kafka.Cluster.Tool(
            "configs", "--alter", "--entity-type", "users", "--entity-name", "streams", "--add-config",
            $"SCRAM-SHA-256=[password={SecureKafka.Password}]").Code);
        string file = Configure(Kafka.SaslBrokers, Sasl("streams") + "\n  sasl_mechanism: SCRAM-SHA-256");
        (int code, _, string errors) = Streams("run", "-c", file, "--drain");
        if (Client.Library.Version >= 0x02060100)
        {
            Assert.True(code == 0, errors);
            return;
        }
        // The broker says that it was SCRAM that it was asked for.
        Assert.Equal(3, code);
        Assert.Contains("with SASL mechanism SCRAM-SHA-256", errors, StringComparison.Ordinal);
        Assert.Contains("install 2.6.1 or newer", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("password", 3, "refuses the authentication")]
    [InlineData("authority", 3, "certificate verify failed")]
    [InlineData("no certificate", 3, "no TLS connection")]
    [InlineData("key of another", 2, "key values mismatch")]
    [InlineData("no such file", 2, "there is no file '/nowhere/ca.pem'")]
    [InlineData("plaintext", 2, "kafka.security has no TLS")]
    [InlineData("no user", 2, "needs kafka.sasl_username")]
    public void What_is_wrong_is_one_line_and_an_exit_code(string what, int code, string says)
    {
        string file = what switch
        {
            "password" => Configure(Kafka.SaslBrokers, Sasl("streams")),
            "authority" => Configure(Kafka.SaslBrokers, Sasl("streams", Kafka.OtherCaFile)),
            "no certificate" => Configure(
                Kafka.MutualBrokers, $"  security: ssl\n  ssl_ca_file: {Kafka.CaFile}"),
            "key of another" => Configure(
                Kafka.MutualBrokers, Mutual(Kafka.CertificateFile, Kafka.OtherKeyFile)),
            "no such file" => Configure(Kafka.SaslBrokers, Sasl("streams", "/nowhere/ca.pem")),
            "plaintext" => Configure(Kafka.Cluster.Brokers, $"  ssl_ca_file: {Kafka.CaFile}"),
            _ => Configure(Kafka.SaslBrokers, $"  security: sasl_ssl\n  ssl_ca_file: {Kafka.CaFile}"),
        };
        string password = what == "password" ? "another-password" : SecureKafka.Password;
        AssertRefused(Streams(password, ["run", "-c", file, "--drain"]), code, says, password);
    }

    [Theory]
    [InlineData("no-group", "the group '")]
    [InlineData("no-transaction", "starting transactions as '")]
    [InlineData("no-create", "creating the topic ")]
    public void What_the_user_may_not_do_is_one_line_and_exit_code_3(string user, string says)
    {
        string file = Configure(Kafka.SaslBrokers, Sasl(user));
        AssertRefused(Streams("run", "-c", file, "--drain"), 3, says, SecureKafka.Password);
    }

    [Fact]
    public void A_topic_that_the_user_may_not_write_stops_the_run_and_is_named()
    {
        // Made by somebody who may; the user itself may do all but write.
        Assert.Equal(0, Streams("run", "-c", Configure(Kafka.SaslBrokers, Sasl("streams")), "--drain").Code);
        (int code, _, string errors) = Streams(
            "run", "-c", Configure(Kafka.SaslBrokers, Sasl("no-write"), blocks: 30), "--drain");
        Assert.Equal(3, code);
        string line = errors.TrimEnd('\n').Split('\n')[^1];
        Assert.StartsWith("streams: Kafka at ", line, StringComparison.Ordinal);
        Assert.Contains("does not allow", line, StringComparison.Ordinal);
        Assert.Contains("Write", line, StringComparison.Ordinal);
        Assert.Contains($"{_application}-cursors", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_is_away_for_a_while_makes_the_run_wait_and_say_so()
    {
        using var kafka = new SecureKafka();
        string file = Configure(kafka.SaslBrokers, Sasl("streams", kafka.CaFile));
        using StreamsProcess process = StreamsProcess.Start(
            ["run", "-c", file, "--listen", "127.0.0.1:0"], Environment(SecureKafka.Password));
        string address = await process.AddressAsync();
        await Http.WaitAsync($"{address}/readyz", (status, _) => status == HttpStatusCode.OK);
        kafka.Cluster.Kill(1);
        // A component that failed may be named first.
        await Http.WaitAsync(
            $"{address}/readyz", (status, reasons) => status == HttpStatusCode.ServiceUnavailable
                && reasons.Contains($"no broker of {kafka.SaslBrokers} answers", StringComparison.Ordinal));
        kafka.Cluster.StartAgain();
        await Http.WaitAsync($"{address}/readyz", (status, _) => status == HttpStatusCode.OK);
        process.Terminate();
        Assert.Equal(0, process.WaitForEnd().Code);
    }

    public void Dispose() => _folder.Dispose();

    private static void AssertRefused(
        (int Code, string Output, string Errors) ended, int code, string says, string password)
    {
        Assert.True(code == ended.Code, $"exit {ended.Code}: {ended.Errors}");
        string line = ended.Errors.TrimEnd('\n').Split('\n').Single(
            l => l.StartsWith("streams: ", StringComparison.Ordinal));
        Assert.Contains(says, line, StringComparison.Ordinal);
        Assert.DoesNotContain(password, ended.Errors, StringComparison.Ordinal);
    }

    private string Sasl(string user, string? authority = null) => $$"""
          security: sasl_ssl
          ssl_ca_file: {{authority ?? Kafka.CaFile}}
          sasl_username: {{user}}
          sasl_password: ${KAFKA_PASSWORD}
        """;

    private string Mutual(string certificate, string key) => $"""
          security: ssl
          ssl_ca_file: {Kafka.CaFile}
          ssl_certificate_file: {certificate}
          ssl_key_file: {key}
        """;

    private string Configure(string brokers, string security, int blocks = 20)
    {
        string file = _folder.File("streams.yaml");
        File.WriteAllText(file, $"""
            application: {_application}
            topology: transactions
            data: {_folder.File("data")}
            sources: ["bitcoin-simulated:7?blocks_max={blocks}"]
            kafka:
              brokers: {brokers}
              request_timeout: 10s
            {security}

            """);
        return file;
    }

    private static (int Code, string Output, string Errors) Streams(params string[] arguments) =>
        Streams(SecureKafka.Password, arguments);

    private static (int Code, string Output, string Errors) Streams(string password, string[] arguments)
    {
        using StreamsProcess process = StreamsProcess.Start(arguments, Environment(password));
        return process.WaitForEnd();
    }

    private static Dictionary<string, string> Environment(string password) =>
        new() { ["KAFKA_PASSWORD"] = password };
}
