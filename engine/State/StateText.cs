using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Streams.Buffers;
using Streams.Records;

namespace Streams.State;

/// <summary>Keys and values of stores as text, for people and scripts.</summary>
internal static class StateText
{
    /// <summary>A value as JSON; in hexadecimal where nothing is known of it but its bytes.</summary>
    internal static string Of<T>(Serde<T> serde, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Described<T>.Json is { } json
                ? Encode(json, serde.Deserialize(bytes))
                : Plain(serde.Deserialize(bytes)) ?? Hex(bytes);
        }
        catch (SerializationException e)
        {
            return JsonSerializer.Serialize(
                new { undecodable = e.Message, hex = Convert.ToHexStringLower(bytes) });
        }
    }

    /// <summary>Bytes as JSON: text where they are, else hexadecimal.</summary>
    internal static string OfBytes(ReadOnlySpan<byte> bytes) =>
        bytes.IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0
            ? JsonSerializer.Serialize(Encoding.ASCII.GetString(bytes))
            : Hex(bytes);

    /// <summary>Bytes as a JSON string in hexadecimal.</summary>
    internal static string Hex(ReadOnlySpan<byte> bytes) => $"\"0x{Convert.ToHexStringLower(bytes)}\"";

    /// <summary>The bytes that text stands for: hexadecimal behind 0x, else UTF-8.</summary>
    /// <exception cref="StateQueryException">It is not hexadecimal.</exception>
    internal static byte[] BytesOf(string text)
    {
        if (!text.StartsWith("0x", StringComparison.Ordinal))
            return Encoding.UTF8.GetBytes(text);
        try
        {
            return Convert.FromHexString(text.AsSpan(2));
        }
        catch (FormatException e)
        {
            throw new StateQueryException($"'{text}' is not hexadecimal behind its 0x.", e);
        }
    }

    /// <summary>The bytes of a key that was written as text: 0x and its bytes, a number, JSON of a described
    /// record, or text.</summary>
    /// <exception cref="StateQueryException">It is no key of that type.</exception>
    internal static byte[] KeyOf<T>(Serde<T> serde, string text)
    {
        if (text.StartsWith("0x", StringComparison.Ordinal))
            return BytesOf(text);
        try
        {
            object? key = typeof(T) == typeof(string) ? text
                : typeof(T) == typeof(int) ? int.Parse(text, CultureInfo.InvariantCulture)
                : typeof(T) == typeof(long) ? long.Parse(text, CultureInfo.InvariantCulture)
                : Described<T>.Json is { } json ? json.Deserialize(Encoding.UTF8.GetBytes(text))
                : null;
            if (key is null)
                return BytesOf(text);
            using var bytes = new PooledBuffer();
            serde.Serialize((T)key, bytes);
            return bytes.WrittenSpan.ToArray();
        }
        catch (Exception e) when (e is FormatException or OverflowException or SerializationException)
        {
            throw new StateQueryException($"'{text}' is no key of type {serde.Name}: {e.Message}", e);
        }
    }

    private static string Encode<T>(Serde<T> json, in T value)
    {
        using var text = new PooledBuffer();
        json.Serialize(value, text);
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    private static string? Plain(object? value) => value switch
    {
        null => "null",
        bool or int or long or double or string or uint or ulong or short or decimal =>
            JsonSerializer.Serialize(value, value.GetType()),
        byte[] bytes => OfBytes(bytes),
        _ when value.GetType().GetMethod(nameof(ToString), Type.EmptyTypes)!.DeclaringType
            is { } type && type != typeof(object) && type != typeof(ValueType) =>
            JsonSerializer.Serialize(value.ToString()),
        _ => null,
    };

    /// <summary>The JSON codec of a type that is a described record; none for others.</summary>
    private static class Described<T>
    {
        internal static readonly Serde<T>? Json = Find();

        // The codec asks for a constraint that a store's types need not meet.
        private static Serde<T>? Find()
        {
            bool described = Array.Exists(
                typeof(T).GetInterfaces(),
                i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IDescribed<>)
                    && i.GenericTypeArguments[0] == typeof(T));
            MethodInfo method = typeof(RecordSerde).GetMethod(nameof(RecordSerde.Json))!;
            return described && typeof(T).GetConstructor(Type.EmptyTypes) is not null
                ? (Serde<T>)method.MakeGenericMethod(typeof(T)).Invoke(null, [null])!
                : null;
        }
    }
}
