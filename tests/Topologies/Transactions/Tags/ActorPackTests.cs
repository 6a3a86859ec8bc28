using Streams.Topologies.Transactions.Tags;
using Xunit;

namespace Streams.Tests.Topologies.Transactions.Tags;

public sealed class ActorPackTests : IDisposable
{
    private const string Tags =
        "{currency: BTC, label: X, tags: [{address: a1, actor: one}, {address: a2, actor: who}]}";

    private readonly TagFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("jurisdictions: [MT, US]", "MT")]
    [InlineData("jurisdictions: AT", "AT")]
    [InlineData("jurisdictions: []", null)]
    [InlineData("jurisdictions:", null)]
    [InlineData("categories: [exchange]", null)]
    public void A_tag_takes_the_first_jurisdiction_of_its_actor(string field, string? country)
    {
        LoadedTags tags = Load($"actors:\n- id: one\n  label: One\n  {field}\n");
        Assert.Equal(country, tags.Table.Of("a1").Country.Or());
        Assert.Equal("one", tags.Table.Of("a1").Actor.Or());
        Assert.Null(tags.Table.Of("a2").Country);
        Assert.Equal(1, tags.Report.TagsOfUnknownActor);
        Assert.Equal((1, country is null ? 0 : 1), (tags.Report.Actors, tags.Report.ActorsWithCountry));
    }

    [Theory]
    [InlineData("title: x\n", "actors.yaml: has no list `actors`, so it is not an actor pack. ")]
    [InlineData("actors: 1\n", "actors.yaml, line 1: has no list `actors`, so it is not an actor pack. ")]
    [InlineData("actors: []\nactors: []\n", "actors.yaml, line 2: has a second `actors` list. ")]
    [InlineData("actors:\n- one\n", "actors.yaml, line 2: has an actor that is not a mapping of fields. ")]
    [InlineData("actors:\n- label: One\n", "actors.yaml, line 2: has an actor without `id`. ")]
    [InlineData("actors:\n- id: [a]\n", "actors.yaml, line 2: has an actor whose `id` is not text. ")]
    [InlineData("actors:\n- id: a\n  jurisdictions: [Malta]\n", "actors.yaml, line 2: has jurisdiction ")]
    [InlineData("actors: [{id: a}, {id: a, jurisdictions: [US]}]\n", "actors.yaml: has another actor 'a'")]
    public void A_bad_actor_pack_is_refused(string content, string refusal) =>
        Assert.StartsWith(refusal, _folder.Refusal(() => Load(content)), StringComparison.Ordinal);

    [Fact]
    public void An_actor_may_be_described_twice_in_the_same_words() =>
        Assert.Equal(1, Load("actors:\n- id: a\n- id: a\n").Report.Actors);

    private LoadedTags Load(string actors) => TagLoader.Load(new TagOptions
    {
        Packs = [_folder.Write("pack.yaml", Tags)],
        ActorPacks = [_folder.Write("actors.yaml", actors)],
    });
}
