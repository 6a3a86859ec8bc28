namespace Streams.Buffers;

/// <summary>How a reader's attempt ended: three different things, never folded into a bool.</summary>
public enum ParseStatus : byte
{
    /// <summary>A whole value was read and the reader was advanced past it.</summary>
    Done,

    /// <summary>The bytes so far are a valid beginning; nothing was consumed.</summary>
    NeedMoreData,

    /// <summary>No continuation can make these bytes valid.</summary>
    Invalid,
}

/// <summary>The outcome of reading one value from bytes.</summary>
/// <typeparam name="TDefect">The component's own enumeration of what can be wrong.</typeparam>
/// <param name="Status">Done, NeedMoreData or Invalid.</param>
/// <param name="Defect">What is wrong; meaningful only when <paramref name="Status"/> is Invalid.</param>
/// <param name="Offset">Bytes from the start of the value to the place of the defect.</param>
public readonly record struct ParseResult<TDefect>(ParseStatus Status, TDefect Defect, long Offset)
    where TDefect : struct, Enum
{
    /// <summary>A whole value was read.</summary>
    public static ParseResult<TDefect> Done => default;

    /// <summary>More bytes are needed; nothing was consumed.</summary>
    public static ParseResult<TDefect> NeedMoreData => new(ParseStatus.NeedMoreData, default, 0);

    /// <summary>Whether a whole value was read.</summary>
    public bool IsDone => Status == ParseStatus.Done;

    /// <summary>Whether the bytes are beyond repair.</summary>
    public bool IsInvalid => Status == ParseStatus.Invalid;

    /// <summary>The bytes are wrong at <paramref name="offset"/>.</summary>
    public static ParseResult<TDefect> Invalid(TDefect defect, long offset) =>
        new(ParseStatus.Invalid, defect, offset);

    /// <inheritdoc/>
    public override string ToString() =>
        Status == ParseStatus.Invalid ? $"{Defect} at byte {Offset}" : $"{Status}";
}
