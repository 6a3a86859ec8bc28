using Streams.Log;
using Xunit;

namespace Streams.Tests.Engine.Log;

/// <summary>Who holds lanes, and who is waited for (CSIC-119).</summary>
public sealed class LanesTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(200);

    [Fact]
    public void Who_has_not_let_go_in_time_is_named()
    {
        using LaneBoard board = LaneBoard.All(2, 1);
        using LaneHolder quick = board.Join("quick");
        using LaneHolder slow = board.Join("slow");
        Assert.True(quick.Acknowledge(board.Current));
        Assert.True(slow.Acknowledge(board.Current));
        Assert.Empty(board.WaitForHolders(TimeSpan.Zero));
        board.Publish(Lanes(2));
        Assert.True(quick.Acknowledge(board.Current));
        Assert.Equal(["slow"], board.WaitForHolders(Short));
        Assert.True(slow.Acknowledge(board.Current));
        Assert.Empty(board.WaitForHolders(Short));
    }

    [Fact]
    public void Who_has_not_taken_up_lanes_holds_none()
    {
        using LaneBoard board = LaneBoard.All(2, 1);
        using LaneHolder holder = board.Join("starting");
        Lanes seen = holder.Current;
        board.Publish(Lanes(2));
        Assert.Empty(board.WaitForHolders(TimeSpan.Zero));
        // What was looked at before is somebody else's by now.
        Assert.False(holder.Acknowledge(seen));
        Assert.True(holder.Acknowledge(holder.Current));
    }

    [Fact]
    public async Task After_half_the_time_work_on_lanes_is_overdue()
    {
        using LaneBoard board = LaneBoard.All(2, 1);
        using LaneHolder holder = board.Join("patient");
        holder.Acknowledge(board.Current);
        board.Publish(Lanes(2));
        Assert.False(board.IsOverdue);
        Task<IReadOnlyList<string>> waiting = Task.Factory.StartNew(
            () => board.WaitForHolders(TimeSpan.FromSeconds(2)), TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning, TaskScheduler.Default);
        while (!board.IsOverdue && !waiting.IsCompleted)
            await Task.Delay(5, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        holder.Acknowledge(board.Current);
        Assert.Empty(await waiting);
        Assert.False(board.IsOverdue);
    }

    private static Lanes Lanes(int version) => new(version, 2, new Dictionary<int, int> { [0] = 0 });
}
