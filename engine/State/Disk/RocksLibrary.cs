using System.Runtime.InteropServices;

namespace Streams.State.Disk;

/// <summary>
/// The functions of RocksDB's C interface that stores on disk use. The library is loaded when the first such
/// store is opened, and not before.
/// </summary>
/// <remarks>
/// Source: RocksDB 7.8, <c>include/rocksdb/c.h</c>. Flags are bytes, sizes are <c>size_t</c>, and an error is
/// a text that the callee allocates and the caller frees.
/// </remarks>
internal sealed unsafe class RocksLibrary
{
    // What the packages call the file: Debian 12's librocksdb7.8, Ubuntu 24.04's librocksdb8.9.
    private static readonly string[] FileNames = ["librocksdb.so.7.8", "librocksdb.so.8.9"];

    private static readonly Lazy<RocksLibrary> Loaded = new(() => new RocksLibrary(Load()));

    private readonly nint _handle;

    internal readonly delegate* unmanaged<nint> OptionsCreate;
    internal readonly delegate* unmanaged<nint, void> OptionsDestroy;
    internal readonly delegate* unmanaged<nint, byte, void> SetCreateIfMissing;
    internal readonly delegate* unmanaged<nint, nuint, void> SetWriteBufferSize;
    internal readonly delegate* unmanaged<nint, int, void> SetMaxBuffers;
    internal readonly delegate* unmanaged<nint, int, void> SetMaxBackgroundJobs;
    internal readonly delegate* unmanaged<nint, int, void> SetMaxOpenFiles;
    internal readonly delegate* unmanaged<nint, int, void> SetCompression;
    internal readonly delegate* unmanaged<nint, ulong, void> SetLevelBytes;
    internal readonly delegate* unmanaged<nint, byte, void> SetDirectReads;
    internal readonly delegate* unmanaged<nint, byte, void> SetDirectWrites;
    internal readonly delegate* unmanaged<nint, byte, void> SetDynamicLevelBytes;
    internal readonly delegate* unmanaged<nint, int, void> SetInfoLogLevel;
    internal readonly delegate* unmanaged<nint, nuint, void> SetKeepLogFileNumber;
    internal readonly delegate* unmanaged<nint, nint, void> SetTableOptions;
    internal readonly delegate* unmanaged<nint> TableOptionsCreate;
    internal readonly delegate* unmanaged<nint, void> TableOptionsDestroy;
    internal readonly delegate* unmanaged<nint, nint, void> SetBlockCache;
    internal readonly delegate* unmanaged<nint, nint, void> SetFilterPolicy;
    internal readonly delegate* unmanaged<nint, byte, void> SetCacheIndexAndFilter;
    internal readonly delegate* unmanaged<nint, byte, void> SetPinLevel0;
    internal readonly delegate* unmanaged<nint, byte, void> SetPartitionFilters;
    internal readonly delegate* unmanaged<nint, int, void> SetIndexType;
    internal readonly delegate* unmanaged<nint, byte, void> SetPinTopLevel;
    internal readonly delegate* unmanaged<nint, int, void> SetFormatVersion;
    internal readonly delegate* unmanaged<nuint, nint> CacheCreate;
    internal readonly delegate* unmanaged<nint, void> CacheDestroy;
    internal readonly delegate* unmanaged<nint, nuint> CacheUsage;
    internal readonly delegate* unmanaged<double, nint> BloomCreate;
    internal readonly delegate* unmanaged<nint, byte*, byte**, nint> Open;
    internal readonly delegate* unmanaged<nint, byte*, byte, byte**, nint> OpenReadOnly;
    internal readonly delegate* unmanaged<nint, void> Close;
    internal readonly delegate* unmanaged<nint, nint, byte*, nuint, byte**, nint> GetPinned;
    internal readonly delegate* unmanaged<nint, nuint*, byte*> PinnedValue;
    internal readonly delegate* unmanaged<nint, void> PinnedDestroy;
    internal readonly delegate* unmanaged<nint, nint, nint, byte**, void> Write;
    internal readonly delegate* unmanaged<nint> BatchCreate;
    internal readonly delegate* unmanaged<nint, void> BatchDestroy;
    internal readonly delegate* unmanaged<nint, void> BatchClear;
    internal readonly delegate* unmanaged<nint, byte*, nuint, byte*, nuint, void> BatchPut;
    internal readonly delegate* unmanaged<nint, byte*, nuint, void> BatchDelete;
    internal readonly delegate* unmanaged<nint> ReadOptionsCreate;
    internal readonly delegate* unmanaged<nint, void> ReadOptionsDestroy;
    internal readonly delegate* unmanaged<nint> WriteOptionsCreate;
    internal readonly delegate* unmanaged<nint, void> WriteOptionsDestroy;
    internal readonly delegate* unmanaged<nint, int, void> DisableWal;
    internal readonly delegate* unmanaged<nint> FlushOptionsCreate;
    internal readonly delegate* unmanaged<nint, void> FlushOptionsDestroy;
    internal readonly delegate* unmanaged<nint, byte, void> SetFlushWait;
    internal readonly delegate* unmanaged<nint, nint, byte**, void> Flush;
    internal readonly delegate* unmanaged<nint, nint, nint> IteratorCreate;
    internal readonly delegate* unmanaged<nint, void> IteratorDestroy;
    internal readonly delegate* unmanaged<nint, byte> IteratorValid;
    internal readonly delegate* unmanaged<nint, void> IteratorLast;
    internal readonly delegate* unmanaged<nint, byte*, nuint, void> IteratorSeek;
    internal readonly delegate* unmanaged<nint, byte*, nuint, void> IteratorSeekBefore;
    internal readonly delegate* unmanaged<nint, void> IteratorNext;
    internal readonly delegate* unmanaged<nint, void> IteratorPrevious;
    internal readonly delegate* unmanaged<nint, nuint*, byte*> IteratorKey;
    internal readonly delegate* unmanaged<nint, nuint*, byte*> IteratorValue;
    internal readonly delegate* unmanaged<nint, byte**, void> IteratorError;
    internal readonly delegate* unmanaged<nint, byte*, ulong*, int> PropertyNumber;
    internal readonly delegate* unmanaged<void*, void> Free;

