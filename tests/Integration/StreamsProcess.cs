using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>The executable in a process of its own.</summary>
internal sealed class StreamsProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly StringBuilder _errors = new();
    private readonly Task _errorsRead;

    private StreamsProcess(Process process)
    {
        _process = process;
        _output = process.StandardOutput.ReadToEndAsync();
        _errorsRead = Task.Run(ReadErrors);
    }

    /// <summary>What it has written to standard error so far.</summary>
    internal string Errors
    {
        get
        {
            lock (_errors)
                return _errors.ToString();
        }
    }

    /// <summary>Whether it has ended.</summary>
    internal bool HasExited => _process.HasExited;

    /// <summary>Its number.</summary>
    internal int Id => _process.Id;

    /// <summary>Starts <c>streams</c> with arguments.</summary>
    internal static StreamsProcess Start(params IEnumerable<string> arguments) =>
        Start(arguments, new Dictionary<string, string>());

    /// <summary>Starts <c>streams</c> with arguments and variables of the environment.</summary>
    internal static StreamsProcess Start(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "streams.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return new StreamsProcess(Process.Start(start)!);
    }

    /// <summary>Runs <c>streams</c> to its end.</summary>
    internal static (int Code, string Output, string Errors) Run(params IEnumerable<string> arguments)
    {
        using StreamsProcess process = Start(arguments);
        return process.WaitForEnd();
    }

    /// <summary>Runs <c>streams</c> to a good end, and reads what it printed: JSON, one to a line.</summary>
    internal static JsonElement[] Json(params IEnumerable<string> arguments)
    {
        (int code, string output, string errors) = Run(arguments);
        Assert.True(code == 0, errors);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => JsonDocument.Parse(l).RootElement)];
    }

    /// <summary>Waits for the process to end by itself.</summary>
    internal (int Code, string Output, string Errors) WaitForEnd()
    {
        if (!_process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            Kill();
            throw new TimeoutException($"streams did not end within five minutes: {Errors}");
        }
        _errorsRead.Wait();
        return (_process.ExitCode, _output.Result, Errors);
    }

    /// <summary>Waits until it has said something on standard error.</summary>
    internal async Task<string> WaitForAsync(string text)
    {
        for (int i = 0; !Errors.Contains(text, StringComparison.Ordinal); i++)
        {
            if (_process.HasExited || i == 2400)
                throw new TimeoutException($"streams has not said '{text}', but: {Errors}");
            await Task.Delay(50);
        }
        return Errors;
    }

    /// <summary>Where it serves metrics, once it does.</summary>
    internal async Task<string> AddressAsync()
    {
        string errors = await WaitForAsync("/metrics");
        return Regex.Match(errors, "http://[0-9.:]+").Value;
    }

    /// <summary>Sends SIGKILL after a while.</summary>
    /// <returns>Whether the process was still there.</returns>
    internal bool KillAfter(TimeSpan wait)
    {
        if (_process.WaitForExit(wait))
            return false;
        Kill();
        return true;
    }

    /// <summary>Sends SIGTERM.</summary>
    internal void Terminate()
    {
        if (_process.HasExited)
            return;
        using Process kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }

    private void ReadErrors()
    {
        while (_process.StandardError.ReadLine() is { } line)
        {
            lock (_errors)
                _errors.AppendLine(line);
        }
    }

    // Process.Kill sends SIGKILL.
    private void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }
}
