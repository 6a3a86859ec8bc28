using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Streams.Tests.Support;

/// <summary>
/// A real broker that asks who one is: passwords inside TLS on one listener, certificates on another, and
/// access lists for everyone who is not on the plain one. Files and keys are made for each.
/// </summary>
public sealed class SecureKafka : IDisposable
{
    /// <summary>The password of every user.</summary>
    public const string Password = "a-secret-of-the-tests";

    private static readonly string[] Users =
        ["streams", "no-group", "no-transaction", "no-write", "no-create"];

    private readonly TemporaryFolder _folder = new();

    /// <summary>Starts it; skips the running test, by name, where there is no Kafka.</summary>
    public SecureKafka()
    {
        using RSA key = RSA.Create(2048);
        using X509Certificate2 authority = Authority("test authority", key);
        using RSA otherKey = RSA.Create(2048);
        using X509Certificate2 other = Authority("another authority", otherKey);
        CaFile = Write("ca.pem", authority.ExportCertificatePem());
        OtherCaFile = Write("other.pem", other.ExportCertificatePem());
        (string brokerCertificate, string brokerKey) = Issue("broker", authority);
        (string clientCertificate, string clientKey) = Issue("streams", authority);
        CertificateFile = Write("client.pem", clientCertificate);
        KeyFile = Write("client.key", clientKey);
        OtherKeyFile = Write("other.key", otherKey.ExportPkcs8PrivateKeyPem());
        string store = Write(
            "broker.pem", $"{brokerKey}\n{brokerCertificate}\n{authority.ExportCertificatePem()}\n");
        Cluster = KafkaCluster.Start(extra: Configuration(store));
        using IAdminClient admin = Admin();
        foreach (string user in Users)
            admin.CreateAclsAsync(AccessOf($"User:{user}", without: user)).Wait();
        admin.CreateAclsAsync(AccessOf("User:CN=streams", without: "")).Wait();
        Cluster.AllowTransactions(
            [.. Users.Where(u => u != "no-transaction").Select(u => $"User:{u}"), "User:CN=streams"]);
    }

    /// <summary>The broker, by the listener that asks nobody.</summary>
    public KafkaCluster Cluster { get; }

    /// <summary>The listener with passwords inside TLS.</summary>
    public string SaslBrokers => At(2);

    /// <summary>The listener that wants a client's certificate.</summary>
    public string MutualBrokers => At(3);

    /// <summary>The authority that signed the broker's certificate.</summary>
    public string CaFile { get; }

    /// <summary>An authority that did not.</summary>
    public string OtherCaFile { get; }

    /// <summary>A client's certificate.</summary>
    public string CertificateFile { get; }

    /// <summary>Its key.</summary>
    public string KeyFile { get; }

    /// <summary>The key of something else.</summary>
    public string OtherKeyFile { get; }

    /// <summary>A client that may do everything.</summary>
    public IAdminClient Admin() => new AdminClientBuilder(
        new AdminClientConfig { BootstrapServers = Cluster.Brokers }).Build();

    /// <inheritdoc/>
    public void Dispose()
    {
        Cluster.Dispose();
        _folder.Dispose();
    }

    private string At(int port) =>
        string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Cluster.Port + port}");

    private string Write(string name, string text)
    {
        string path = _folder.File(name);
        File.WriteAllText(path, text);
        return path;
    }

    private static string Configuration(string store)
    {
        string plain = "org.apache.kafka.common.security.plain.PlainLoginModule required "
            + string.Join(' ', Users.Select(u => $"user_{u}=\"{Password}\"")) + ";";
        string scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
        string bearer = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
            + "unsecuredLoginStringClaim_sub=\"broker\";";
        string open = "SECURE://127.0.0.1:PORT+2,MUTUAL://127.0.0.1:PORT+3";
        return $"""
            listeners=PLAINTEXT://127.0.0.1:PORT,CONTROLLER://127.0.0.1:PORT+1,{open}
            advertised.listeners=PLAINTEXT://127.0.0.1:PORT,{open}
            listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL,MUTUAL:SSL
            listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,OAUTHBEARER
            listener.name.secure.plain.sasl.jaas.config={plain}
            listener.name.secure.scram-sha-256.sasl.jaas.config={scram}
            listener.name.secure.oauthbearer.sasl.jaas.config={bearer}
            listener.name.mutual.ssl.client.auth=required
            ssl.keystore.type=PEM
            ssl.keystore.location={store}
            ssl.truststore.type=PEM
            ssl.truststore.location={Path.Combine(Path.GetDirectoryName(store)!, "ca.pem")}
            authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
            super.users=User:ANONYMOUS

            """;
    }

    // Everything on topics and groups, but for what the user's name says.
    private static IEnumerable<AclBinding> AccessOf(string principal, string without)
    {
        if (without != "no-group")
            yield return To(ResourceType.Group, AclOperation.All);
        foreach (AclOperation operation in new[]
        {
            AclOperation.Read, AclOperation.Describe, AclOperation.DescribeConfigs, AclOperation.Delete,
            AclOperation.Write, AclOperation.Create,
        })
        {
            if ((without, operation) is not (("no-write", AclOperation.Write)
                or ("no-create", AclOperation.Create)))
                yield return To(ResourceType.Topic, operation);
        }

        AclBinding To(ResourceType type, AclOperation operation) => new()
        {
            Pattern = new ResourcePattern
            {
                Type = type,
                Name = "*",
                ResourcePatternType = ResourcePatternType.Literal,
            },
            Entry = new AccessControlEntry
            {
                Principal = principal,
                Host = "*",
                Operation = operation,
                PermissionType = AclPermissionType.Allow,
            },
        };
    }

    private static X509Certificate2 Authority(string name, RSA key)
    {
        var request = new CertificateRequest(
            $"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
    }

    private static (string Certificate, string Key) Issue(string name, X509Certificate2 authority)
    {
        using RSA key = RSA.Create(2048);
        var request = new CertificateRequest(
            $"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(
            authority, DateTimeOffset.UtcNow.AddHours(-12), DateTimeOffset.UtcNow.AddDays(20),
            RandomNumberGenerator.GetBytes(8));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}

/// <summary>One for all tests of security; the first that asks starts it.</summary>
public sealed class SecureKafkaFixture : IDisposable
{
    private SecureKafka? _kafka;

    /// <summary>The broker.</summary>
    public SecureKafka Kafka => _kafka ??= new SecureKafka();

    /// <inheritdoc/>
    public void Dispose() => _kafka?.Dispose();
}
