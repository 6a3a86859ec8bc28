using System.Globalization;
using System.Text.Json;

namespace Streams.Tests.Conformance;

/// <summary>
/// Draws scenarios with other parameters than the golden ones from seeds: windows of a millisecond, advances
/// that do not divide the size, no grace, equal times, times at and beside the borders of windows, tombstones
/// and missing keys anywhere. What they must give is what <see cref="ReferenceTopology"/> gives.
/// </summary>
internal sealed class ScenarioGenerator
{
    private const int StepsMax = 70;

    private static readonly string[] OfTwoTopics =
        ["merge", "cogroup", "join", "headers"];

    private readonly Random _random;
    private readonly string _operator;
    private readonly SortedDictionary<string, object> _parameters = new(StringComparer.Ordinal);
    private readonly int _keys;
    private readonly bool _hasHeaders;
    private long _unitMs = 100;
    private long _timeMs;

    private ScenarioGenerator(string operatorName, int seed)
    {
        _operator = operatorName;
        _random = new Random(HashCode(operatorName) ^ seed);
        _keys = _random.Next(1, 6);
        _hasHeaders = operatorName == "headers" || _random.Next(3) == 0;
        DrawParameters();
        _timeMs = _random.Next(3) == 0 ? 0 : _random.NextInt64(5 * _unitMs);
    }

    /// <summary>A scenario; the same for the same operator and seed.</summary>
    internal static Scenario Make(string operatorName, int seed)
    {
        var drawn = new ScenarioGenerator(operatorName, seed);
        int steps = drawn._random.Next(3, StepsMax);
        var scenario = new Scenario(
            $"{operatorName}-seed-{seed}", operatorName,
            JsonSerializer.SerializeToElement(drawn._parameters),
            [.. Enumerable.Range(1, steps).Select(drawn.DrawStep)], []);
        return scenario with { Expected = ReferenceTopology.Run(scenario) };
    }

    // The same in every process, which string.GetHashCode is not.
    private static int HashCode(string text) => text.Aggregate(17, (hash, c) => unchecked((hash * 31) + c));

    private T One<T>(params T[] choices) => choices[_random.Next(choices.Length)];

    private bool Is(string part) => _operator.Contains(part, StringComparison.Ordinal);

    private void DrawParameters()
    {
        if (Is("filter"))
            _parameters["mod"] = _random.Next(1, 5);
        if (Is("table-filter") || _operator == "table-map-values")
            _parameters["materialized"] = _random.Next(2) == 0;
        if (_operator == "aggregate")
            _parameters["drop_above"] = _random.Next(1, 6);
        if (Is("punctuate"))
            _parameters["interval_ms"] = _unitMs = One(1, 7, 30, 100, 250);
        if (_operator == "dedupe")
            _parameters["within_ms"] = _unitMs = One(1, 10, 50, 600);
        if (_operator == "timestamp-extractor")
            _parameters["on_invalid"] = One("skip", "partition-time");
        if (Is("time-limit"))
        {
            _parameters["wait_ms"] = _unitMs = One(0, 1, 50, 150, 400);
            _parameters["max_records"] = _random.Next(1, 6);
            _unitMs = Math.Max(1, _unitMs);
        }
        if (Is("versioned"))
        {
            _parameters["join"] = One("inner", "left");
            _parameters["history_retention_ms"] = _unitMs = One(0, 1, 10, 100, 300, 1000);
            _unitMs = Math.Max(1, _unitMs);
        }
        // A grace longer than the history would wait for versions that are gone.
        if (_operator.EndsWith("join-grace", StringComparison.Ordinal))
            _parameters["grace_ms"] = _random.NextInt64((long)_parameters["history_retention_ms"] + 1);
        DrawWindows();
    }

