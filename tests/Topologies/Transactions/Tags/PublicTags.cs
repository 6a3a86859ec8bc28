using Streams.Tests.Support;
using Streams.Topologies.Transactions.Tags;

namespace Streams.Tests.Topologies.Transactions.Tags;

/// <summary>The public packs, actors and sanctions lists, loaded once for all tests that read them.</summary>
internal static class PublicTags
{
    private static readonly Lazy<LoadedTags> LazyBitcoin = new(() => TagLoader.Load(Options("BTC")));
    private static readonly Lazy<LoadedTags> LazyEthereum = new(() => TagLoader.Load(Options("ETH")));

    public static LoadedTags Bitcoin => LazyBitcoin.Value;

    public static LoadedTags Ethereum => LazyEthereum.Value;

    /// <summary>The files; skips the running test where they are absent.</summary>
    public static TagOptions Options(string currency) => new()
    {
        Currencies = [currency],
        Packs = [SharedData.Path("tags/graphsense/packs")],
        ActorPacks = [SharedData.Path("tags/graphsense/actors")],
        SanctionLists = [SharedData.Path("tags/ofac")],
    };
}
