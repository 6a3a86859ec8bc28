using System.Runtime.CompilerServices;
using System.Text;
using Streams.Records.Schemas;

namespace Streams.Records;

/// <summary>The names of an enumeration as records show them: snake_case of the members' names.</summary>
/// <typeparam name="TEnum">An enumeration over <see cref="int"/> that has a zero.</typeparam>
public static class EnumNames<TEnum>
    where TEnum : struct, Enum
{
    private static readonly int[] Numbers =
        [.. EnumSchema.Of(typeof(TEnum)).Values.Select(value => value.Number)];

    private static readonly byte[][] Names =
        [.. EnumSchema.Of(typeof(TEnum)).Values.Select(value => Encoding.UTF8.GetBytes(value.Name))];

    /// <summary>The name of a value; empty when it has none.</summary>
    public static ReadOnlySpan<byte> NameOf(TEnum value)
    {
        int number = Unsafe.BitCast<TEnum, int>(value);
        // Most enumerations count from zero, so that the place of a number is the number.
        if ((uint)number < (uint)Numbers.Length && Numbers[number] == number)
            return Names[number];
        int at = Array.IndexOf(Numbers, number);
        return at < 0 ? [] : Names[at];
    }

    /// <summary>Finds the value of a name.</summary>
    public static bool TryFind(ReadOnlySpan<byte> name, out TEnum value)
    {
        for (int i = 0; i < Names.Length; i++)
        {
            if (name.SequenceEqual(Names[i]))
            {
                value = Unsafe.BitCast<int, TEnum>(Numbers[i]);
                return true;
            }
        }
        value = default;
        return false;
    }
}