    private void DrawWindows()
    {
        if (Is("stream-stream"))
        {
            long before = One(0, 1, 5, 10, 100, 1000);
            long after = One(before, 0, 1, 20, 200);
            _unitMs = Math.Max(1, before + after);
            (_parameters["before_ms"], _parameters["after_ms"]) = (before, after);
            _parameters["grace_ms"] = Grace();
            if (Is("self"))
                _parameters["optimization"] = One("none", "single.store.self.join");
        }
        if (Is("session"))
        {
            _parameters["gap_ms"] = _unitMs = One(1, 2, 10, 100, 1000);
            long grace = Grace();
            _parameters["grace_ms"] = grace;
            // With a shorter one a session of one stream would be gone before it is late for the other.
            _parameters["retention_ms"] = Is("cogroup") || Is("final") ? 86_400_000
                : One(_unitMs + grace, _unitMs + grace + 1, 2 * (_unitMs + grace), 86_400_000);
        }
        else if (Is("tumbling") || Is("hopping") || Is("sliding") || _operator is "headers"
            or "timestamp-extractor")
        {
            _unitMs = Is("sliding") ? One(0, 1, 3, 10, 100, 1000) : One(1, 2, 3, 10, 100, 1000);
            _parameters["size_ms"] = _unitMs;
            if (Is("hopping"))
                _parameters["advance_ms"] = One(1, Math.Max(1, _unitMs / 2), Math.Max(1, _unitMs / 3),
                    Math.Max(1, _unitMs - 1), _random.NextInt64(Math.Max(1, _unitMs / 20), _unitMs + 1));
            if (Is("hopping") && _unitMs / (long)_parameters["advance_ms"] > 20)
                _parameters["advance_ms"] = _unitMs / 7;
            _unitMs = Math.Max(1, _unitMs);
            _parameters["grace_ms"] = Grace();
            if (Is("cogroup") || Is("final"))
                _parameters["retention_ms"] = 86_400_000L;
        }
    }

    private long Grace() => One(0, 1, _unitMs / 3, _unitMs, (2 * _unitMs) + 1, 5 * _unitMs);

    private Step DrawStep(int number)
    {
        if (Is("wall-clock") && _random.Next(3) == 0)
            return new Step(null, _random.NextInt64(1, 3 * _unitMs));
        string topic = OfTwoTopics.Any(Is) && !Is("self") && _random.Next(2) == 0 ? "b" : "a";
        string headers = _hasHeaders && _random.Next(2) == 0 ? $"h=x{number}" : "";
        string? key = _random.Next(15) == 0 && !Is("punctuate") ? null : DrawKey(topic);
        return new Step(new Emitted(topic, key, DrawValue(topic, number), DrawTime(), headers), 0);
    }

    private string DrawKey(string topic) =>
        topic == "b" && (Is("fk") || Is("global"))
            ? $"r{_random.Next(1, 4)}" : $"k{_random.Next(1, _keys + 1)}";

    private string? DrawValue(string topic, int number)
    {
        if (_random.Next(Is("headers") ? int.MaxValue : 7) == 0)
            return null;
        string plain = string.Create(CultureInfo.InvariantCulture, $"v{number}");
        if (_operator == "dedupe")
            return $"v{_random.Next(3)}";
        if (_operator == "flat-map-values")
            return string.Join(',', Enumerable.Range(0, _random.Next(4)).Select(i => $"{plain}.{i}"));
        if (_operator == "flat-map")
            return string.Join(';', Enumerable.Range(0, _random.Next(4)).Select(i => $"k{i}={plain}"));
        if (_operator == "timestamp-extractor")
            return One($"{DrawTime()}", "-1", "x", "") + "|" + plain;
        if ((Is("fk") || Is("global")) && topic == "a")
            return (_random.Next(8) == 0 ? "" : $"r{_random.Next(1, 5)}|") + plain;
        if (Is("group-by"))
            return (_random.Next(8) == 0 ? "" : $"g{_random.Next(1, 4)}|") + plain;
        return plain;
    }

    // Times that go on, stand, go back a little or a lot, jump, and lie on borders of windows.
    private long DrawTime()
    {
        long border = _timeMs / _unitMs * _unitMs;
        long timeMs = _random.Next(12) switch
        {
            < 4 => _timeMs + _random.NextInt64((_unitMs / 2) + 2),
            4 => _timeMs,
            5 => _timeMs + 1,
            6 => border + _unitMs,
            7 => border + _random.NextInt64(-1, 2),
            8 => _timeMs - _random.NextInt64(_unitMs + 2),
            9 => _timeMs - _random.NextInt64((5 * _unitMs) + 2),
            10 => _timeMs + _random.NextInt64((6 * _unitMs) + 2),
            _ => _random.Next(4) == 0 ? _random.NextInt64(2 * _unitMs) : _timeMs - _unitMs,
        };
        timeMs = Math.Max(0, timeMs);
        _timeMs = Math.Max(_timeMs, timeMs);
        return timeMs;
    }
}
