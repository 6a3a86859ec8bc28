using System.Runtime.InteropServices;
using System.Text;

namespace Streams.State.Disk;

/// <summary>
/// A database of RocksDB without its write-ahead log: what survives the process is always all batches up to
/// some point, whole, and the changelog has the rest.
/// </summary>
/// <remarks>
/// Reads may come from any thread while one thread writes. A batch goes into one memory table, and memory
/// tables reach the disk whole and in order, so a batch that carries its own position in the changelog makes
/// the two agree.
/// </remarks>
internal sealed unsafe class RocksDatabase : IDisposable
{
    private const int BloomBitsPerKey = 10;
    private const int FormatVersion = 5;
    private const int TwoLevelIndex = 2;
    private const int ErrorLogLevel = 3;
    private const int Lz4 = 4;

    private readonly RocksLibrary _rocks = RocksLibrary.Instance;
    private readonly nint _options;
    private readonly nint _readOptions;
    private readonly nint _writeOptions;
    private readonly string _folder;
    private nint _database;

    private RocksDatabase(string folder, DiskOptions disk, RocksCache cache, bool isReadOnly)
    {
        _folder = folder;
        _options = Options(disk, cache);
        _readOptions = _rocks.ReadOptionsCreate();
        _writeOptions = _rocks.WriteOptionsCreate();
        _rocks.DisableWal(_writeOptions, 1);
        byte* error = null;
        fixed (byte* path = Encoding.UTF8.GetBytes(folder + '\0'))
        {
            _database = isReadOnly
                ? _rocks.OpenReadOnly(_options, path, 0, &error)
                : _rocks.Open(_options, path, &error);
        }
        if (error == null)
            return;
        string reason = Take(error);
        Dispose();
        throw new RocksException(folder, reason);
    }

    /// <summary>Opens the database of a folder, making it where there is none.</summary>
    /// <exception cref="RocksException">It is damaged, in use, or cannot be written.</exception>
    internal static RocksDatabase Open(string folder, DiskOptions disk, RocksCache cache) =>
        new(folder, disk, cache, isReadOnly: false);

    /// <summary>Opens the database of a folder to read, which changes nothing of it.</summary>
    /// <exception cref="RocksException">There is none, or it is damaged.</exception>
    internal static RocksDatabase OpenReadOnly(string folder, DiskOptions disk, RocksCache cache) =>
        new(folder, disk, cache, isReadOnly: true);

    /// <summary>Whether something was read that is not what was written.</summary>
    internal bool IsDamaged { get; private set; }

    /// <summary>Reads a value.</summary>
    /// <returns>The value, to be disposed of; absent where there is none.</returns>
    internal PinnedValue Get(ReadOnlySpan<byte> key)
    {
        byte* error = null;
        nint pinned;
        fixed (byte* at = &MemoryMarshal.GetReference(key))
            pinned = _rocks.GetPinned(_database, _readOptions, at, (nuint)key.Length, &error);
        Check(error);
        return new PinnedValue(pinned);
    }

    /// <summary>Adds a batch: all of it or nothing, in this process and after a crash.</summary>
    internal void Write(RocksBatch batch)
    {
        byte* error = null;
        _rocks.Write(_database, _writeOptions, batch.Handle, &error);
        Check(error);
    }

    /// <summary>Writes to the disk what is in memory tables.</summary>
    internal void Flush()
    {
        nint options = _rocks.FlushOptionsCreate();
        _rocks.SetFlushWait(options, 1);
        byte* error = null;
        _rocks.Flush(_database, options, &error);
        _rocks.FlushOptionsDestroy(options);
        Check(error);
    }

    /// <summary>Opens a cursor over all entries as they are now.</summary>
    internal RocksCursor OpenCursor() => new(this, _rocks.IteratorCreate(_database, _readOptions));

