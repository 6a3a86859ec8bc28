namespace Streams.State;

/// <summary>Goes through a key's elements of a range of time in a <see cref="WindowTable"/>.</summary>
internal ref struct WindowElements
{
    private readonly WindowTable _window;
    private readonly ReadOnlySpan<byte> _key;
    private readonly long _fromMs;
    private readonly long _toMs;
    private long _nextListMs;
    private int _place;
    private ReadOnlySpan<byte> _list;
    private int _at;

    internal WindowElements(WindowTable window, ReadOnlySpan<byte> key, long fromMs, long toMs)
    {
        TimeSegments segments = window.Segments;
        _window = window;
        _key = key;
        _fromMs = segments.ObservedMs == long.MinValue
            ? fromMs
            : Math.Max(fromMs, segments.ObservedMs - segments.RetentionMs + 1);
        _toMs = Math.Min(toMs, segments.ObservedMs);
        _nextListMs = _fromMs;
    }

    /// <summary>The element's time.</summary>
    internal long TimeMs { get; private set; }

    /// <summary>The element's payload.</summary>
    internal ReadOnlySpan<byte> Payload { get; private set; }

    internal bool MoveNext()
    {
        while (true)
        {
            while (_at < _list.Length)
            {
                int at = _at;
                ref readonly ElementHeader header = ref TimedList.Header(_list, at);
                if (header.TimeMs > _toMs)
                    return false;
                _at += TimedList.ElementBytes(header.PayloadBytes);
                if ((header.Flags & ElementFlags.Deleted) != 0)
                    continue;
                TimeMs = header.TimeMs;
                Payload = TimedList.Payload(_list, at);
                return true;
            }
            if (!MoveToList())
                return false;
        }
    }

    // Times without a segment are passed over at once, those without a list one by one.
    private bool MoveToList()
    {
        TimeSegments segments = _window.Segments;
        while (_nextListMs <= _toMs)
        {
            long segment = segments.SegmentOf(_nextListMs);
            while (_place < segments.TableCount && segments.Number(_place) < segment)
                _place++;
            if (_place == segments.TableCount)
                return false;
            if (segments.Number(_place) > segment)
            {
                _nextListMs = segments.Number(_place) * segments.SegmentMs;
                continue;
            }
            _list = _window.List(segments.Table(_place), _key, _nextListMs);
            _at = TimedList.FirstAtOrAfter(_list, _fromMs);
            _nextListMs = _window.EndOfList(_nextListMs);
            if (_at < _list.Length)
                return true;
        }
        return false;
    }
}
