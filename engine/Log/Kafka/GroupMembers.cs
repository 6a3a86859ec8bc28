using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>The members of the application's group, and which of them stand by for which lanes.</summary>
internal static class GroupMembers
{
    /// <summary>The lanes that a member stands by for: of the members that have not got a lane, those that
    /// come first for it, so that few lanes move when members come and go.</summary>
    /// <param name="lanesOf">The lanes of each member.</param>
    /// <param name="member">The member that asks.</param>
    /// <param name="total">How many lanes there are.</param>
    /// <param name="replicas">How many members stand by for each lane.</param>
    /// <remarks>Source: rendezvous hashing (Thaler and Ravishankar, 1998).</remarks>
    internal static IReadOnlyList<int> StandbysOf(
        IReadOnlyDictionary<string, IReadOnlySet<int>> lanesOf, string member, int total, int replicas) =>
    [
        .. Enumerable.Range(0, total).Where(lane => lanesOf.Where(m => !m.Value.Contains(lane))
            .OrderBy(m => Rank(m.Key, lane)).ThenBy(m => m.Key, StringComparer.Ordinal)
            .Take(replicas).Any(m => m.Key == member)),
    ];

    /// <summary>The lanes of each member, as its assignment says.</summary>
    /// <returns>Null while the group is being shared out anew.</returns>
    internal static IReadOnlyDictionary<string, IReadOnlySet<int>>? Read(
        Client.GroupInfo group, string topic) =>
        group is not { State: "Stable", Error.IsError: false } ? null
            : group.Members.ToDictionary(m => m.MemberId, m => LanesIn(m.MemberAssignment, topic));

    /// <summary>The partitions of a topic in an assignment.</summary>
    /// <remarks>Kafka's ConsumerProtocolAssignment: version (int16), topics (int32 count; each a name with an
    /// int16 length, and an int32 count of int32 partitions), user data. Big-endian.</remarks>
    /// <exception cref="LogUnavailableException">The bytes are not an assignment.</exception>
    internal static IReadOnlySet<int> LanesIn(ReadOnlySpan<byte> assignment, string topic)
    {
        var lanes = new HashSet<int>();
        if (assignment.IsEmpty)
            return lanes;
        try
        {
            ReadOnlySpan<byte> rest = assignment[sizeof(short)..];
            for (int topics = TakeInt32(ref rest); topics > 0; topics--)
            {
                int length = BinaryPrimitives.ReadInt16BigEndian(rest);
                string name = Encoding.UTF8.GetString(rest.Slice(sizeof(short), length));
                rest = rest[(sizeof(short) + length)..];
                for (int partitions = TakeInt32(ref rest); partitions > 0; partitions--)
                {
                    int partition = TakeInt32(ref rest);
                    if (name == topic)
                        lanes.Add(partition);
                }
            }
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new LogUnavailableException(
                $"A member of the group that shares out {topic} has an assignment that is none: is another "
                + "application in the group?");
        }
        return lanes;
    }

    private static int TakeInt32(ref ReadOnlySpan<byte> rest)
    {
        int value = BinaryPrimitives.ReadInt32BigEndian(rest);
        rest = rest[sizeof(int)..];
        return value;
    }

    private static ulong Rank(string member, int lane) =>
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{lane}/{member}")));
}
