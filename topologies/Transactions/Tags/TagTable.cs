using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Streams.Records;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>
/// The tags of addresses: an immutable table, looked up by an address's UTF-8 bytes without allocating, from
/// any number of threads.
/// </summary>
/// <remarks>
/// An open-addressed table of one-byte fingerprints, at most half full, so that nearly every miss ends after
/// one line of a small array; then the place of the address in one block of bytes that holds all of them in
/// ascending order. About 54 bytes for each address, and some hundred for each distinct entry.
/// </remarks>
public sealed class TagTable
{
    // What stands before the bytes of an address: its entry's number, and its length.
    internal const int EntryBytes = sizeof(int);
    internal const int PrefixBytes = EntryBytes + 1;

    private readonly byte[] _prints;
    private readonly int[] _offsets;
    private readonly byte[] _addresses;
    private readonly TagEntry[] _entries;

    /// <summary>Makes the table.</summary>
    /// <param name="addresses">For each, ascending: the number of its entry, its length, its bytes.</param>
    /// <param name="count">Number of addresses.</param>
    /// <param name="entries">The distinct entries.</param>
    internal TagTable(byte[] addresses, int count, TagEntry[] entries)
    {
        _addresses = addresses;
        _entries = entries;
        Count = count;
        int slots = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(2 * count, 1));
        _prints = new byte[slots];
        _offsets = new int[slots];
        for (int at = 0; at < addresses.Length; at += PrefixBytes + addresses[at + EntryBytes])
            Place(at);
        Digest = ComputeDigest();
        Version = new Text($"labels-{Digest.ToString()[..12]}");
    }

    /// <summary>The table without any tag.</summary>
    public static TagTable Empty { get; } = new([], 0, []);

    /// <summary>Number of addresses.</summary>
    public int Count { get; }

    /// <summary>Number of distinct entries that the addresses share.</summary>
    public int EntryCount => _entries.Length;

    /// <summary>Bytes of the arrays that a lookup reads, without the entries.</summary>
    public long IndexBytes => _prints.Length + (long)_offsets.Length * sizeof(int) + _addresses.Length;

    /// <summary>SHA-256 of the content: the same for the same tags, whatever the order of files.</summary>
    public Bytes32 Digest { get; }

    /// <summary>What records name the table by: <c>labels-</c> and twelve digits of the digest.</summary>
    public Text Version { get; }

    /// <summary>Looks an address up.</summary>
    /// <param name="address">Its text in UTF-8, as its chain writes it; those that are not case-sensitive,
    /// hexadecimal and Bech32, in lower case.</param>
    /// <param name="entry">What its tags say.</param>
    /// <returns>Whether it has any.</returns>
    public bool TryGet(ReadOnlySpan<byte> address, [NotNullWhen(true)] out TagEntry? entry)
    {
        uint hash = Hash(address);
        byte print = PrintOf(hash);
        byte[] prints = _prints;
        for (uint slot = hash; ; slot++)
        {
            slot &= (uint)(prints.Length - 1);
            byte found = prints[slot];
            if (found == 0)
                break;
            if (found == print && AddressAt(_offsets[slot]).SequenceEqual(address))
            {
                entry = EntryAt(_offsets[slot]);
                return true;
            }
        }
        entry = null;
        return false;
    }

    /// <summary>The addresses and their entries, in ascending order of the addresses' bytes.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>The addresses whose tags differ between two tables: those whose records a change of labels
    /// concerns (CSIC-106).</summary>
    /// <param name="older">The table before.</param>
    /// <returns>In ascending order of the addresses' bytes.</returns>
    public IReadOnlyList<TagChange> ChangedSince(TagTable older)
    {
        var changes = new List<TagChange>();
        Enumerator before = older.GetEnumerator(), after = GetEnumerator();
        bool hasBefore = before.MoveNext(), hasAfter = after.MoveNext();
        while (hasBefore || hasAfter)
        {
            int order = !hasBefore ? 1 : !hasAfter ? -1 : before.Address.SequenceCompareTo(after.Address);
            TagEntry? was = order <= 0 ? before.Entry : null;
            TagEntry? @is = order >= 0 ? after.Entry : null;
            if (was is null || @is is null || was.Digest != @is.Digest)
                changes.Add(new TagChange(TextOf(order <= 0 ? before.Address : after.Address), was, @is));
            if (order <= 0)
                hasBefore = before.MoveNext();
            if (order >= 0)
                hasAfter = after.MoveNext();
        }
        return changes;

        static Text TextOf(ReadOnlySpan<byte> address) => new(System.Text.Encoding.UTF8.GetString(address));
    }

    private static uint Hash(ReadOnlySpan<byte> address)
    {
        var hash = default(HashCode);
        hash.AddBytes(address);
        return (uint)hash.ToHashCode();
    }

    // From the end of the hash that does not choose the slot; never zero, which marks an empty one.
    private static byte PrintOf(uint hash) => (byte)((hash >> 24) | 1);

    private void Place(int offset)
    {
        uint hash = Hash(AddressAt(offset));
        uint slot = hash & (uint)(_prints.Length - 1);
        while (_prints[slot] != 0)
            slot = (slot + 1) & (uint)(_prints.Length - 1);
        _prints[slot] = PrintOf(hash);
        _offsets[slot] = offset;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ReadOnlySpan<byte> AddressAt(int offset) =>
        _addresses.AsSpan(offset + PrefixBytes, _addresses[offset + EntryBytes]);

    private TagEntry EntryAt(int offset) =>
        _entries[BinaryPrimitives.ReadInt32LittleEndian(_addresses.AsSpan(offset))];

    private Bytes32 ComputeDigest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("streams-labels-1\n"u8);
        foreach (TaggedAddress tagged in this)
        {
            hash.AppendData([(byte)tagged.Address.Length]);
            hash.AppendData(tagged.Address);
            Bytes32 entry = tagged.Entry.Digest;
            hash.AppendData(entry.Span);
        }
        return new Bytes32(hash.GetHashAndReset());
    }

    /// <summary>Walks a table.</summary>
    public ref struct Enumerator
    {
        private readonly TagTable _table;
        private int _offset;
        private int _next;

        internal Enumerator(TagTable table) => _table = table;

        /// <summary>The address and its entry.</summary>
        public readonly TaggedAddress Current => new(Address, Entry);

        internal readonly ReadOnlySpan<byte> Address => _table.AddressAt(_offset);

        internal readonly TagEntry Entry => _table.EntryAt(_offset);

        /// <summary>Steps to the next address; false after the last.</summary>
        public bool MoveNext()
        {
            if (_next == _table._addresses.Length)
                return false;
            _offset = _next;
            _next += PrefixBytes + _table._addresses[_offset + EntryBytes];
            return true;
        }
    }
}

/// <summary>An address of a table and what its tags say.</summary>
/// <param name="address">UTF-8, a view of the table.</param>
/// <param name="entry">What its tags say.</param>
public readonly ref struct TaggedAddress(ReadOnlySpan<byte> address, TagEntry entry)
{
    /// <summary>UTF-8, a view of the table.</summary>
    public ReadOnlySpan<byte> Address { get; } = address;

    /// <summary>What its tags say.</summary>
    public TagEntry Entry { get; } = entry;
}

/// <summary>An address whose tags differ between two tables.</summary>
/// <param name="Address">The address.</param>
/// <param name="Before">What its tags said; null when it had none.</param>
/// <param name="After">What they say; null when it has none.</param>
public sealed record TagChange(Text Address, TagEntry? Before, TagEntry? After);
