using System.Runtime.CompilerServices;

namespace Streams.Records;

/// <summary>
/// What a record owns beside its fields: the bytes that its texts are views of, and the fields of its encoded
/// form that its description does not know. Every record type has one, as its first line of description.
/// </summary>
/// <remarks>Only the outermost record's memory holds texts when a record is decoded; inner records keep
/// unknown fields in theirs, and nothing else, so that for most of them it stays a null reference.</remarks>
public struct RecordMemory
{
    internal RecordStore? Store;

    /// <summary>
    /// Whether the record was decoded from bytes with fields that its description does not know.
    /// </summary>
    public readonly bool HasUnknownFields => Store is { UnknownLength: > 0 };

    /// <summary>Copies UTF-8 bytes into the record and returns them as text.</summary>
    /// <exception cref="ArgumentException">The bytes are not UTF-8.</exception>
    public Text Text(ReadOnlySpan<byte> utf8) =>
        TryText(utf8, out Text text)
            ? text
            : throw new ArgumentException("The bytes are not UTF-8.", nameof(utf8));

    /// <summary>Copies bytes into the record as text if they are UTF-8.</summary>
    /// <returns>Whether they were.</returns>
    public bool TryText(ReadOnlySpan<byte> utf8, out Text text)
    {
        if (!System.Text.Unicode.Utf8.IsValid(utf8))
        {
            text = default;
            return false;
        }
        byte[] array = (Store ??= new RecordStore()).Append(utf8, out int offset);
        text = new Text(array, offset, utf8.Length);
        return true;
    }

    /// <summary>Encodes characters into the record and returns them as text.</summary>
    /// <exception cref="ArgumentException">A surrogate stands alone.</exception>
    public Text Text(ReadOnlySpan<char> characters)
    {
        byte[] array = (Store ??= new RecordStore()).AppendUtf8(characters, out int offset, out int length);
        return new Text(array, offset, length);
    }

    /// <summary>Copies bytes into the record.</summary>
    public Bytes Bytes(ReadOnlySpan<byte> bytes)
    {
        byte[] array = (Store ??= new RecordStore()).Append(bytes, out int offset);
        return new Bytes(array, offset, bytes.Length);
    }

    /// <summary>
    /// Forgets texts and unknown fields and keeps the memory. Texts handed out before are void.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Clear() => Store?.Clear();
}
