using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Streams.Buffers;
using Streams.Connect;
using Text = Streams.Records.Text;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>Gathers tags and makes the table of them, the same in whatever order they came.</summary>
internal sealed class TagTableBuilder
{
    private readonly List<AddressTag> _tags = [];
    private readonly Dictionary<TagFacts, TagFacts> _facts = [];
    private readonly Dictionary<TagFacts[], int> _numbers = new(new SameFacts());
    private readonly Dictionary<string, Text> _texts = [];
    private readonly List<TagEntry> _entries = [];

    /// <summary>Number of tags that were added.</summary>
    internal int TagCount => _tags.Count;

    /// <summary>Number of addresses with more than one tag; known once the table is built.</summary>
    internal int MergedCount { get; private set; }

    /// <summary>Adds a tag.</summary>
    /// <param name="address">ASCII, at most 255 characters.</param>
    /// <param name="facts">What the tag says.</param>
    internal void Add(string address, TagFacts facts)
    {
        ref TagFacts? shared = ref CollectionsMarshal.GetValueRefOrAddDefault(_facts, facts, out _);
        shared ??= facts;
        _tags.Add(new AddressTag(address, shared));
    }

    /// <summary>Makes the table.</summary>
    /// <exception cref="ConfigurationException">The addresses do not fit into 2 GiB.</exception>
    internal TagTable Build()
    {
        _tags.Sort();
        Span<AddressTag> tags = CollectionsMarshal.AsSpan(_tags);
        using var addresses = new PooledBuffer();
        var facts = new List<TagFacts>();
        int count = 0;
        for (int start = 0, end; start < tags.Length; start = end)
        {
            string address = tags[start].Address;
            facts.Clear();
            for (end = start; end < tags.Length && tags[end].Address == address; end++)
            {
                // Equal facts are one object, and stand side by side.
                if (facts.Count == 0 || !ReferenceEquals(facts[^1], tags[end].Facts))
                    facts.Add(tags[end].Facts);
            }
            MergedCount += end - start > 1 ? 1 : 0;
            Append(addresses, address, NumberOf([.. facts]));
            count++;
        }
        return new TagTable(addresses.WrittenSpan.ToArray(), count, [.. _entries]);
    }

    private static void Append(PooledBuffer addresses, string address, int entry)
    {
        int bytes = TagTable.PrefixBytes + address.Length;
        if (addresses.Length > Array.MaxLength - bytes)
            throw new ConfigurationException("The tagged addresses are over 2 GiB. Give fewer files.");
        Span<byte> place = addresses.Append(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(place, entry);
        place[TagTable.EntryBytes] = (byte)address.Length;
        Encoding.ASCII.GetBytes(address, place[TagTable.PrefixBytes..]);
    }

    private int NumberOf(TagFacts[] facts)
    {
        ref int number = ref CollectionsMarshal.GetValueRefOrAddDefault(_numbers, facts, out bool isKnown);
        if (!isKnown)
        {
            number = _entries.Count;
            _entries.Add(new TagEntry(facts, TextOf));
        }
        return number;
    }

    private Text TextOf(string text)
    {
        ref Text shared = ref CollectionsMarshal.GetValueRefOrAddDefault(_texts, text, out bool isKnown);
        if (!isKnown)
            shared = new Text(text);
        return shared;
    }

    /// <summary>The same facts in the same order; facts that are equal are one object here.</summary>
    private sealed class SameFacts : IEqualityComparer<TagFacts[]>
    {
        public bool Equals(TagFacts[]? left, TagFacts[]? right) =>
            left is not null && right is not null && left.AsSpan().SequenceEqual(right);

        public int GetHashCode(TagFacts[] facts)
        {
            var hash = default(HashCode);
            foreach (TagFacts fact in facts)
                hash.Add(fact);
            return hash.ToHashCode();
        }
    }
}
