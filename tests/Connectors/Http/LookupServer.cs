using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Streams.Tests.Connectors.Http;

/// <summary>A web server on loopback that answers what the test says, well or badly.</summary>
internal sealed class LookupServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly Func<string, int, Answer> _answer;
    private readonly ConcurrentDictionary<string, int> _asked = new();
    private int _active;

    private LookupServer(Func<string, int, Answer> answer, X509Certificate2? certificate)
    {
        _answer = answer;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(
            System.Net.IPAddress.Loopback, 0, listen =>
            {
                if (certificate is not null)
                    listen.UseHttps(certificate);
            }));
        if (certificate is not null)
            builder.WebHost.UseKestrelHttpsConfiguration();
        _application = builder.Build();
        _application.MapGet("/things/{key}", AnswerAsync);
    }

    /// <summary>Where it listens, such as http://127.0.0.1:1234.</summary>
    internal string Address => _application.Urls.Single();

    /// <summary>What an HttpLookupOptions has to say.</summary>
    internal string Url => $"{Address}/things/{{key}}";

    /// <summary>Requests that are being answered.</summary>
    internal int Active => Volatile.Read(ref _active);

    /// <summary>How often each key was asked for.</summary>
    internal IReadOnlyDictionary<string, int> Asked => _asked;

    /// <summary>The Authorization header of the last request.</summary>
    internal string? Authorization { get; private set; }

    /// <summary>Starts one.</summary>
    /// <param name="answer">What to answer, by key and by how often it has been asked for before.</param>
    /// <param name="certificate">Its certificate; null for plain HTTP.</param>
    internal static async Task<LookupServer> StartAsync(
        Func<string, int, Answer> answer, X509Certificate2? certificate = null)
    {
        var server = new LookupServer(answer, certificate);
        await server._application.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext http, string key)
    {
        Authorization = http.Request.Headers.Authorization;
        Interlocked.Increment(ref _active);
        try
        {
            Answer answer = _answer(key, _asked.AddOrUpdate(key, 1, (_, n) => n + 1) - 1);
            await Task.Delay(answer.Wait, http.RequestAborted);
            http.Response.StatusCode = answer.Status;
            if (answer.Location is not null)
                http.Response.Headers.Location = answer.Location;
            if (answer.Status is 204 or 304)
                return;
            http.Response.ContentLength =
                answer.ClaimedBytes ?? (answer.IsChunked ? null : answer.Body.Length);
            await http.Response.Body.WriteAsync(answer.Body, http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
            if (answer.BreaksOff)
                http.Abort();
        }
        catch (OperationCanceledException)
        {
            // Who asked has gone.
        }
        finally
        {
            Interlocked.Decrement(ref _active);
        }
    }
}

/// <summary>What a <see cref="LookupServer"/> does with a request.</summary>
internal sealed record Answer(byte[] Body, int Status = 200)
{
    internal TimeSpan Wait { get; init; }

    internal long? ClaimedBytes { get; init; }

    internal bool IsChunked { get; init; }

    internal bool BreaksOff { get; init; }

    internal string? Location { get; init; }

    internal static Answer Never { get; } = new([]) { Wait = Timeout.InfiniteTimeSpan };

    internal static Answer Of(string text, int status = 200) =>
        new(System.Text.Encoding.UTF8.GetBytes(text), status);
}
