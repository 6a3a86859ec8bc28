using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.Records.Json;

/// <summary>
/// Decodes a record from a JSON object, in one pass over its description when the fields come in order of
/// number, and in as many passes as needed when they do not.
/// </summary>
/// <remarks>
/// Source: RFC 8259, taken strictly. Of a name that comes twice the last value counts.
/// The bytes are first copied into the record's own memory; texts stay there as views, and escapes are
/// resolved in place, as they only get shorter. Invariant: the copy is followed by <see cref="SlackBytes"/>
/// zeros, which are no part of any JSON token, so that scanning stops there and whole words and names may be
/// loaded at any position. Between two fields the position is at a comma that the next name's quote follows
/// directly, or at the object's closing brace. Where the text differs (whitespace, an opening brace before
/// the first name), the copy is changed to that, so that fields have one form to look for.
/// A pass that ends where it began has shown that no field wants the name there: it is unknown.
/// </remarks>
internal ref partial struct JsonReader : IFieldVisitor, IScalarReader
{
    /// <summary>More than the longest name (63 bytes) with its quotes, colon and the byte behind.</summary>
    private const int SlackBytes = 80;

    private readonly ReadOnlySpan<byte> _source;
    private readonly string _serde;
    private readonly int _depthMax;
    private int _itemsLeft;

    private byte[]? _bytes;
    private ref byte _start;
    private int _position;
    private int _end;

    /// <summary>Whether this is the first pass, in which a field that is not there is reset.</summary>
    private bool _isFirst;
    private int _passStart;

    /// <summary>Behind the quotes of the number that is being read.</summary>
    private int _quotedEnd;

    public JsonReader(ReadOnlySpan<byte> source, string serde, RecordLimits limits)
    {
        _source = source;
        _serde = serde;
        _depthMax = limits.DepthMax;
        _itemsLeft = limits.ItemsMax;
        _isFirst = true;
        _passStart = -1;
    }

    /// <summary>
    /// Whether fields are left after a pass over the outermost record; if not, nothing may follow it.
    /// </summary>
    public bool NeedsAnotherPass()
    {
        _isFirst = false;
        if (ByteAt(_position) != '}')
            return true;
        int end = SkipWhitespace(_position + 1);
        if (end != _end)
            Fail("something follows the record", end);
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Memory(ref RecordMemory memory)
    {
        if (_bytes is null)
            Load(ref memory);
        else if (_isFirst)
            memory.Clear();
        else
            SkipUnknown(ref memory);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Scalar<T, TKind>(int number, ReadOnlySpan<byte> name, ref T value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (IsNext(name, out int position))
            ReadScalar<T, TKind>(ref value, position);
        else if (_isFirst)
            value = default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Optional<T, TKind>(int number, ReadOnlySpan<byte> name, ref T? value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (IsNext(name, out int position))
            ReadOptional<T, TKind>(ref value, position);
        else if (_isFirst)
            value = null;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Repeated<T, TKind>(
        int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (IsNext(name, out int position))
            ReadValues<T, TKind>(ref values, position);
        else if (_isFirst)
            values.Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Message<T>(int number, ReadOnlySpan<byte> name, ref Nested<T> value, string doc)
        where T : struct, IDescribed<T>
    {
        if (IsNext(name, out int position))
            ReadMessage(ref value, position);
        else if (_isFirst)
            value.IsPresent = false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Messages<T>(int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string doc)
        where T : struct, IDescribed<T>
    {
        if (IsNext(name, out int position))
            ReadMessages(ref values, position);
        else if (_isFirst)
            values.Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Retired(int number, ReadOnlySpan<byte> name)
    {
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Load(ref RecordMemory memory)
    {
        _bytes = (memory.Store ??= new RecordStore()).Load(_source, SlackBytes);
        _start = ref MemoryMarshal.GetArrayDataReference(_bytes);
        _end = _source.Length;
        BeginObject(SkipWhitespace(0));
    }

    /// <summary>Whether the next field has a given name.</summary>
    /// <param name="name">The name; a constant once this is inlined,
    /// so that the comparison is of a few words.</param>
    /// <param name="position">Behind the name.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly bool IsNext(scoped ReadOnlySpan<byte> name, out int position)
    {
        position = _position;
        ref byte at = ref Unsafe.Add(ref _start, position);
        if (at != ','
            || Unsafe.Add(ref at, 2 + name.Length) != '"'
            || !MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref at, 2), name.Length).SequenceEqual(name))
        {
            return false;
        }
        position += name.Length + 3;
        return true;
    }

    /// <summary>Reads a value from the colon on.</summary>
    /// <remarks>Out of line, once for each kind: in a description, where it would stand once for each field,
    /// it would use up the locals that the JIT allows.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReadScalar<T, TKind>(ref T value, int position)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        position = Colon(position);
        value = IsNull(position) ? default : TKind.Read(ref this, position);
        EndField();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReadOptional<T, TKind>(ref T? value, int position)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        position = Colon(position);
        value = IsNull(position) ? null : TKind.Read(ref this, position);
        EndField();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReadMessage<T>(ref Nested<T> value, int position)
        where T : struct, IDescribed<T>
    {
        position = Colon(position);
        value.IsPresent = !IsNull(position);
        if (value.IsPresent)
            Inner(ref value.Value, position);
        EndField();
    }

    /// <summary>Steps over a colon.</summary>
    /// <param name="position">Behind a name.</param>
    /// <returns>Where the value begins.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int Colon(int position) =>
        ByteAt(position) == ':' && ByteAt(position + 1) > ' ' ? position + 1 : ColonSlowly(position);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly int ColonSlowly(int position)
    {
        position = SkipWhitespace(position);
        if (ByteAt(position) != ':')
            Expected("a colon", position);
        return SkipWhitespace(position + 1);
    }

    /// <summary>Makes sure that the next field, or the closing brace, is at the position.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void EndField()
    {
        ref byte at = ref Unsafe.Add(ref _start, _position);
        if (at != '}' && (at != ',' || Unsafe.Add(ref at, 1) != '"'))
            EndFieldSlowly();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EndFieldSlowly()
    {
        _position = SkipWhitespace(_position);
        if (ByteAt(_position) == '}')
            return;
        if (ByteAt(_position) != ',')
            Expected("a comma or a closing brace", _position);
        int name = SkipWhitespace(_position + 1);
        if (ByteAt(name) != '"')
            Expected("a name", name);
        PutComma(name);
    }

    private void BeginObject(int position)
    {
        if (ByteAt(position) != '{')
            Expected("an object", position);
        int first = SkipWhitespace(position + 1);
        if (ByteAt(first) == '"')
            PutComma(first);
        else if (ByteAt(first) == '}')
            _position = first;
        else
            Expected("a name or a closing brace", first);
    }

    /// <summary>Puts a comma before a name: over a brace, whitespace, or itself.</summary>
    private void PutComma(int name)
    {
        _position = name - 1;
        _bytes![_position] = (byte)',';
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Inner<T>(ref T item, int position)
        where T : struct, IDescribed<T>
    {
        (int outerPass, bool outerFirst) = (_passStart, _isFirst);
        _passStart = -1;
        _isFirst = true;
        BeginObject(position);
        do
        {
            item.Describe(ref this);
            _isFirst = false;
        }
        while (ByteAt(_position) != '}');
        _position++;
        (_passStart, _isFirst) = (outerPass, outerFirst);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReadMessages<T>(ref RecordList<T> values, int position)
        where T : struct, IDescribed<T>
    {
        values.Clear();
        if (BeginArray(Colon(position)))
        {
            do
                Inner(ref AddItem(ref values), _position);
            while (NextItem());
        }
        EndField();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReadValues<T, TKind>(ref RecordList<T> values, int position)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        values.Clear();
        if (BeginArray(Colon(position)))
        {
            do
                AddItem(ref values) = TKind.Read(ref this, _position);
            while (NextItem());
        }
        EndField();
    }

    /// <summary>Goes to the first item of an array.</summary>
    /// <returns>Whether there is one; if not, the position is behind the array.</returns>
    private bool BeginArray(int position)
    {
        if (IsNull(position))
            return false;
        if (ByteAt(position) != '[')
            Expected("an array", position);
        _position = SkipWhitespace(position + 1);
        if (ByteAt(_position) != ']')
            return true;
        _position++;
        return false;
    }

    /// <summary>Goes from the end of an item to the next.</summary>
    /// <returns>Whether there is one; if not, the position is behind the array.</returns>
    private bool NextItem()
    {
        _position = SkipWhitespace(_position);
        byte separator = ByteAt(_position);
        if (separator is not ((byte)',' or (byte)']'))
            Expected("a comma or a closing bracket", _position);
        _position++;
        if (separator == ']')
            return false;
        _position = SkipWhitespace(_position);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref T AddItem<T>(ref RecordList<T> values)
        where T : struct
    {
        if (--_itemsLeft < 0)
            Fail("more list items than the limit", _position);
        return ref values.AddSlot();
    }

    /// <summary>Keeps the next field as unknown if the pass that just ended took none.</summary>
    private void SkipUnknown(ref RecordMemory memory)
    {
        if (_passStart == _position && ByteAt(_position) != '}')
        {
            int start = _position + 1;
            int nameEnd = SkipText(start);
            if (!WritePlainName(start, nameEnd))
            {
                int value = Colon(nameEnd);
                SkipValue(value, _depthMax);
                RecordStore store = memory.Store ??= new RecordStore();
                store.AddUnknown(","u8, RecordFormat.Json);
                store.AddUnknown(new ReadOnlySpan<byte>(_bytes, start, nameEnd - start), RecordFormat.Json);
                store.AddUnknown(":"u8, RecordFormat.Json);
                store.AddUnknown(new ReadOnlySpan<byte>(_bytes, value, _position - value), RecordFormat.Json);
                EndField();
            }
        }
        _passStart = _position;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly byte ByteAt(int position) => Unsafe.Add(ref _start, position);

    private readonly int SkipWhitespace(int position)
    {
        while (ByteAt(position) is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            position++;
        return position;
    }

    [DoesNotReturn]
    private readonly void Expected(string what, int position) =>
        Fail(position >= _end ? $"the end where {what} is expected" : $"{what} is expected", position);

    [DoesNotReturn]
    private readonly void Fail(string reason, int offset) =>
        throw new SerializationException(_serde, reason, Math.Min(offset, _end));
}
