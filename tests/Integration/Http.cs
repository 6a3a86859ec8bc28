using System.Net;

namespace Streams.Tests.Integration;

/// <summary>Asks a running process.</summary>
internal static class Http
{
    private static readonly HttpClient Client = new() { Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>One answer.</summary>
    internal static async Task<(HttpStatusCode Status, string Text)> GetAsync(string url)
    {
        using HttpResponseMessage answer = await Client.GetAsync(url);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Asks again and again until the answer is the one that is waited for.</summary>
    /// <exception cref="TimeoutException">It did not come within two minutes; the last one is in the
    /// message.</exception>
    internal static async Task<(HttpStatusCode Status, string Text)> WaitAsync(
        string url, Func<HttpStatusCode, string, bool> until)
    {
        for (int i = 0; ; i++)
        {
            (HttpStatusCode status, string text) = await GetAsync(url);
            if (until(status, text))
                return (status, text);
            if (i == 1200)
                throw new TimeoutException($"{url} still says {status}: {text}");
            await Task.Delay(100);
        }
    }
}
