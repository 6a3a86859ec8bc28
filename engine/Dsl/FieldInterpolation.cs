using System.Runtime.CompilerServices;
using System.Text;
using Streams.Processing;
using Streams.Records;

namespace Streams.Dsl;

/// <summary>Interpolates the named fields of a described record. For one thread.</summary>
/// <remarks>Fields are found by their place in the description, which every visit has alike; nothing is
/// allocated.</remarks>
internal sealed class FieldInterpolation<TRecord>
    where TRecord : IDescribed<TRecord>, new()
{
    private readonly FieldSample[] _samples;

    /// <param name="fields">Names of numeric fields.</param>
    /// <exception cref="TopologyException">One is not.</exception>
    internal FieldInterpolation(IReadOnlyList<string> fields)
    {
        Dictionary<string, int> numbers = Numbers();
        if (fields.Count == 0)
            throw new TopologyException("An interpolation of fields needs at least one.");
        foreach (string field in fields)
        {
            if (!numbers.ContainsKey(field))
                throw new TopologyException(
                    $"The record '{TRecord.RecordType.Name}' has no numeric field '{field}' to interpolate. "
                    + $"Its numeric fields: {string.Join(", ", numbers.Keys)}.");
        }
        _samples = new FieldSample[fields.Max(f => numbers[f]) + 1];
        foreach (string field in fields)
            _samples[numbers[field]].IsWanted = true;
    }

    /// <summary>Sets the fields of the first record to what lies between.</summary>
    internal TRecord Between(TRecord from, TRecord to, long elapsedMs, long spanMs)
    {
        var reading = new Visitor { Samples = _samples };
        to.Describe(ref reading);
        var setting = new Visitor { Samples = _samples, ElapsedMs = elapsedMs, SpanMs = spanMs };
        from.Describe(ref setting);
        return from;
    }

    private static Dictionary<string, int> Numbers()
    {
        var visitor = new Visitor { Samples = [], Numbers = [] };
        new TRecord().Describe(ref visitor);
        return visitor.Numbers!;
    }

    private struct FieldSample
    {
        internal bool IsWanted;
        internal bool IsPresent;
        internal Int128 Whole;
        internal UInt256 Large;
        internal double Measured;
    }

    /// <summary>Notes which fields are numbers, or reads samples, or, given a span, sets what lies
    /// between.</summary>
    private struct Visitor : IFieldVisitor
    {
        internal FieldSample[] Samples;
        internal Dictionary<string, int>? Numbers;
        internal long ElapsedMs;
        internal long SpanMs;
        private int _field;

        public readonly void Memory(ref RecordMemory memory)
        {
        }

        public void Scalar<T, TKind>(
            int number, ReadOnlySpan<byte> name, ref T value, string unit, string doc)
            where T : struct
            where TKind : struct, IScalarKind<T>
        {
            int field = _field++;
            if (Numbers is not null)
                Note<T, TKind>(field, name);
            if (field >= Samples.Length || !Samples[field].IsWanted)
                return;
            if (SpanMs == 0)
                Read<T, TKind>(ref Samples[field], value);
            else if (Samples[field].IsPresent)
                value = Between<T, TKind>(value, Samples[field]);
        }

        public void Optional<T, TKind>(
            int number, ReadOnlySpan<byte> name, ref T? value, string unit, string doc)
            where T : struct
            where TKind : struct, IScalarKind<T>
        {
            int field = _field++;
            if (Numbers is not null)
                Note<T, TKind>(field, name);
            if (field >= Samples.Length || !Samples[field].IsWanted)
                return;
            if (SpanMs == 0)
            {
                Samples[field].IsPresent = false;
                if (value is { } present)
                    Read<T, TKind>(ref Samples[field], present);
            }
            else if (Samples[field].IsPresent && value is { } before)
            {
                value = Between<T, TKind>(before, Samples[field]);
            }
        }

        public readonly void Repeated<T, TKind>(
            int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string unit, string doc)
            where T : struct
            where TKind : struct, IScalarKind<T>
        {
        }

        public readonly void Message<T>(int number, ReadOnlySpan<byte> name, ref Nested<T> value, string doc)
            where T : struct, IDescribed<T>
        {
        }

        public readonly void Retired(int number, ReadOnlySpan<byte> name)
        {
        }

        public readonly void Messages<T>(
            int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string doc)
            where T : struct, IDescribed<T>
        {
        }

        private readonly void Note<T, TKind>(int field, ReadOnlySpan<byte> name)
            where T : struct
            where TKind : struct, IScalarKind<T>
        {
            if (TKind.Kind is FieldKind.Int32 or FieldKind.Int64 or FieldKind.UInt32 or FieldKind.UInt64
                or FieldKind.Double or FieldKind.UInt256)
                Numbers!.Add(Encoding.UTF8.GetString(name), field);
        }

        private static void Read<T, TKind>(ref FieldSample sample, T value)
            where T : struct
            where TKind : struct, IScalarKind<T>
        {
            sample.IsPresent = true;
            switch (TKind.Kind)
            {
                case FieldKind.Int32:
                    sample.Whole = Unsafe.BitCast<T, int>(value);
                    break;
                case FieldKind.Int64:
                    sample.Whole = Unsafe.BitCast<T, long>(value);
                    break;
                case FieldKind.UInt32:
                    sample.Whole = Unsafe.BitCast<T, uint>(value);
                    break;
                case FieldKind.UInt64:
                    sample.Whole = Unsafe.BitCast<T, ulong>(value);
                    break;
                case FieldKind.UInt256:
                    sample.Large = Unsafe.BitCast<T, UInt256>(value);
                    break;
                default:
                    sample.Measured = Unsafe.BitCast<T, double>(value);
                    break;
            }
        }

        private readonly T Between<T, TKind>(T from, in FieldSample to)
            where T : struct
            where TKind : struct, IScalarKind<T> => TKind.Kind switch
            {
                FieldKind.Int32 => Unsafe.BitCast<int, T>(
                    (int)Interpolate.Int64(Unsafe.BitCast<T, int>(from), (long)to.Whole, ElapsedMs, SpanMs)),
                FieldKind.Int64 => Unsafe.BitCast<long, T>(
                    Interpolate.Int64(Unsafe.BitCast<T, long>(from), (long)to.Whole, ElapsedMs, SpanMs)),
                FieldKind.UInt32 => Unsafe.BitCast<uint, T>(
                    (uint)Interpolate.UInt64(
                        Unsafe.BitCast<T, uint>(from), (ulong)to.Whole, ElapsedMs, SpanMs)),
                FieldKind.UInt64 => Unsafe.BitCast<ulong, T>(
                    Interpolate.UInt64(Unsafe.BitCast<T, ulong>(from), (ulong)to.Whole, ElapsedMs, SpanMs)),
                FieldKind.UInt256 => Unsafe.BitCast<UInt256, T>(
                    Interpolate.UInt256(Unsafe.BitCast<T, UInt256>(from), to.Large, ElapsedMs, SpanMs)),
                _ => Unsafe.BitCast<double, T>(
                    Interpolate.Double(Unsafe.BitCast<T, double>(from), to.Measured, ElapsedMs, SpanMs)),
            };
    }
}
