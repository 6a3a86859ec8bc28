using SQLitePCL;
using Streams.Buffers;
using Streams.Connect;
using Streams.Records.Relational;

namespace Streams.Sinks.Sqlite;

/// <summary>Writes the rows of one mapping: a record's own row, then those of its lists.</summary>
internal sealed class SqliteRows : IDisposable
{
    private static ReadOnlySpan<byte> Retract => "retract"u8;

    private readonly Target?[] _targets;
    private readonly List<Target> _all = [];
    private readonly CapturedKey[] _key;
    private readonly int[] _keyOrdinals;
    private readonly int _operationOrdinal;
    private Target? _target;
    private int _ordinal;
    private bool _isRetracted;

    internal SqliteRows(
        sqlite3 database, TableMapping mapping, RelationalModel model, IReadOnlyList<SqliteTable> tables)
    {
        IReadOnlyList<RelationalColumn> columns = model.Tables[0].Columns;
        _keyOrdinals = [
            .. mapping.Key.Select(k => Enumerable.Range(0, columns.Count).First(i => columns[i].Name == k))];
        _operationOrdinal = mapping.OperationColumn is { } op
            ? Enumerable.Range(0, columns.Count).First(i => columns[i].Name == op)
            : -1;
        _key = [.. mapping.Key.Select(_ => new CapturedKey())];
        _targets = new Target?[model.Tables.Count];
        foreach (SqliteTable table in tables)
        {
            var target = new Target(database, table, mapping.Key);
            _targets[table.ModelTable] = target;
            _all.Add(target);
        }
    }

    internal void BeginRow(int table, ReadOnlySpan<int> positions)
    {
        _ordinal = 0;
        if (table == 0)
            _isRetracted = false;
        _target = _isRetracted ? null : _targets[table];
        if (_target is null || table == 0)
            return;
        int parameter = BindKey(_target.Insert);
        foreach (int position in positions)
            _target.Insert.Bind(++parameter, position);
    }

    internal void EndRow()
    {
        if (_target is null)
            return;
        if (_target == _all[0] && _isRetracted)
            DeleteAll();
        else if (_target.Insert.Run() == 0)
            Replace(_target);
        _target = null;
    }

    internal void Null()
    {
        if (Next(out int parameter))
            _target!.Insert.BindNull(parameter);
    }

    internal void Number(long value)
    {
        Capture()?.Set(value);
        if (Next(out int parameter))
            _target!.Insert.Bind(parameter, value);
    }

    internal void Real(double value)
    {
        if (Next(out int parameter))
            _target!.Insert.Bind(parameter, value);
    }

    internal void Text(ReadOnlySpan<byte> utf8)
    {
        if (_target == _all[0] && _ordinal == _operationOrdinal)
            _isRetracted = utf8.SequenceEqual(Retract);
        Capture()?.Set(utf8);
        if (Next(out int parameter))
            _target!.Insert.BindText(parameter, utf8);
    }

    internal void Blob(ReadOnlySpan<byte> bytes)
    {
        if (Next(out int parameter))
            _target!.Insert.BindBlob(parameter, bytes);
    }

    public void Dispose()
    {
        _all.ForEach(t => t.Dispose());
        foreach (CapturedKey key in _key)
            key.Dispose();
    }

    // The parameter of the column that is next; none where the table or the column is not stored.
    private bool Next(out int parameter)
    {
        parameter = _target?.Parameters[_ordinal] ?? 0;
        _ordinal++;
        return parameter > 0;
    }

    private CapturedKey? Capture()
    {
        if (_target != _all[0])
            return null;
        int at = Array.IndexOf(_keyOrdinals, _ordinal);
        return at < 0 ? null : _key[at];
    }

    private int BindKey(SqliteStatement statement)
    {
        for (int i = 0; i < _key.Length; i++)
            _key[i].Bind(statement, i + 1);
        return _key.Length;
    }

    private void DeleteAll()
    {
        foreach (Target target in _all)
        {
            BindKey(target.Delete);
            target.Delete.Run();
        }
    }

    // The insert was ignored because the key is there: the older row and its lists give way. Bindings are
    // still set.
    private void Replace(Target target)
    {
        if (target != _all[0])
            throw new SqliteRefusalException($"two rows of {target.Name} have the same place");
        DeleteAll();
        if (target.Insert.Run() == 0)
            throw new SqliteRefusalException($"a row of {target.Name} cannot be replaced");
    }

    /// <summary>A table with its statements.</summary>
    private sealed class Target : IDisposable
    {
        internal Target(sqlite3 database, SqliteTable table, IReadOnlyList<string> key)
        {
            Name = table.Name;
            int before = table.ModelTable == 0 ? 0 : key.Count + table.Positions.Count;
            Parameters = new int[table.ModelColumns];
            var names = new List<string>(table.ModelTable == 0 ? [] : key.Concat(table.Positions));
            foreach ((int ordinal, RelationalColumn column) in table.Columns)
            {
                names.Add(column.Name);
                Parameters[ordinal] = ++before;
            }
            string marks = string.Join(", ", names.Select((_, i) => $"?{i + 1}"));
            // Only a row that is there is passed over; any other refusal is one.
            IEnumerable<string> unique = table.ModelTable == 0 ? key : key.Concat(table.Positions);
            string present = key.Count == 0 ? ""
                : $" ON CONFLICT ({string.Join(", ", unique)}) DO NOTHING";
            Insert = new SqliteStatement(
                database,
                $"INSERT INTO {table.Name} ({string.Join(", ", names)}) VALUES ({marks}){present}");
            string where = key.Count == 0 ? "0"
                : string.Join(" AND ", key.Select((k, i) => $"{k} = ?{i + 1}"));
            Delete = new SqliteStatement(database, $"DELETE FROM {table.Name} WHERE {where}");
        }

        internal string Name { get; }

        internal SqliteStatement Insert { get; }

        internal SqliteStatement Delete { get; }

        /// <summary>The insert's parameter for each column of the model; 0 for one that is not
        /// stored.</summary>
        internal int[] Parameters { get; }

        public void Dispose()
        {
            Insert.Dispose();
            Delete.Dispose();
        }
    }

    /// <summary>A key column's value, kept from the record's own row for those of its lists.</summary>
    private sealed class CapturedKey : IDisposable
    {
        private readonly PooledBuffer _text = new(128);
        private long _number;
        private bool _isText;

        internal void Set(long number)
        {
            _isText = false;
            _number = number;
        }

        internal void Set(ReadOnlySpan<byte> text)
        {
            _isText = true;
            _text.Clear();
            _text.Write(text);
        }

        internal void Bind(SqliteStatement statement, int parameter)
        {
            if (_isText)
                statement.BindText(parameter, _text.WrittenSpan);
            else
                statement.Bind(parameter, _number);
        }

        public void Dispose() => _text.Dispose();
    }
}