    /// <summary>A figure that the database keeps, such as <c>rocksdb.total-sst-files-size</c>; 0 for
    /// none.</summary>
    internal long Figure(ReadOnlySpan<byte> name)
    {
        ulong value = 0;
        fixed (byte* at = name)
            return _rocks.PropertyNumber(_database, at, &value) == 0 ? (long)value : 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_database != 0)
            _rocks.Close(_database);
        _database = 0;
        _rocks.WriteOptionsDestroy(_writeOptions);
        _rocks.ReadOptionsDestroy(_readOptions);
        _rocks.OptionsDestroy(_options);
    }

    /// <summary>Takes over an error's text.</summary>
    internal static string Take(byte* error)
    {
        string text = Marshal.PtrToStringUTF8((nint)error) ?? "";
        RocksLibrary.Instance.Free(error);
        return text;
    }

    /// <summary>Throws what a cursor of this database could not do.</summary>
    internal void Check(byte* error)
    {
        if (error == null)
            return;
        var failure = new RocksException(_folder, Take(error));
        IsDamaged |= failure.IsDamage;
        throw failure;
    }

    // Index and filter blocks count against the cache like data, in parts of a few kilobytes, so that memory
    // is bounded by the options whatever the size of the store; files go past the page cache for the same
    // reason.
    private nint Options(DiskOptions disk, RocksCache cache)
    {
        nint table = _rocks.TableOptionsCreate();
        _rocks.SetBlockCache(table, cache.DangerousGetHandle());
        _rocks.SetFilterPolicy(table, _rocks.BloomCreate(BloomBitsPerKey));
        _rocks.SetCacheIndexAndFilter(table, 1);
        _rocks.SetPinLevel0(table, 1);
        _rocks.SetIndexType(table, TwoLevelIndex);
        _rocks.SetPartitionFilters(table, 1);
        _rocks.SetPinTopLevel(table, 1);
        _rocks.SetFormatVersion(table, FormatVersion);
        nint options = _rocks.OptionsCreate();
        _rocks.SetTableOptions(options, table);
        _rocks.TableOptionsDestroy(table);
        _rocks.SetCreateIfMissing(options, 1);
        _rocks.SetWriteBufferSize(options, (nuint)disk.WriteBufferBytes);
        _rocks.SetMaxBuffers(options, 2);
        _rocks.SetLevelBytes(options, 4 * (ulong)disk.WriteBufferBytes);
        _rocks.SetDynamicLevelBytes(options, 1);
        _rocks.SetMaxBackgroundJobs(options, 2);
        _rocks.SetMaxOpenFiles(options, disk.OpenFilesMax);
        _rocks.SetCompression(options, Lz4);
        _rocks.SetDirectReads(options, disk.DirectIo ? (byte)1 : (byte)0);
        _rocks.SetDirectWrites(options, disk.DirectIo ? (byte)1 : (byte)0);
        _rocks.SetInfoLogLevel(options, ErrorLogLevel);
        _rocks.SetKeepLogFileNumber(options, 2);
        return options;
    }
}

/// <summary>A value where the database has it; disposing of it lets the memory go.</summary>
internal readonly unsafe ref struct PinnedValue(nint handle)
{
    /// <summary>Whether there is one.</summary>
    internal bool Exists => handle != 0;

    /// <summary>Its bytes, valid until it is disposed of.</summary>
    internal ReadOnlySpan<byte> Bytes
    {
        get
        {
            nuint length;
            byte* at = RocksLibrary.Instance.PinnedValue(handle, &length);
            return new ReadOnlySpan<byte>(at, checked((int)length));
        }
    }

    /// <summary>Lets the memory go.</summary>
    public void Dispose()
    {
        if (handle != 0)
            RocksLibrary.Instance.PinnedDestroy(handle);
    }
}

/// <summary>Changes that go in together.</summary>
internal sealed unsafe class RocksBatch : IDisposable
{
    private readonly RocksLibrary _rocks = RocksLibrary.Instance;

    internal RocksBatch() => Handle = _rocks.BatchCreate();

    internal nint Handle { get; private set; }

    /// <summary>Bytes of keys and values in it.</summary>
    internal long Bytes { get; private set; }