    private RocksLibrary(nint handle)
    {
        _handle = handle;
        OptionsCreate = (delegate* unmanaged<nint>)At("options_create");
        OptionsDestroy = (delegate* unmanaged<nint, void>)At("options_destroy");
        SetCreateIfMissing = (delegate* unmanaged<nint, byte, void>)At("options_set_create_if_missing");
        SetWriteBufferSize = (delegate* unmanaged<nint, nuint, void>)At("options_set_write_buffer_size");
        SetMaxBuffers = (delegate* unmanaged<nint, int, void>)At("options_set_max_write_buffer_number");
        SetMaxBackgroundJobs = (delegate* unmanaged<nint, int, void>)At("options_set_max_background_jobs");
        SetMaxOpenFiles = (delegate* unmanaged<nint, int, void>)At("options_set_max_open_files");
        SetCompression = (delegate* unmanaged<nint, int, void>)At("options_set_compression");
        SetLevelBytes = (delegate* unmanaged<nint, ulong, void>)At("options_set_max_bytes_for_level_base");
        SetDirectReads = (delegate* unmanaged<nint, byte, void>)At("options_set_use_direct_reads");
        SetDirectWrites = (delegate* unmanaged<nint, byte, void>)At(
            "options_set_use_direct_io_for_flush_and_compaction");
        SetDynamicLevelBytes = (delegate* unmanaged<nint, byte, void>)At(
            "options_set_level_compaction_dynamic_level_bytes");
        SetInfoLogLevel = (delegate* unmanaged<nint, int, void>)At("options_set_info_log_level");
        SetKeepLogFileNumber = (delegate* unmanaged<nint, nuint, void>)At("options_set_keep_log_file_num");
        SetTableOptions = (delegate* unmanaged<nint, nint, void>)At("options_set_block_based_table_factory");
        TableOptionsCreate = (delegate* unmanaged<nint>)At("block_based_options_create");
        TableOptionsDestroy = (delegate* unmanaged<nint, void>)At("block_based_options_destroy");
        SetBlockCache = (delegate* unmanaged<nint, nint, void>)At("block_based_options_set_block_cache");
        SetFilterPolicy = (delegate* unmanaged<nint, nint, void>)At("block_based_options_set_filter_policy");
        SetCacheIndexAndFilter = (delegate* unmanaged<nint, byte, void>)At(
            "block_based_options_set_cache_index_and_filter_blocks");
        SetPinLevel0 = (delegate* unmanaged<nint, byte, void>)At(
            "block_based_options_set_pin_l0_filter_and_index_blocks_in_cache");
        SetPartitionFilters = (delegate* unmanaged<nint, byte, void>)At(
            "block_based_options_set_partition_filters");
        SetIndexType = (delegate* unmanaged<nint, int, void>)At("block_based_options_set_index_type");
        SetPinTopLevel = (delegate* unmanaged<nint, byte, void>)At(
            "block_based_options_set_pin_top_level_index_and_filter");
        SetFormatVersion = (delegate* unmanaged<nint, int, void>)At("block_based_options_set_format_version");
        CacheCreate = (delegate* unmanaged<nuint, nint>)At("cache_create_lru");
        CacheDestroy = (delegate* unmanaged<nint, void>)At("cache_destroy");
        CacheUsage = (delegate* unmanaged<nint, nuint>)At("cache_get_usage");
        BloomCreate = (delegate* unmanaged<double, nint>)At("filterpolicy_create_bloom_full");
        Open = (delegate* unmanaged<nint, byte*, byte**, nint>)At("open");
        OpenReadOnly = (delegate* unmanaged<nint, byte*, byte, byte**, nint>)At("open_for_read_only");
        Close = (delegate* unmanaged<nint, void>)At("close");
        GetPinned = (delegate* unmanaged<nint, nint, byte*, nuint, byte**, nint>)At("get_pinned");
        PinnedValue = (delegate* unmanaged<nint, nuint*, byte*>)At("pinnableslice_value");
        PinnedDestroy = (delegate* unmanaged<nint, void>)At("pinnableslice_destroy");
        Write = (delegate* unmanaged<nint, nint, nint, byte**, void>)At("write");
        BatchCreate = (delegate* unmanaged<nint>)At("writebatch_create");
        BatchDestroy = (delegate* unmanaged<nint, void>)At("writebatch_destroy");
        BatchClear = (delegate* unmanaged<nint, void>)At("writebatch_clear");
        BatchPut = (delegate* unmanaged<nint, byte*, nuint, byte*, nuint, void>)At("writebatch_put");
        BatchDelete = (delegate* unmanaged<nint, byte*, nuint, void>)At("writebatch_delete");
        ReadOptionsCreate = (delegate* unmanaged<nint>)At("readoptions_create");
        ReadOptionsDestroy = (delegate* unmanaged<nint, void>)At("readoptions_destroy");
        WriteOptionsCreate = (delegate* unmanaged<nint>)At("writeoptions_create");
        WriteOptionsDestroy = (delegate* unmanaged<nint, void>)At("writeoptions_destroy");
        DisableWal = (delegate* unmanaged<nint, int, void>)At("writeoptions_disable_WAL");
        FlushOptionsCreate = (delegate* unmanaged<nint>)At("flushoptions_create");
        FlushOptionsDestroy = (delegate* unmanaged<nint, void>)At("flushoptions_destroy");
        SetFlushWait = (delegate* unmanaged<nint, byte, void>)At("flushoptions_set_wait");
        Flush = (delegate* unmanaged<nint, nint, byte**, void>)At("flush");
        IteratorCreate = (delegate* unmanaged<nint, nint, nint>)At("create_iterator");
        IteratorDestroy = (delegate* unmanaged<nint, void>)At("iter_destroy");
        IteratorValid = (delegate* unmanaged<nint, byte>)At("iter_valid");
        IteratorLast = (delegate* unmanaged<nint, void>)At("iter_seek_to_last");
        IteratorSeek = (delegate* unmanaged<nint, byte*, nuint, void>)At("iter_seek");
        IteratorSeekBefore = (delegate* unmanaged<nint, byte*, nuint, void>)At("iter_seek_for_prev");
        IteratorNext = (delegate* unmanaged<nint, void>)At("iter_next");
        IteratorPrevious = (delegate* unmanaged<nint, void>)At("iter_prev");
        IteratorKey = (delegate* unmanaged<nint, nuint*, byte*>)At("iter_key");
        IteratorValue = (delegate* unmanaged<nint, nuint*, byte*>)At("iter_value");
        IteratorError = (delegate* unmanaged<nint, byte**, void>)At("iter_get_error");
        PropertyNumber = (delegate* unmanaged<nint, byte*, ulong*, int>)At("property_int");
        Free = (delegate* unmanaged<void*, void>)At("free");
    }

    /// <summary>The library.</summary>
    /// <exception cref="DllNotFoundException">It is not installed.</exception>
    internal static RocksLibrary Instance => Loaded.Value;

    /// <summary>Whether it is installed.</summary>
    internal static bool IsThere => TryLoad(out _);

    private static nint Load() => TryLoad(out nint handle) ? handle : throw new DllNotFoundException(
        $"A store on disk needs RocksDB: {string.Join(" or ", FileNames)} cannot be loaded. Install the "
        + "package librocksdb7.8 (Ubuntu 24.04: librocksdb8.9), or keep the store in memory.");

    private static bool TryLoad(out nint handle)
    {
        foreach (string name in FileNames)
        {
            if (NativeLibrary.TryLoad(name, out handle))
                return true;
        }
        handle = 0;
        return false;
    }

    private nint At(string name) => NativeLibrary.GetExport(_handle, "rocksdb_" + name);
}
