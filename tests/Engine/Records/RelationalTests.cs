using System.Globalization;
using Streams.Records;
using Streams.Records.Relational;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Records;

public sealed class RelationalTests
{
    private static readonly RelationalModel Model = RelationalModel.Of<EveryKind>();

    [Fact]
    public void Lists_become_tables_and_inner_records_columns()
    {
        Assert.Equal(
            [
                "-1 every_kind", "0 every_kind_part_leaves", "1 every_kind_part_leaves_tags",
                "0 every_kind_part_best_tags", "0 every_kind_part_sizes", "0 every_kind_parts",
                "5 every_kind_parts_leaves", "6 every_kind_parts_leaves_tags", "5 every_kind_parts_best_tags",
                "5 every_kind_parts_sizes", "0 every_kind_flags", "0 every_kind_int32s",
            ],
            Model.Tables.Take(12).Select(table => $"{table.Parent} {table.Name}"));
        RelationalTable root = Model.Tables[0];
        Assert.Equal(
            ["part_id", "part_label", "part_best_weight", "far", "farthest"],
            root.Columns.Skip(22).Select(column => column.Name));
        Assert.All(root.Columns, column => Assert.Equal(IsOptionalByName(column.Name), column.IsNullable));
        Assert.Equal("value", Assert.Single(Model.Tables[2].Columns).Name);
    }

    [Fact]
    public void Rows_carry_their_values_positions_and_absences()
    {
        var record = new EveryKind { Int32 = -5, MaybeInt64 = 0, Colour = Colour.DarkRed };
        ref Part part = ref record.Part.Set();
        part.Best.Set().Tags.Add(new Text("best"));
        for (int i = 0; i < 2; i++)
        {
            ref Part item = ref record.Parts.Add();
            item.Id = 70 + i;
            for (int j = 0; j <= i; j++)
            {
                ref Leaf leaf = ref item.Leaves.Add();
                leaf.Weight = j;
                leaf.Tags.Add(new Text($"{i}{j}"));
            }
            item.Sizes.Add(i);
        }
        List<string> rows = Rows(record);
        Assert.Contains(",-5,", rows[0]);
        Assert.Contains(",null,0,", rows[0]);
        Assert.Contains(",DarkRed,", rows[0]);
        Assert.EndsWith(",0,null,null,0,null", rows[0]);
        Assert.Equal(
            [
                "3[0]: best", "5[0]: 70,null,null", "6[0.0]: 0", "7[0.0.0]: 00", "9[0.0]: 0",
                "5[1]: 71,null,null", "6[1.0]: 0", "7[1.0.0]: 10", "6[1.1]: 1", "7[1.1.0]: 11", "9[1.0]: 1",
            ],
            rows.Skip(1));
    }

    [Fact]
    public void Every_row_has_as_many_values_as_its_table_has_columns()
    {
        var random = new RandomRecords(seed: 81);
        for (int i = 0; i < 300; i++)
        {
            var writer = new CountingWriter(Model);
            RelationalRows.Write(random.Next(), ref writer);
            Assert.True(writer.Rows >= 1);
        }
    }

    [Fact]
    public void What_an_absent_record_still_holds_from_before_is_not_written()
    {
        EveryKind record = new RandomRecords(seed: 82).Next();
        record.Part.Set().Best.Set().Tags.Add(new Text("stale"));
        record.Part.Value.Sizes.Add(1);
        record.Part.IsPresent = false;
        Assert.DoesNotContain(
            Rows(record), row => row.StartsWith("3[", StringComparison.Ordinal) || row.Contains("stale"));
        Assert.EndsWith("null", string.Join(',', Rows(record)[0].Split(',')[22..25]));
    }

    [Fact]
    public void Writing_rows_allocates_nothing()
    {
        EveryKind record = new RandomRecords(seed: 83).Next();
        var writer = new CountingWriter(Model);
        Allocation.AssertNone(() => RelationalRows.Write(record, ref writer));
    }

    private static bool IsOptionalByName(string name) =>
        name.StartsWith("maybe_", StringComparison.Ordinal) || name.StartsWith(
            "part_", StringComparison.Ordinal)
        || name == "farthest";

    private static List<string> Rows(EveryKind record)
    {
        var writer = new TextWriter([]);
        RelationalRows.Write(record, ref writer);
        return writer.Rows;
    }

    /// <summary>Writes rows as text.</summary>
    private readonly struct TextWriter(List<string> rows) : IRowWriter
    {
        private readonly List<string> _values = [];

        public List<string> Rows => rows;

        public void BeginRow(int table, ReadOnlySpan<int> positions)
        {
            _values.Clear();
            rows.Add($"{table}[{string.Join('.', positions.ToArray())}]: ");
        }

        public void EndRow() => rows[^1] += string.Join(',', _values);

        public void Null(FieldKind kind) => _values.Add("null");

        public void Bool(bool value) => Add(value);

        public void Int32(int value) => Add(value);

        public void Int64(long value) => Add(value);

        public void UInt32(uint value) => Add(value);

        public void UInt64(ulong value) => Add(value);

        public void Double(double value) => Add(value);

        public void Enum<TEnum>(TEnum value)
            where TEnum : struct, Enum => Add(value);

        public void Text(Text value) => Add(value);

        public void Bytes(Bytes value) => Add(value);

        public void Bytes32(in Bytes32 value) => Add(value);

        public void UInt256(in UInt256 value) => Add(value);

        private void Add(object value) => _values.Add(Convert.ToString(value, CultureInfo.InvariantCulture)!);
    }

    /// <summary>Checks each row against its table.</summary>
    private struct CountingWriter(RelationalModel model) : IRowWriter
    {
        private int _table;
        private int _column;

        public int Rows { get; private set; }

        public void BeginRow(int table, ReadOnlySpan<int> positions)
        {
            int depth = 0;
            for (int parent = model.Tables[table].Parent; parent >= 0; parent = model.Tables[parent].Parent)
                depth++;
            Require(depth == positions.Length, "A row's positions do not reach its table.");
            _table = table;
            _column = 0;
        }

        public void EndRow()
        {
            Require(model.Tables[_table].Columns.Count == _column, "A row has too few values.");
            Rows++;
        }

        public void Null(FieldKind kind)
        {
            Require(model.Tables[_table].Columns[_column].IsNullable, "A value is absent that never is.");
            Take(kind);
        }

        public void Bool(bool value) => Take(FieldKind.Bool);

        public void Int32(int value) => Take(FieldKind.Int32);

        public void Int64(long value) => Take(FieldKind.Int64);

        public void UInt32(uint value) => Take(FieldKind.UInt32);

        public void UInt64(ulong value) => Take(FieldKind.UInt64);

        public void Double(double value) => Take(FieldKind.Double);

        public void Enum<TEnum>(TEnum value)
            where TEnum : struct, Enum => Take(FieldKind.Enum);

        public void Text(Text value) => Take(FieldKind.Text);

        public void Bytes(Bytes value) => Take(FieldKind.Bytes);

        public void Bytes32(in Bytes32 value) => Take(FieldKind.Bytes32);

        public void UInt256(in UInt256 value) => Take(FieldKind.UInt256);

        private void Take(FieldKind kind)
        {
            FieldKind expected = model.Tables[_table].Columns[_column++].Kind;
            Require(expected == kind, "A column got a value of another kind.");
        }

        /// <summary>Asserts without the objects that the framework's own comparisons make.</summary>
        private static void Require(bool condition, string otherwise)
        {
            if (!condition)
                Assert.Fail(otherwise);
        }
    }
}
