using System.Runtime.InteropServices;

namespace Streams.Benchmarks.EndToEnd.LargeState;

/// <summary>LMDB: a tree of pages in a mapped file, copied on write.</summary>
/// <remarks>Source: LMDB 0.9, <c>lmdb.h</c>. Commits are synced but for the last page of the tree of trees,
/// the cheapest way that a power cut leaves a whole database.</remarks>
internal sealed unsafe partial class LmdbState : ILargeState
{
    private const string Library = "liblmdb.so.0";
    private const uint NoMetaSync = 0x40000;
    private const uint NoReadAhead = 0x800000;
    private const uint Create = 0x40000;
    private const uint AppendFlag = 0x20000;
    private const int NotFound = -30798;

    private readonly nint _environment;
    private readonly uint _database;
    private nint _transaction;

    internal LmdbState(string folder)
    {
        Check(mdb_env_create(out _environment));
        Check(mdb_env_set_mapsize(_environment, (nuint)64 << 30));
        Check(mdb_env_open(_environment, folder, NoMetaSync | NoReadAhead, 0x1A4));
        Check(mdb_txn_begin(_environment, 0, 0, out _transaction));
        Check(mdb_dbi_open(_transaction, 0, Create, out _database));
    }

    public void Append(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Put(key, value, AppendFlag);

    public void EndLoad()
    {
    }

    public int Read(ReadOnlySpan<byte> key, Span<byte> value)
    {
        fixed (byte* at = key)
        {
            var sought = new Value { Size = (nuint)key.Length, Data = at };
            Value found;
            int result = mdb_get(_transaction, _database, &sought, &found);
            if (result == NotFound)
                return -1;
            Check(result);
            new ReadOnlySpan<byte>(found.Data, (int)found.Size).CopyTo(value);
            return (int)found.Size;
        }
    }

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Put(key, value, 0);

    public void Commit()
    {
        Check(mdb_txn_commit(_transaction));
        Check(mdb_txn_begin(_environment, 0, 0, out _transaction));
    }

    public void Dispose()
    {
        mdb_txn_abort(_transaction);
        mdb_env_close(_environment);
    }

    private void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, uint flags)
    {
        fixed (byte* keyAt = key, valueAt = value)
        {
            var name = new Value { Size = (nuint)key.Length, Data = keyAt };
            var data = new Value { Size = (nuint)value.Length, Data = valueAt };
            Check(mdb_put(_transaction, _database, &name, &data, flags));
        }
    }

    private static void Check(int result)
    {
        if (result != 0)
            throw new IOException($"LMDB: error {result}.");
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Value
    {
        internal nuint Size;
        internal byte* Data;
    }

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mdb_env_create(out nint environment);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mdb_env_set_mapsize(nint environment, nuint bytes);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mdb_env_open(nint environment, string path, uint flags, uint mode);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void mdb_env_close(nint environment);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mdb_txn_begin(nint environment, nint parent, uint flags, out nint transaction);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mdb_txn_commit(nint transaction);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void mdb_txn_abort(nint transaction);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mdb_dbi_open(nint transaction, nint name, uint flags, out uint database);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mdb_get(nint transaction, uint database, Value* key, Value* value);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mdb_put(
        nint transaction, uint database, Value* key, Value* value, uint flags);
}
