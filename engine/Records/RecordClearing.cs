using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Streams.Records;

/// <summary>Brings records back to the state of new ones while they keep their memory.</summary>
public static class RecordClearing
{
    /// <summary>Every field absent or default, every list empty.</summary>
    public static void Clear<T>(this T record)
        where T : class, IDescribed<T>, new()
    {
        var visitor = new ClearingVisitor();
        record.Describe(ref visitor);
    }

    /// <summary>Every field absent or default, every list empty.</summary>
    public static void Clear<T>(this ref T record)
        where T : struct, IDescribed<T>
    {
        var visitor = new ClearingVisitor();
        record.Describe(ref visitor);
    }

    /// <summary>Makes the inner record present, with cleared contents, and returns it for filling.</summary>
    public static ref T Set<T>([UnscopedRef] this ref Nested<T> nested)
        where T : struct, IDescribed<T>
    {
        nested.IsPresent = true;
        nested.Value.Clear();
        return ref nested.Value;
    }

    /// <summary>Adds an item with cleared contents and returns it for filling.</summary>
    public static ref T Add<T>(this ref RecordList<T> list)
        where T : struct, IDescribed<T>
    {
        ref T item = ref list.AddSlot();
        item.Clear();
        return ref item;
    }

    private struct ClearingVisitor : IFieldVisitor
    {
        public readonly void Memory(ref RecordMemory memory) => memory.Clear();

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Scalar<T, TKind>(
            int number, ReadOnlySpan<byte> name, ref T value, string unit, string doc)
            where T : struct
            where TKind : struct, IScalarKind<T> => value = default;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Optional<T, TKind>(
            int number, ReadOnlySpan<byte> name, ref T? value, string unit, string doc)
            where T : struct
            where TKind : struct, IScalarKind<T> => value = null;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Repeated<T, TKind>(
            int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string unit, string doc)
            where T : struct
            where TKind : struct, IScalarKind<T> => values.Clear();

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Message<T>(int number, ReadOnlySpan<byte> name, ref Nested<T> value, string doc)
            where T : struct, IDescribed<T> => value.IsPresent = false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Messages<T>(
            int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string doc)
            where T : struct, IDescribed<T> => values.Clear();

        public readonly void Retired(int number, ReadOnlySpan<byte> name)
        {
        }
    }
}
