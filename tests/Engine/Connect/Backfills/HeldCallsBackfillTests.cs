using Streams.Dsl;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Connect.Backfills;

/// <summary>Records that wait for asynchronous calls while a backfill comes to its end.</summary>
public sealed class HeldCallsBackfillTests : IDisposable
{
    private readonly ReprocessedApplication _application = new();
    private bool _hangs;

    [Fact]
    public void What_waits_when_all_was_read_again_is_still_what_the_backfill_made_of_it()
    {
        _application.Run(Calling, ["a=1@1", "b=bad@2", "c=3@3"]);
        Assert.Equal(["a=1", "c=3"], _application.Read("alerts").Order());
        Assert.Single(_application.Read("in.dead-letter"));
        _application.Begin(Calling, "start");
        _hangs = true;
        _application.RunPast(Calling);
        // Nothing is left to be read, also after another start.
        _application.RunPast(Calling);
        _hangs = false;
        _application.Run(Calling, ["d=4@4", "e=bad@5"]);
        Assert.Equal(["a=1", "c=3", "d=4"], _application.Read("alerts").Order());
        Assert.Equal(2, _application.Read("in.dead-letter").Length);
        // With nothing held any more it is over.
        _application.Begin(Calling, "start");
        _application.Run(Calling);
        Assert.Equal(["a=1", "c=3", "d=4"], _application.Read("alerts").Order());
    }

    public void Dispose() => _application.Dispose();

    private void Calling(StreamsBuilder builder) => ReprocessedApplication.In(builder)
        .MapValuesAsync(CallAsync, new AsyncMapped<string, string, string>
        {
            Name = "call",
            ResultSerde = Serdes.String,
            Calls = new AsyncCallOptions
            {
                RetriesMax = 0,
                AttemptTimeout = TimeSpan.FromHours(1),
                OnFailure = AsyncFailure.DeadLetter,
            },
        })
        .To("alerts", ReprocessedApplication.Texts("alerts", once: true));

    private async Task<string> CallAsync(string key, string value, CancellationToken cancellation)
    {
        if (_hangs)
            await Task.Delay(Timeout.Infinite, cancellation);
        return value == "bad" ? throw new InvalidDataException("It is refused.") : value;
    }
}
