namespace Streams.Tests.Integration;

/// <summary>What happened, by time; also in the file that STREAMS_TEST_JOURNAL names. Thread-safe.</summary>
internal sealed class ChaosJournal
{
    private static readonly string? File = Environment.GetEnvironmentVariable("STREAMS_TEST_JOURNAL");

    private readonly List<string> _lines = [];
    private readonly SortedDictionary<string, int> _done = new(StringComparer.Ordinal);

    internal string Summary => string.Join(", ", _done.Select(d => $"{d.Value} {d.Key}"));

    internal bool Has(string what) => _done.ContainsKey(what);

    internal void Note(string what, string whom)
    {
        _done[what] = _done.GetValueOrDefault(what) + 1;
        Write($"==== {what}: {whom}");
    }

    internal void Write(string line)
    {
        lock (_lines)
        {
            _lines.Add($"{DateTime.UtcNow:HH:mm:ss.fff} {line}");
            if (File is not null)
                System.IO.File.AppendAllText(File, _lines[^1] + "\n");
        }
    }

    /// <summary>Whether a line of one process says so.</summary>
    internal bool Says(string process, string what)
    {
        lock (_lines)
            return _lines.Any(l => l.Contains(process, StringComparison.Ordinal)
                && l.Contains(what, StringComparison.Ordinal));
    }

    internal string Tail(int lines)
    {
        lock (_lines)
            return string.Join('\n', _lines.TakeLast(lines));
    }
}
