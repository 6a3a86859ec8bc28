using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Streams.Connect;
using Streams.Connectors.Http;
using Streams.Dsl;
using Streams.Records;
using Streams.Testing;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Connectors.Http;

/// <summary>Lookups against a real server that is slow, failing, hanging, breaking off or talking too much
/// (CSIC-061).</summary>
public sealed class HttpLookupTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_answer_is_its_bytes_and_the_key_is_escaped()
    {
        await using LookupServer server = await LookupServer.StartAsync((key, _) => Answer.Of($"<{key}>ü"));
        using var lookup = new HttpLookup(new HttpLookupOptions
        {
            Url = server.Url,
            Authorization = "Bearer secret",
        });
        Assert.Equal("<a b?ü&c=..>ü", Encoding.UTF8.GetString((await lookup.GetAsync(
            "a b?ü&c=..", Cancellation))!));
        Assert.Equal("Bearer secret", server.Authorization);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(410)]
    [InlineData(204)]
    public async Task Nothing_is_null(int status)
    {
        await using LookupServer server = await LookupServer.StartAsync((_, _) => Answer.Of("no", status));
        using HttpLookup lookup = Of(server);
        Assert.Null(await lookup.GetAsync("a", Cancellation));
    }

    [Theory]
    [InlineData(408)]
    [InlineData(425)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task A_server_that_cannot_for_now_may_be_asked_again(int status)
    {
        await using LookupServer server = await LookupServer.StartAsync((_, _) => Answer.Of("no", status));
        using HttpLookup lookup = Of(server);
        HttpRequestException failure = await Assert.ThrowsAsync<HttpRequestException>(
            () => lookup.GetAsync("a", Cancellation));
        Assert.Equal($"{server.Address} answered {status}.", failure.Message);
        Assert.True(HttpLookup.MayPass(failure));
    }

    [Theory]
    [InlineData(301)]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(206)]
    public async Task What_would_be_refused_again_is_not_asked_again(int status)
    {
        await using LookupServer server = await LookupServer.StartAsync(
            (_, _) => Answer.Of("no", status) with { Location = "/things/b" });
        using HttpLookup lookup = Of(server);
        HttpLookupRefusedException failure = await Assert.ThrowsAsync<HttpLookupRefusedException>(
            () => lookup.GetAsync("a", Cancellation));
        Assert.Contains($"answered {status}", failure.Message, StringComparison.Ordinal);
        Assert.False(HttpLookup.MayPass(failure));
        Assert.DoesNotContain("b", server.Asked.Keys);
    }

    [Theory]
    [InlineData(100, false, true)]
    [InlineData(100, true, true)]
    [InlineData(101, false, false)]
    [InlineData(101, true, false)]
    [InlineData(5_000_000, true, false)]
    public async Task An_answer_has_a_bound_whatever_its_length_is_said_to_be(
        int bytes, bool chunked, bool fits)
    {
        await using LookupServer server = await LookupServer.StartAsync(
            (_, _) => Answer.Of(new string('x', bytes)) with { IsChunked = chunked });
        using var lookup = new HttpLookup(new HttpLookupOptions { Url = server.Url, AnswerBytesMax = 100 });
        Task<byte[]?> answer = lookup.GetAsync("a", Cancellation);
        if (fits)
            Assert.Equal(bytes, (await answer)!.Length);
        else
            Assert.Contains(
                "more than 100 bytes", (await Assert.ThrowsAsync<HttpLookupRefusedException>(
                    () => answer)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_no_answer()
    {
        await using LookupServer server = await LookupServer.StartAsync((_, _) =>
            Answer.Of("half of i") with { ClaimedBytes = 100, BreaksOff = true });
        using HttpLookup lookup = Of(server);
        Exception? failure = await Record.ExceptionAsync(() => lookup.GetAsync("a", Cancellation));
        Assert.True(failure is HttpRequestException or IOException, $"{failure}");
        Assert.True(HttpLookup.MayPass(failure));
    }

    [Fact]
    public async Task A_server_that_hangs_is_left_when_the_token_says_so()
    {
        await using LookupServer server = await LookupServer.StartAsync((_, _) => Answer.Never);
        using HttpLookup lookup = Of(server);
        using var stop = new CancellationTokenSource();
        Task<byte[]?> answer = lookup.GetAsync("a", stop.Token);
        Assert.True(SpinWait.SpinUntil(() => server.Active == 1, TimeSpan.FromSeconds(30)));
        Assert.False(answer.IsCompleted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
    }

    [Fact]
    public async Task No_server_is_worth_another_try()
    {
        string url;
        await using (LookupServer server = await LookupServer.StartAsync((_, _) => Answer.Never))
            url = server.Url;
        using var lookup = new HttpLookup(new HttpLookupOptions { Url = url });
        HttpRequestException failure = await Assert.ThrowsAsync<HttpRequestException>(
            () => lookup.GetAsync("a", Cancellation));
        Assert.True(HttpLookup.MayPass(failure));
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_refused()
    {
        await using LookupServer server = await LookupServer.StartAsync((_, _) => new Answer([0xFF, 0xFE]));
        using HttpLookup lookup = Of(server);
        await Assert.ThrowsAsync<HttpLookupRefusedException>(() => lookup.GetAsync("a", Cancellation));
    }

    [Fact]
    public async Task A_certificate_is_trusted_by_the_authority_of_the_options_and_by_its_name_only()
    {
        (X509Certificate2 authority, X509Certificate2 server) = Certificates("localhost");
        string pem = _folder.File("ca.pem");
        await File.WriteAllTextAsync(pem, authority.ExportCertificatePem(), Cancellation);
        await using LookupServer secure = await LookupServer.StartAsync((_, _) => Answer.Of("yes"), server);
        string byName = secure.Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        using var trusting = new HttpLookup(new HttpLookupOptions { Url = byName, CaFile = pem });
        Assert.Equal("yes"u8.ToArray(), await trusting.GetAsync("a", Cancellation));
        using var unknown = new HttpLookup(new HttpLookupOptions { Url = byName });
        await Assert.ThrowsAsync<HttpRequestException>(() => unknown.GetAsync("a", Cancellation));
        using var otherName = new HttpLookup(new HttpLookupOptions { Url = secure.Url, CaFile = pem });
        await Assert.ThrowsAsync<HttpRequestException>(() => otherName.GetAsync("a", Cancellation));
        authority.Dispose();
        server.Dispose();
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/{key}", null, "Give an http:// or https:// address")]
    [InlineData("not an address {key}", null, "Give an http:// or https:// address")]
    [InlineData("http://127.0.0.1/things", null, "Put {key} into its path or query")]
    [InlineData("http://ann:pass@127.0.0.1/{key}", null, "'url' holds a user name")]
    [InlineData("http://127.0.0.1/{key}", "no-such.pem", "'ca_file' no-such.pem cannot be used")]
    public void What_can_never_work_is_refused_at_the_start(string url, string? caFile, string message)
    {
        ConfigurationException refused = Assert.Throws<ConfigurationException>(
            () => new HttpLookup(new HttpLookupOptions { Url = url, CaFile = caFile }));
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    // Every record gets its answer, through a server that is bad in all the ways that it can be.
    [Fact]
    public async Task A_topology_gets_its_answers_from_a_bad_server()
    {
        await using LookupServer server = await LookupServer.StartAsync(BadlyAnswer);
        using HttpLookup lookup = Of(server);
        var builder = new StreamsBuilder();
        builder.Stream("things", new Consumed<string, string>(Serdes.String, Serdes.String))
            .MapValuesAsync(
                async (_, thing, cancellation) => await lookup.GetAsync(thing, cancellation) is { } found
                    ? Encoding.UTF8.GetString(found)
                    : "unknown",
                new AsyncMapped<string, string, string>
                {
                    Name = "look-up",
                    ResultSerde = Serdes.String,
                    RetryIf = HttpLookup.MayPass,
                    Fallback = (_, thing, failure) => $"{thing}: {failure.GetType().Name}",
                    Calls = new AsyncCallOptions
                    {
                        OnFailure = AsyncFailure.Fallback,
                        RetryDelay = TimeSpan.Zero,
                        BreakerFailurePercent = 0,
                    },
                })
            .To("answers");
        using var driver = new TopologyTestDriver(builder.Build(), new TestDriverOptions { Partitions = 3 });
        TestInputTopic<string, string> things =
            driver.CreateInputTopic("things", Serdes.String, Serdes.String);
        string[] kinds = ["well", "slow", "failing-once", "breaking-once", "missing", "large", "down"];
        for (int i = 0; i < 70; i++)
            things.Pipe($"key{i % 7}", $"{kinds[i / 7 % 7]}-{i}", i);
        driver.WaitForCalls();
        List<Record<string, string>> answers = [.. driver.CreateOutputTopic(
            "answers", Serdes.String, Serdes.String).ReadAll()];
        Assert.Equal(70, answers.Count);
        for (int i = 0; i < 70; i++)
        {
            string thing = $"{kinds[i / 7 % 7]}-{i}";
            string expected = kinds[i / 7 % 7] switch
            {
                "missing" => "unknown",
                "large" => $"{thing}: HttpLookupRefusedException",
                "down" => $"{thing}: HttpRequestException",
                _ => $"answer to {thing}",
            };
            Assert.Equal(expected, Assert.Single(answers, a => a.TimestampMs == i).Value);
            Assert.Equal(thing.StartsWith("down", StringComparison.Ordinal) ? 4
                : thing.Contains("once", StringComparison.Ordinal) ? 2 : 1, server.Asked[thing]);
        }
        foreach (IGrouping<string, Record<string, string>> key in answers.GroupBy(a => a.Key))
            Assert.Equal(key.Select(a => a.TimestampMs).Order(), key.Select(a => a.TimestampMs));
    }

    public void Dispose() => _folder.Dispose();

    private static Answer BadlyAnswer(string key, int asked)
    {
        Answer well = Answer.Of($"answer to {key}");
        return key[..key.LastIndexOf('-')] switch
        {
            "slow" => well with { Wait = TimeSpan.FromMilliseconds(50) },
            "failing-once" when asked == 0 => Answer.Of("", 503),
            "breaking-once" when asked == 0 => well with { ClaimedBytes = 1000, BreaksOff = true },
            "missing" => Answer.Of("", 404),
            "large" => Answer.Of(new string('x', 100_000)),
            "down" => Answer.Of("", (int)HttpStatusCode.BadGateway),
            _ => well,
        };
    }

    private static HttpLookup Of(LookupServer server) => new(new HttpLookupOptions { Url = server.Url });

    private static (X509Certificate2 Authority, X509Certificate2 Server) Certificates(string host)
    {
        DateTimeOffset from = DateTimeOffset.UtcNow.AddDays(-1);
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest(
            "CN=test authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(true, false, 0, true));
        X509Certificate2 authority = authorityRequest.CreateSelfSigned(from, from.AddDays(30));
        using var serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var serverRequest = new CertificateRequest($"CN={host}", serverKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        serverRequest.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = serverRequest.Create(authority, from, from.AddDays(20), [1, 2, 3, 4]);
        return (authority, signed.CopyWithPrivateKey(serverKey));
    }
}
