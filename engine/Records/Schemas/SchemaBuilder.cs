using System.Text;

namespace Streams.Records.Schemas;

/// <summary>The visitor that turns a description into a <see cref="RecordSchema"/>.</summary>
internal struct SchemaBuilder : IFieldVisitor
{
    private readonly string _record;
    private readonly List<FieldSchema> _fields = [];
    private readonly List<RetiredField> _retired = [];

    /// <summary>The record types on the way here, outermost first.</summary>
    private readonly IReadOnlyList<Type> _path;
    private int _memories;

    private SchemaBuilder(string record, IReadOnlyList<Type> path)
    {
        _record = record;
        _path = path;
    }

    public static RecordSchema Build<T>()
        where T : IDescribed<T>, new() => Build<T>([]);

    public void Memory(ref RecordMemory memory)
    {
        _memories++;
        if (_fields.Count + _retired.Count > 0)
            throw new ArgumentException(
                $"Record {_record}: the memory must be described first, before any field.");
    }

    public readonly void Scalar<T, TKind>(
        int number, ReadOnlySpan<byte> name, ref T value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T> => Add<T, TKind>(number, name, FieldForm.Always, unit, doc);

    public readonly void Optional<T, TKind>(
        int number, ReadOnlySpan<byte> name, ref T? value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T> => Add<T, TKind>(number, name, FieldForm.Optional, unit, doc);

    public readonly void Repeated<T, TKind>(
        int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T> => Add<T, TKind>(number, name, FieldForm.Repeated, unit, doc);

    public readonly void Message<T>(int number, ReadOnlySpan<byte> name, ref Nested<T> value, string doc)
        where T : struct, IDescribed<T> => AddMessage<T>(number, name, FieldForm.Optional, doc);

    public readonly void Messages<T>(
        int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string doc)
        where T : struct, IDescribed<T> => AddMessage<T>(number, name, FieldForm.Repeated, doc);

    public readonly void Retired(int number, ReadOnlySpan<byte> name) =>
        _retired.Add(new RetiredField(number, Encoding.UTF8.GetString(name)));

    private static RecordSchema Build<T>(IReadOnlyList<Type> path)
        where T : IDescribed<T>, new()
    {
        RecordType type = T.RecordType;
        foreach (Type outer in path)
        {
            if (outer == typeof(T))
                throw new ArgumentException(
                    $"Record {type.Name} contains itself, so its depth has no bound.");
        }
        var builder = new SchemaBuilder(type.Name, [.. path, typeof(T)]);
        var example = new T();
        example.Describe(ref builder);
        if (builder._memories != 1)
            throw new ArgumentException(
                $"Record {type.Name}: its memory must be described once, as the first line.");
        var schema = new RecordSchema(type.Name, type.Version, type.Doc, builder._fields, builder._retired);
        SchemaRules.Check(schema);
        return schema;
    }

    private readonly void Add<T, TKind>(
        int number, ReadOnlySpan<byte> name, FieldForm form, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        _fields.Add(new FieldSchema
        {
            Number = number,
            Name = Encoding.UTF8.GetString(name),
            Kind = TKind.Kind,
            Form = form,
            Unit = unit,
            Doc = doc,
            Enum = TKind.Kind == FieldKind.Enum ? EnumSchema.Of(typeof(T)) : null,
        });
    }

    private readonly void AddMessage<T>(int number, ReadOnlySpan<byte> name, FieldForm form, string doc)
        where T : struct, IDescribed<T>
    {
        _fields.Add(new FieldSchema
        {
            Number = number,
            Name = Encoding.UTF8.GetString(name),
            Kind = FieldKind.Message,
            Form = form,
            Unit = Unit.None,
            Doc = doc,
            Message = Build<T>(_path),
        });
    }
}
