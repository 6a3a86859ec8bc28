using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Streams.Connect;
using Streams.State;

namespace Streams.Telemetry;

/// <summary>Whether an application can be sent work, and what it says to that.</summary>
/// <param name="IsReady">Whether it can.</param>
/// <param name="Detail">Why not, one reason a line.</param>
public readonly record struct Readiness(bool IsReady, string Detail);

/// <summary>
/// Serves <c>/metrics</c> (Prometheus text), <c>/healthz</c> (200 while the process lives) and <c>/readyz</c>
/// (200, or 503 with the reasons) on one address, by default on loopback; and there, where it is given a
/// reader, <c>/state</c> and <c>/state/STORE</c>, one JSON object a line, to callers on the same machine.
/// </summary>
public sealed class TelemetryServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly MetricsText _metrics = new();
    private readonly ProcessGauges _process = new();

    private TelemetryServer(IPEndPoint address, Func<Readiness> readiness, IStateReader? state)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.Listen(address, listen => listen.Protocols = HttpProtocols.Http1);
            options.Limits.MaxRequestBodySize = 0;
        });
        _application = builder.Build();
        _application.MapGet("/metrics", () => Text(_metrics.Write()));
        _application.MapGet("/healthz", () => Text("ok\n"));
        _application.MapGet("/readyz", () =>
        {
            Readiness now = readiness();
            return Text(now.IsReady ? "ready\n" : now.Detail + "\n", now.IsReady ? 200 : 503);
        });
        if (state is null)
            return;
        RouteGroupBuilder stores = _application.MapGroup("/state").AddEndpointFilter(FromThisMachine);
        stores.MapGet("", () => Text(string.Concat(state.Stores.Select(s => s + "\n"))));
        stores.MapGet("/{store}", (string store, HttpRequest request) => AnswerAsync(state, store, request));
    }

    /// <summary>Where it listens; with port 0 asked for, the port that it got.</summary>
    public string Address => _application.Urls.First();

    /// <summary>Starts listening.</summary>
    /// <param name="address">HOST:PORT, such as 127.0.0.1:9464.</param>
    /// <param name="readiness">Asked at each <c>/readyz</c>.</param>
    /// <param name="state">Asked at each <c>/state</c>; null for none.</param>
    /// <exception cref="Connect.ConfigurationException">The address is not one, or is taken.</exception>
    public static async Task<TelemetryServer> StartAsync(
        string address, Func<Readiness> readiness, IStateReader? state = null)
    {
        if (!IPEndPoint.TryParse(address, out IPEndPoint? endpoint)
            || !address.Contains(':', StringComparison.Ordinal))
            throw new Connect.ConfigurationException(
                $"'{address}' is no address to listen on. Give an IP address and a port, such as " +
                    $"127.0.0.1:9464.");
        var server = new TelemetryServer(endpoint, readiness, state);
        try
        {
            await server._application.StartAsync();
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await server.DisposeAsync();
            throw new Connect.ConfigurationException($"Cannot listen on {address}: {e.Message}", e);
        }
        return server;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _process.Dispose();
        _metrics.Dispose();
    }

    // What stores hold is nobody's business but this machine's, whatever the address that is listened on.
    private static async ValueTask<object?> FromThisMachine(
        EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        context.HttpContext.Connection.RemoteIpAddress is { } caller && IPAddress.IsLoopback(caller)
            ? await next(context)
            : Text("State is shown to callers on the same machine only: ask 127.0.0.1 there.\n", 403);

    private static async Task<IResult> AnswerAsync(IStateReader state, string store, HttpRequest request)
    {
        try
        {
            StateQuestion question = StateQuestion.Read(
                request.Query.Select(p => KeyValuePair.Create(p.Key, p.Value.ToString())));
            return Text(await question.AnswerAsync(state, store, request.HttpContext.RequestAborted));
        }
        catch (StateQueryException e)
        {
            return Text(e.Message + "\n", 400);
        }
    }

    private static IResult Text(string text, int status = 200) =>
        Results.Text(text, "text/plain; version=0.0.4; charset=utf-8", Encoding.UTF8, status);
}
