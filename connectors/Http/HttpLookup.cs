using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Unicode;
using Streams.Connect;

namespace Streams.Connectors.Http;

/// <summary>
/// Looks something up over HTTP: one GET, one bounded answer of UTF-8 text. For many calls at a time, such as
/// those of <c>MapValuesAsync</c>, which also brings timeouts, retries and a circuit breaker.
/// </summary>
/// <remarks>Redirects are refused, no proxy of the environment is used and no cookie is kept: what is asked
/// is what the address says.</remarks>
public sealed class HttpLookup : IDisposable
{
    private readonly HttpLookupOptions _options;
    private readonly string _url;
    private readonly string _place;
    private readonly HttpClient _client;

    /// <summary>Prepares lookups; nothing is asked yet.</summary>
    /// <exception cref="ConfigurationException">An option can never work, or a file cannot be
    /// read.</exception>
    public HttpLookup(HttpLookupOptions options)
    {
        _options = options;
        _url = options.Validate();
        _place = new Uri(_url.Replace(HttpLookupOptions.Placeholder, "key", StringComparison.Ordinal))
            .GetLeftPart(UriPartial.Authority);
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = options.ConnectTimeout,
            MaxConnectionsPerServer = options.ConnectionsMax,
            // So that a name that moves is found again.
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            SslOptions = Tls(options),
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (options.Authorization is { } authorization)
        {
            if (!AuthenticationHeaderValue.TryParse(authorization, out AuthenticationHeaderValue? header))
                throw new ConfigurationException(
                    "'authorization' is no value of that header. Give a scheme and a secret, such as "
                    + "Bearer ${DIRECTORY_TOKEN}.");
            _client.DefaultRequestHeaders.Authorization = header;
        }
    }

    /// <summary>Asks for one thing.</summary>
    /// <param name="key">What is looked up; it is escaped.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The answer, UTF-8; null where there is none (404, 410, 204).</returns>
    /// <exception cref="HttpLookupRefusedException">Asking again would bring the same.</exception>
    /// <exception cref="HttpRequestException">The server did not answer, or not now, or broke
    /// off.</exception>
    public async Task<byte[]?> GetAsync(string key, CancellationToken cancellation)
    {
        string url = _url.Replace(
            HttpLookupOptions.Placeholder, Uri.EscapeDataString(key), StringComparison.Ordinal);
        using HttpResponseMessage answer = await _client.GetAsync(
            url, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        switch (answer.StatusCode)
        {
            case HttpStatusCode.NotFound or HttpStatusCode.Gone or HttpStatusCode.NoContent:
                return null;
            case HttpStatusCode.OK:
                return await ReadAsync(answer, cancellation).ConfigureAwait(false);
            case HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
                or (HttpStatusCode)425 or >= HttpStatusCode.InternalServerError:
                throw new HttpRequestException(
                    $"{_place} answered {(int)answer.StatusCode}.", null, answer.StatusCode);
            default:
                throw new HttpLookupRefusedException(
                    $"{_place} answered {(int)answer.StatusCode}: asking again would not help.");
        }
    }

    /// <summary>Whether asking again may help after a failure, for <c>AsyncMapped.RetryIf</c>.</summary>
    public static bool MayPass(Exception failure) =>
        failure is not (HttpLookupRefusedException or ConfigurationException);

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    // What a server says of its length is not taken on trust, in either direction.
    private async Task<byte[]> ReadAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        if (answer.Content.Headers.ContentLength > _options.AnswerBytesMax)
            throw TooLong();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(_options.AnswerBytesMax + 1);
        try
        {
            using Stream body = await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            int length = 0;
            for (int read = -1; read != 0 && length <= _options.AnswerBytesMax; length += read)
                read = await body.ReadAsync(
                    buffer.AsMemory(length, _options.AnswerBytesMax + 1 - length), cancellation)
                    .ConfigureAwait(false);
            if (length > _options.AnswerBytesMax)
                throw TooLong();
            if (!Utf8.IsValid(buffer.AsSpan(0, length)))
                throw new HttpLookupRefusedException($"{_place} answered with what is no UTF-8.");
            return buffer[..length];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private HttpLookupRefusedException TooLong() => new(
        $"{_place} answered with more than {_options.AnswerBytesMax:N0} bytes. Raise answer_bytes_max if "
        + "that is right.");

    private static SslClientAuthenticationOptions Tls(HttpLookupOptions options)
    {
        var tls = new SslClientAuthenticationOptions();
        if (options.CaFile is { } authorities)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            Load("ca_file", authorities, () => policy.CustomTrustStore.ImportFromPemFile(authorities));
            if (policy.CustomTrustStore.Count == 0)
                throw new ConfigurationException($"'ca_file' {authorities} holds no certificate.");
            tls.CertificateChainPolicy = policy;
        }
        if (options.CertificateFile is { } certificate)
            Load("certificate_file", certificate, () => tls.ClientCertificates =
                [X509Certificate2.CreateFromPemFile(certificate, options.CertificateKeyFile)]);
        return tls;
    }

    private static void Load(string option, string file, Action load)
    {
        try
        {
            load();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ConfigurationException($"'{option}' {file} cannot be used: {e.Message}", e);
        }
    }
}

/// <summary>An answer that would be the same if the question were asked again.</summary>
public sealed class HttpLookupRefusedException(string message) : Exception(message);
