using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Streams.Buffers;
using Streams.Connect;
using Streams.Log;
using Streams.Records;

namespace Streams.Sinks.Jsonl;

/// <summary>The files of one partition: the one being written, and the numbers of those before it.</summary>
internal sealed class JsonlFile : IDisposable
{
    private const int BufferBytes = 1 << 20;
    private const int CursorBytes = 16;

    private readonly JsonlOptions _options;
    private readonly string _name;
    private readonly JsonLines _json;
    private readonly PooledBuffer _buffer = new(BufferBytes + (64 << 10));
    private readonly List<SafeFileHandle> _unsynced = [];
    private readonly byte[] _cursor = new byte[CursorBytes];
    private SafeFileHandle _handle;
    private long _number;
    private long _flushed;
    private bool _changed;

    /// <summary>Opens the file that the cursor names and undoes what came after it.</summary>
    /// <exception cref="ConfigurationException">The file is shorter than what was committed.</exception>
    internal JsonlFile(JsonlOptions options, string name, JsonLines json, byte[]? cursor)
    {
        _options = options;
        _name = name;
        _json = json;
        if (cursor is not null)
        {
            _number = BinaryPrimitives.ReadInt64LittleEndian(cursor);
            _flushed = BinaryPrimitives.ReadInt64LittleEndian(cursor.AsSpan(8));
        }
        DeleteLater();
        _handle = OpenAt(_number);
        long length = RandomAccess.GetLength(_handle);
        if (length < _flushed)
            throw new ConfigurationException(
                $"jsonl: {PathOf(_number)} has {length:N0} bytes where {_flushed:N0} were committed. Put " +
                    $"the file back, " +
                "or write to another folder with another data directory.");
        RandomAccess.SetLength(_handle, _flushed);
    }

    private long Length => _flushed + _buffer.Length;

    /// <summary>Writes a record as a line.</summary>
    /// <exception cref="SerializationException">Its bytes are not of the topic's type; nothing was
    /// written.</exception>
    internal void Write(in LogRecord record)
    {
        if (Length >= _options.FileBytesMax)
            Rotate();
        int before = _buffer.Length;
        try
        {
            _json.Write(record, _buffer);
        }
        catch (SerializationException)
        {
            _buffer.Truncate(before);
            throw;
        }
        _buffer.WriteByte((byte)'\n');
        _changed = true;
        if (_buffer.Length >= BufferBytes)
            Flush();
    }

    /// <summary>Makes the lines survive and says up to where they go.</summary>
    internal void Commit(SinkCursors cursors)
    {
        if (!_changed)
            return;
        Flush();
        foreach (SafeFileHandle ended in _unsynced)
        {
            RandomAccess.FlushToDisk(ended);
            ended.Dispose();
        }
        _unsynced.Clear();
        RandomAccess.FlushToDisk(_handle);
        BinaryPrimitives.WriteInt64LittleEndian(_cursor, _number);
        BinaryPrimitives.WriteInt64LittleEndian(_cursor.AsSpan(8), _flushed);
        cursors.Set(_name, _cursor);
        _changed = false;
    }

    public void Dispose()
    {
        _handle.Dispose();
        _unsynced.ForEach(h => h.Dispose());
        _buffer.Dispose();
    }

    private void Rotate()
    {
        Flush();
        _unsynced.Add(_handle);
        _number++;
        _flushed = 0;
        _handle = OpenAt(_number);
        RandomAccess.SetLength(_handle, 0);
    }

    private void Flush()
    {
        try
        {
            RandomAccess.Write(_handle, _buffer.WrittenSpan, _flushed);
        }
        catch (IOException e)
        {
            throw new UnavailableException($"jsonl: cannot write {PathOf(_number)}: {e.Message}", e);
        }
        _flushed += _buffer.Length;
        _buffer.Clear();
    }

    private SafeFileHandle OpenAt(long number)
    {
        try
        {
            return File.OpenHandle(
                PathOf(number), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UnavailableException($"jsonl: cannot open {PathOf(number)}: {e.Message}", e);
        }
    }

    private void DeleteLater()
    {
        for (long later = _number + 1; File.Exists(PathOf(later)); later++)
            File.Delete(PathOf(later));
    }

    private string PathOf(long number) => Path.Combine(
        _options.Folder, string.Create(CultureInfo.InvariantCulture, $"{_name}-{number:D6}.jsonl"));
}
