using Streams.Log;
using Streams.Log.Kafka;
using Xunit;

namespace Streams.Tests.Engine.Log.Kafka;

/// <summary>Who stands by for whom.</summary>
public sealed class GroupMembersTests
{
    [Fact]
    public void An_assignment_says_which_partitions_of_the_topic_a_member_has()
    {
        // Version 3; "other" has partition 9, "tasks" has 0 and 258; no user data.
        byte[] assignment =
        [
            0, 3, 0, 0, 0, 2, 0, 5, .. "other"u8, 0, 0, 0, 1, 0, 0, 0, 9, 0, 5, .. "tasks"u8, 0, 0, 0, 2,
            0, 0, 0, 0, 0, 0, 1, 2, 255, 255, 255, 255,
        ];
        Assert.Equal([0, 258], GroupMembers.LanesIn(assignment, "tasks").Order());
        Assert.Empty(GroupMembers.LanesIn([], "tasks"));
        for (int length = 1; length < assignment.Length - 4; length++)
            Assert.Throws<LogUnavailableException>(() => GroupMembers.LanesIn(
                assignment.AsSpan(0, length), "tasks"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    public void Each_lane_has_so_many_standbys_and_never_its_owner(int replicas)
    {
        const int Lanes = 40;
        Dictionary<string, IReadOnlySet<int>> members = Enumerable.Range(0, 4).ToDictionary(
            m => $"member-{m}", IReadOnlySet<int> (m) => Enumerable.Range(m * 10, 10).ToHashSet());
        Dictionary<string, IReadOnlyList<int>> before = members.Keys.ToDictionary(
            m => m, m => GroupMembers.StandbysOf(members, m, Lanes, replicas));
        for (int lane = 0; lane < Lanes; lane++)
        {
            Assert.Equal(Math.Min(replicas, 3), before.Count(m => m.Value.Contains(lane)));
            Assert.DoesNotContain(lane, before[$"member-{lane / 10}"]);
        }

        // One goes; another has its lanes. What the others stood by for and nobody has taken stays.
        members.Remove("member-3");
        members["member-0"] = Enumerable.Range(0, 10).Concat(Enumerable.Range(30, 10)).ToHashSet();
        foreach (string member in members.Keys)
            Assert.Empty(before[member].Except(GroupMembers.StandbysOf(members, member, Lanes, replicas))
                .Except(members[member]));
    }
}
