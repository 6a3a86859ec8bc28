using System.Text;

namespace Streams.Log.Embedded.Catalog;

/// <summary>Things by name, found by the UTF-8 bytes of an entry without making a string of them.</summary>
/// <typeparam name="T">What is named.</typeparam>
internal sealed class NameTable<T>
    where T : class, new()
{
    private readonly Dictionary<string, T> _items = new(StringComparer.Ordinal);
    private readonly Dictionary<string, T>.AlternateLookup<ReadOnlySpan<char>> _byChars;

    public NameTable() => _byChars = _items.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Number of names.</summary>
    public int Count => _items.Count;

    /// <summary>All things, in no particular order.</summary>
    public Dictionary<string, T>.ValueCollection Values => _items.Values;

    /// <summary>The thing of that name, or null.</summary>
    public T? Find(string name) => _items.GetValueOrDefault(name);

    /// <summary>The thing of that name, made where there is none.</summary>
    /// <param name="utf8">At most <see cref="NameLimits.BytesMax"/> bytes.</param>
    public T GetOrAdd(ReadOnlySpan<byte> utf8)
    {
        Span<char> chars = stackalloc char[NameLimits.BytesMax];
        ReadOnlySpan<char> name = chars[..Encoding.UTF8.GetChars(utf8, chars)];
        if (!_byChars.TryGetValue(name, out T? item))
            _byChars[name] = item = new T();
        return item;
    }

    /// <summary>Removes a name; nothing happens where it is unknown.</summary>
    public void Remove(ReadOnlySpan<byte> utf8) => _items.Remove(Encoding.UTF8.GetString(utf8));

    /// <summary>
    /// All names in ordinal order, which makes what is written from them the same every time.
    /// </summary>
    public string[] SortedNames()
    {
        string[] names = [.. _items.Keys];
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }
}

/// <summary>How long names may be.</summary>
internal static class NameLimits
{
    /// <summary>Largest name of a group, a source or a source's key, in bytes of UTF-8.</summary>
    public const int BytesMax = 1024;

    /// <summary>Checks a name that a caller gave.</summary>
    /// <exception cref="ArgumentException">It is empty or too long.</exception>
    public static void Check(string name, string what)
    {
        if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) > BytesMax)
            throw new ArgumentException($"A {what} is 1 to {BytesMax} bytes of UTF-8; '{name}' is not.");
    }
}
