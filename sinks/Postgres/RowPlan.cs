using System.Text;
using Streams.Buffers;
using Streams.Connect;
using Streams.Records.Relational;

namespace Streams.Sinks.Postgres;

/// <summary>What becomes of each field that a record shows: the columns it goes to, in their order.</summary>
internal sealed class RowPlan : IDisposable
{
    internal RowPlan(
        TableMapping mapping, RelationalModel model, IReadOnlyList<PostgresTable> tables,
        PooledBuffer[] buffers)
    {
        Tables = [.. model.Tables.Select(t => new TablePlan(t.Columns.Count))];
        Key = [.. mapping.Key.Select(_ => new KeyField())];
        var firsts = new List<FirstValue>();
        for (int i = 0; i < tables.Count; i++)
        {
            TablePlan plan = Tables[tables[i].ModelTable];
            plan.Rows = buffers[i];
            plan.FieldCount = (short)tables[i].Columns.Count;
            foreach (PostgresColumn column in tables[i].Columns)
            {
                if (column.Source is not { } source)
                    continue;
                FirstValue? first = source.Form == ColumnForm.First ? new FirstValue() : null;
                if (first is not null)
                    firsts.Add(first);
                int key = i == 0 ? mapping.Key.ToList().IndexOf(column.Name) : -1;
                Tables[source.Table].Add(source.Ordinal, new ColumnPlan(column, source)
                {
                    Rows = first is null ? buffers[i] : null,
                    First = first,
                    Key = key < 0 ? null : Key[key],
                    IsTime = i == 0 && column.Name == mapping.Time,
                });
            }
        }
        Firsts = [.. firsts];
        OperationOrdinal = mapping.OperationColumn is { } op
            ? model.Tables[0].Columns.ToList().FindIndex(c => c.Name == op)
            : -1;
    }

    /// <summary>By their index in the model.</summary>
    internal TablePlan[] Tables { get; }

    /// <summary>What the record's row takes from its lists, in the order of its columns.</summary>
    internal FirstValue[] Firsts { get; }

    /// <summary>Where the fields of the key stand, in the key's order.</summary>
    internal KeyField[] Key { get; }

    /// <summary>Where the record says whether its fact holds; -1 for nowhere.</summary>
    internal int OperationOrdinal { get; }

    public void Dispose()
    {
        foreach (FirstValue first in Firsts)
            first.Field.Dispose();
    }

    /// <summary>A table of the model.</summary>
    internal sealed class TablePlan
    {
        internal TablePlan(int columns)
        {
            Columns = new ColumnPlan[columns][];
            Array.Fill(Columns, []);
        }

        /// <summary>Takes its rows; null where they are not stored.</summary>
        internal PooledBuffer? Rows { get; set; }

        internal short FieldCount { get; set; }

        internal ColumnPlan[][] Columns { get; }

        internal void Add(int ordinal, ColumnPlan column) => Columns[ordinal] = [.. Columns[ordinal], column];
    }

    /// <summary>A column that a field goes to.</summary>
    internal sealed class ColumnPlan(PostgresColumn column, ColumnSource source)
    {
        private readonly (byte[] From, byte[] To)[] _words =
            [.. (source.Mapping?.Names ?? new Dictionary<string, string>()).Select(
                n => (Encoding.UTF8.GetBytes(n.Key), Encoding.UTF8.GetBytes(n.Value)))];

        internal string Name { get; } = column.Name;

        internal ColumnForm Form { get; } = source.Form;

        internal int Scale { get; } = source.Mapping?.Scale ?? 0;

        internal PooledBuffer? Rows { get; init; }

        internal FirstValue? First { get; init; }

        internal KeyField? Key { get; init; }

        internal bool IsTime { get; init; }

        /// <summary>Where the value goes; nowhere where an earlier item had one.</summary>
        internal bool TryBegin(out PooledBuffer to, out int start)
        {
            to = First is null ? Rows! : First.Field;
            start = to.Length;
            if (First is null)
                return true;
            if (First.IsSet)
                return false;
            First.IsSet = true;
            return true;
        }

        internal void End(PooledBuffer to, int start)
        {
            if (Key is not { } key)
                return;
            key.Start = start;
            key.Length = to.Length - start;
        }

        internal ReadOnlySpan<byte> WordFor(ReadOnlySpan<byte> name)
        {
            foreach ((byte[] from, byte[] to) in _words)
            {
                if (name.SequenceEqual(from))
                    return to;
            }
            return name;
        }
    }

    /// <summary>Where a field of the key stands in the rows.</summary>
    internal sealed class KeyField
    {
        internal int Start { get; set; }

        internal int Length { get; set; }
    }

    /// <summary>A value that the record's row takes from one of its lists.</summary>
    internal sealed class FirstValue
    {
        internal PooledBuffer Field { get; } = new();

        internal bool IsSet { get; set; }

        internal void Clear()
        {
            Field.Clear();
            IsSet = false;
        }
    }
}
