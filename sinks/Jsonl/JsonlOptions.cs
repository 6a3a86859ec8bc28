namespace Streams.Sinks.Jsonl;

/// <summary>How records are written as lines of JSON.</summary>
public sealed record JsonlOptions
{
    /// <summary>The folder; made where it is missing.</summary>
    public required string Folder { get; init; }

    /// <summary>A file is ended when it has this many bytes. Default 256 MiB.</summary>
    public long FileBytesMax { get; init; } = 256L << 20;
}
