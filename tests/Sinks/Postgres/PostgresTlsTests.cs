using Streams.Connect;
using Streams.Sinks.Postgres;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Sinks.Postgres;

/// <summary>ECE-088: connections that are encrypted and checked. On a real server.</summary>
public sealed class PostgresTlsTests(PostgresServers servers) : IDisposable
{
    private readonly PostgresRun _run = new(servers.Postgres);

    [Theory]
    [InlineData(PostgresSslMode.Disable, false)]
    [InlineData(PostgresSslMode.Require, true)]
    [InlineData(PostgresSslMode.VerifyCa, true)]
    [InlineData(PostgresSslMode.VerifyFull, true)]
    public void A_connection_is_as_encrypted_as_it_is_to_be(PostgresSslMode mode, bool isEncrypted)
    {
        _run.Options = _run.Options with
        {
            SslMode = mode,
            SslRootCertificate = mode is PostgresSslMode.VerifyCa or PostgresSslMode.VerifyFull
                ? File("ca.crt") : null,
        };
        using PostgresSession session = PostgresSession.Open(_run.Options);
        Assert.Equal(
            isEncrypted, session.Scalar<bool>("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"));
    }

    [Fact]
    public void A_certificate_of_another_authority_is_refused()
    {
        using var folder = new TemporaryFolder();
        string other = folder.File("other.crt");
        System.IO.File.Copy(File("client.crt"), other);
        _run.Options = _run.Options with { SslMode = PostgresSslMode.VerifyFull, SslRootCertificate = other };
        var e = Assert.Throws<ConfigurationException>(() => PostgresSession.Open(_run.Options));
        Assert.Contains("certificate", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_proves_itself_by_its_certificate()
    {
        _run.Execute(
            "DO $$ BEGIN CREATE ROLE streams_tls LOGIN; EXCEPTION WHEN duplicate_object THEN END $$");
        _run.Options = _run.Options with
        {
            Server = _run.Options.Server.Replace("postgres@", "streams_tls@", StringComparison.Ordinal),
            PasswordVariable = "STREAMS_TEST_NO_PASSWORD",
            SslMode = PostgresSslMode.VerifyFull,
            SslRootCertificate = File("ca.crt"),
        };
        Assert.Throws<ConfigurationException>(() => PostgresSession.Open(_run.Options));
        _run.Options = _run.Options with { SslCertificate = File("client.crt"), SslKey = File("client.key") };
        using PostgresSession session = PostgresSession.Open(_run.Options);
        Assert.Equal("streams_tls", session.Scalar<string>("SELECT current_user::text"));
    }

    [Fact]
    public void A_file_that_is_not_there_is_named_with_its_option()
    {
        _run.Options = _run.Options with { SslRootCertificate = "none.crt" };
        var e = Assert.Throws<ConfigurationException>(() => PostgresSession.Open(_run.Options));
        Assert.Contains(
            "no file none.crt, which 'ssl_root_certificate' names", e.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _run.Dispose();

    private string File(string name) => Path.Combine(servers.Postgres.TlsFolder, name);
}
