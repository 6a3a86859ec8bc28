namespace Streams.Testing;

/// <summary>
/// A file of a <see cref="SimulatedFileSystem"/>: what a reader sees, and what a crash leaves of it.
/// </summary>
internal sealed class SimulatedFile
{
    // A disk writes a sector whole or not at all, and sectors in any order.
    private const int SectorBytes = 512;

    private readonly List<Change> _unsynced = [];
    private readonly List<Flip> _flips = [];
    private byte[] _bytes = [];
    private byte[] _durable = [];

    /// <summary>Bytes in the file.</summary>
    public long Length { get; private set; }

    /// <summary>A copy of what a reader sees.</summary>
    public byte[] Contents() => _bytes.AsSpan(0, (int)Length).ToArray();

    /// <summary>Reads as much as there is.</summary>
    public int Read(Span<byte> destination, long position)
    {
        int count = (int)Math.Clamp(Length - position, 0, destination.Length);
        _bytes.AsSpan((int)Math.Min(position, Length), count).CopyTo(destination);
        return count;
    }

    /// <summary>Writes, extending the file where it has to.</summary>
    public void Write(ReadOnlySpan<byte> source, long position)
    {
        if (source.IsEmpty)
            return;
        Forget(position, position + source.Length);
        _unsynced.Add(new Change(position, source.ToArray()));
        Put(ref _bytes, source, position);
        Length = Math.Max(Length, position + source.Length);
    }

    /// <summary>Cuts the file off, or extends it with zeros; what was cut off is never seen again.</summary>
    public void Truncate(long length)
    {
        Forget(length, long.MaxValue);
        _unsynced.Add(new Change(length, null));
        Array.Resize(ref _bytes, (int)length);
        Length = length;
    }

    /// <summary>Makes everything so far survive a crash.</summary>
    public void Sync()
    {
        _durable = Contents();
        _unsynced.Clear();
    }

    /// <summary>Flips a bit, on the disk and in memory.</summary>
    public void FlipBit(long position, int bit)
    {
        var flip = new Flip(position, (byte)(1 << bit));
        _flips.Add(flip);
        Apply(flip, _bytes);
        Apply(flip, _durable);
    }

    /// <summary>Puts back the bits that flipped and were not written over since.</summary>
    public void HealBits()
    {
        foreach (Flip flip in _flips)
        {
            Apply(flip, _bytes);
            Apply(flip, _durable);
        }
        _flips.Clear();
    }

    /// <summary>Leaves what was synced, whole, and any sectors of what was written since.</summary>
    public void Crash(Random random)
    {
        HealBits();
        byte[] bytes = [.. _durable];
        long length = _durable.Length;
        // Often all or nothing of the tail survives, so that both are tried, and often a mixture.
        int survivalPercent = random.Next(4) switch { 0 => 0, 1 => 100, 2 => 90, _ => 50 };
        foreach (Change change in _unsynced)
        {
            if (change.Bytes is null)
            {
                if (random.Next(100) < survivalPercent)
                {
                    length = change.Position;
                    Array.Resize(ref bytes, (int)length);
                }
                continue;
            }
            for (int at = 0; at < change.Bytes.Length;)
            {
                long sectorLeft = SectorBytes - (change.Position + at) % SectorBytes;
                int count = (int)Math.Min(sectorLeft, change.Bytes.Length - at);
                if (random.Next(100) < survivalPercent)
                {
                    Put(ref bytes, change.Bytes.AsSpan(at, count), change.Position + at);
                    length = Math.Max(length, change.Position + at + count);
                }
                at += count;
            }
        }
        Array.Resize(ref bytes, (int)length);
        _bytes = bytes;
        Length = length;
        Sync();
    }

    // What is written or cut off is as it should be; what a crash would bring back is healed.
    private void Forget(long from, long until)
    {
        for (int i = _flips.Count - 1; i >= 0; i--)
        {
            if (_flips[i].Position < from || _flips[i].Position >= until)
                continue;
            Apply(_flips[i], _durable);
            _flips.RemoveAt(i);
        }
    }

    private static void Apply(Flip flip, byte[] bytes)
    {
        if (flip.Position < bytes.Length)
            bytes[flip.Position] ^= flip.Mask;
    }

    private static void Put(ref byte[] bytes, ReadOnlySpan<byte> source, long position)
    {
        if (position + source.Length > bytes.Length)
            Array.Resize(ref bytes, (int)Math.Max(position + source.Length, 2L * bytes.Length));
        source.CopyTo(bytes.AsSpan((int)position));
    }

    private readonly record struct Flip(long Position, byte Mask);

    /// <summary>A write, or where <see cref="Bytes"/> is null a new length.</summary>
    private readonly record struct Change(long Position, byte[]? Bytes);
}
