using System.Diagnostics;

namespace Streams.Tests.Integration;

/// <summary>The executable in a process of its own.</summary>
internal sealed class StreamsProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private StreamsProcess(Process process)
    {
        _process = process;
        _output = process.StandardOutput.ReadToEndAsync();
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Starts <c>streams</c> with arguments.</summary>
    internal static StreamsProcess Start(params IEnumerable<string> arguments)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "streams.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new StreamsProcess(Process.Start(start)!);
    }

    /// <summary>Runs <c>streams</c> to its end.</summary>
    internal static (int Code, string Output, string Errors) Run(params IEnumerable<string> arguments)
    {
        using StreamsProcess process = Start(arguments);
        return process.WaitForEnd();
    }

    /// <summary>Waits for the process to end by itself.</summary>
    internal (int Code, string Output, string Errors) WaitForEnd()
    {
        if (!_process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            Kill();
            throw new TimeoutException($"streams did not end within five minutes: {_errors.Result}");
        }
        return (_process.ExitCode, _output.Result, _errors.Result);
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

    // Process.Kill sends SIGKILL.
    private void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }
}