    internal void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Bytes += key.Length + value.Length;
        fixed (byte* keyAt = &MemoryMarshal.GetReference(key), valueAt = &MemoryMarshal.GetReference(value))
            _rocks.BatchPut(Handle, keyAt, (nuint)key.Length, valueAt, (nuint)value.Length);
    }

    internal void Delete(ReadOnlySpan<byte> key)
    {
        Bytes += key.Length;
        fixed (byte* at = &MemoryMarshal.GetReference(key))
            _rocks.BatchDelete(Handle, at, (nuint)key.Length);
    }

    internal void Clear()
    {
        _rocks.BatchClear(Handle);
        Bytes = 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Handle != 0)
            _rocks.BatchDestroy(Handle);
        Handle = 0;
    }
}

/// <summary>Goes through the entries of a database as they were when it was opened.</summary>
internal sealed unsafe class RocksCursor(RocksDatabase database, nint handle) : IDisposable
{
    private readonly RocksLibrary _rocks = RocksLibrary.Instance;
    private nint _handle = handle;

    /// <summary>Whether it stands on an entry.</summary>
    internal bool IsValid => _rocks.IteratorValid(_handle) != 0;

    /// <summary>The entry's key; valid until it moves.</summary>
    internal ReadOnlySpan<byte> Key
    {
        get
        {
            nuint length;
            byte* at = _rocks.IteratorKey(_handle, &length);
            return new ReadOnlySpan<byte>(at, checked((int)length));
        }
    }

    /// <summary>The entry's value; valid until it moves.</summary>
    internal ReadOnlySpan<byte> Value
    {
        get
        {
            nuint length;
            byte* at = _rocks.IteratorValue(_handle, &length);
            return new ReadOnlySpan<byte>(at, checked((int)length));
        }
    }

    /// <summary>Moves to the first entry at or after a key.</summary>
    internal void SeekAtOrAfter(ReadOnlySpan<byte> key)
    {
        fixed (byte* at = &MemoryMarshal.GetReference(key))
            _rocks.IteratorSeek(_handle, at, (nuint)key.Length);
    }

    /// <summary>Moves to the last entry at or before a key.</summary>
    internal void SeekAtOrBefore(ReadOnlySpan<byte> key)
    {
        fixed (byte* at = &MemoryMarshal.GetReference(key))
            _rocks.IteratorSeekBefore(_handle, at, (nuint)key.Length);
    }

    internal void SeekLast() => _rocks.IteratorLast(_handle);

    internal void Next() => _rocks.IteratorNext(_handle);

    internal void Previous() => _rocks.IteratorPrevious(_handle);

    /// <summary>Throws where the cursor stands on nothing because the database could not be read.</summary>
    /// <exception cref="RocksException">It could not.</exception>
    internal void ThrowIfFailed()
    {
        byte* error = null;
        _rocks.IteratorError(_handle, &error);
        database.Check(error);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_handle != 0)
            _rocks.IteratorDestroy(_handle);
        _handle = 0;
    }
}

/// <summary>Blocks of files in memory, shared by all databases of a process's application.</summary>
internal sealed unsafe class RocksCache : SafeHandle
{
    internal RocksCache(long bytes)
        : base(0, ownsHandle: true) => SetHandle(RocksLibrary.Instance.CacheCreate((nuint)bytes));

    public override bool IsInvalid => handle == 0;

    /// <summary>Bytes in use.</summary>
    internal long BytesUsed => (long)RocksLibrary.Instance.CacheUsage(handle);

    // Databases hold a share of their own.
    protected override bool ReleaseHandle()
    {
        RocksLibrary.Instance.CacheDestroy(handle);
        return true;
    }
}

/// <summary>A database of a store on disk could not be read or written.</summary>
/// <remarks>Passing: the store is opened again behind its last whole batch, and where the database is damaged
/// it is built again from the changelog.</remarks>
public sealed class RocksException(string folder, string reason)
    : Exception($"RocksDB in {folder}: {reason.TrimEnd('.')}.")
{
    /// <summary>Whether the files are not what was written.</summary>
    public bool IsDamage { get; } = reason.StartsWith("Corruption", StringComparison.Ordinal)
        || reason.Contains("No such file", StringComparison.Ordinal)
        || reason.Contains("does not exist", StringComparison.Ordinal);
}
