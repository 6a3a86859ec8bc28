using System.Runtime.InteropServices;

namespace Streams.Log.Embedded.Segments;

/// <summary>
/// Where a batch stands in its segment. Index files hold it as it is in memory, little-endian.
/// </summary>
/// <param name="BaseOffset">The first offset that the batch covers.</param>
/// <param name="Position">Where its entry starts in the file.</param>
/// <param name="Bytes">Size of the whole entry.</param>
/// <param name="LastOffsetDelta">The last offset that it covers, less the first.</param>
/// <param name="Records">Number of its records.</param>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly record struct BatchLocation(
    long BaseOffset, uint Position, int Bytes, int LastOffsetDelta, int Records)
{
    /// <summary>Size in an index file.</summary>
    public const int FileBytes = 24;

    /// <summary>The last offset that the batch covers.</summary>
    public long LastOffset => BaseOffset + LastOffsetDelta;

    /// <summary>Where its entry ends in the file.</summary>
    public long End => (long)Position + Bytes;
}
