using System.Buffers.Binary;
using System.Text;

namespace Streams.State.Disk;

/// <summary>What one commit changed in a store on disk, on its way to the database.</summary>
internal sealed class DiskBatch : IDisposable
{
    private volatile bool _isWritten;

    /// <summary>The changes.</summary>
    internal RocksBatch Changes { get; } = new();

    /// <summary>Its number, counted from one.</summary>
    internal long Number { get; set; }

    /// <summary>Entries of the store with it.</summary>
    internal long Count { get; set; }

    /// <summary>The table of what it changed.</summary>
    internal FlatTable? Table { get; set; }

    /// <summary>The names of what it changed, in that table.</summary>
    internal (uint[] Items, int Count) Names { get; set; } = (new uint[64], 0);

    /// <summary>An array for the names of the next.</summary>
    internal uint[] SpareNames { get; private set; } = new uint[64];

    /// <summary>Whether the database has it.</summary>
    internal bool IsWritten => _isWritten;

    /// <summary>Empties it.</summary>
    internal void Begin()
    {
        _isWritten = false;
        SpareNames = Names.Items;
        Changes.Clear();
    }

    /// <summary>Puts it into the database; from any thread.</summary>
    internal void WriteTo(RocksDatabase database)
    {
        database.Write(Changes);
        _isWritten = true;
    }

    /// <inheritdoc/>
    public void Dispose() => Changes.Dispose();
}

/// <summary>
/// How far a database is: which log's changelog it follows, and up to where. It is written with each batch,
/// so it is as true after a crash as what the batch changed.
/// </summary>
/// <param name="LogId">The log.</param>
/// <param name="Offset">Everything before this offset of the changelog is in the database.</param>
/// <param name="Count">Number of entries.</param>
/// <param name="WrittenMs">When it was written, Unix milliseconds.</param>
internal readonly record struct DiskPosition(string LogId, long Offset, long Count, long WrittenMs)
{
    private const int Format = 1;
    private const int FixedBytes = 4 + 8 + 8 + 8;

    /// <summary>Where it lies in the database: before all entries.</summary>
    internal static ReadOnlySpan<byte> Key => [0];

    /// <summary>Adds it to a batch.</summary>
    internal void AddTo(RocksBatch batch)
    {
        Span<byte> bytes = stackalloc byte[FixedBytes + 64];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Format);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[4..], Offset);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[12..], Count);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[20..], WrittenMs);
        int length = FixedBytes + Encoding.UTF8.GetBytes(LogId, bytes[FixedBytes..]);
        batch.Put(Key, bytes[..length]);
    }

    /// <summary>Reads it from a database; null where there is none, or one of another format.</summary>
    internal static DiskPosition? Read(RocksDatabase database)
    {
        using PinnedValue found = database.Get(Key);
        if (!found.Exists || found.Bytes.Length < FixedBytes
            || BinaryPrimitives.ReadInt32LittleEndian(found.Bytes) != Format)
            return null;
        return new DiskPosition(
            Encoding.UTF8.GetString(found.Bytes[FixedBytes..]),
            BinaryPrimitives.ReadInt64LittleEndian(found.Bytes[4..]),
            BinaryPrimitives.ReadInt64LittleEndian(found.Bytes[12..]),
            BinaryPrimitives.ReadInt64LittleEndian(found.Bytes[20..]));
    }
}
