using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Topologies.Transactions.Prices;

/// <summary>Prices of coins in dollars, each from an instant on until the next: immutable, looked up without
/// allocating, from any number of threads.</summary>
/// <remarks>Whole numbers throughout: a price has 18 decimals, so that none that people write is
/// rounded.</remarks>
public sealed class PriceTable
{
    /// <summary>Decimals of a price.</summary>
    internal const int Decimals = 18;

    private const string Bitcoin = "BTC";
    private const int DigestDigits = 12;

    private readonly long[] _fromMs;
    private readonly Int128[] _prices;
    private readonly long _ageMaxMs;

    internal PriceTable(SortedDictionary<(string Asset, long FromSeconds), Int128> prices, TimeSpan ageMax)
    {
        var bitcoin = prices.Where(price => price.Key.Asset == Bitcoin).ToList();
        _fromMs = [.. bitcoin.Select(price => price.Key.FromSeconds * 1000)];
        _prices = [.. bitcoin.Select(price => price.Value)];
        _ageMaxMs = (long)ageMax.TotalMilliseconds;
        Count = prices.Count;
        Digest = ComputeDigest(prices);
        if (Count > 0)
            Version = new Text($"prices-{Digest.ToString()[..DigestDigits]}");
    }

    /// <summary>The table without any price: every limit is in base units.</summary>
    public static PriceTable Empty { get; } = new([], TimeSpan.Zero);

    /// <summary>Number of prices, of all assets.</summary>
    public int Count { get; }

    /// <summary>SHA-256 of the content: the same for the same prices, whatever the order of rows.</summary>
    public Bytes32 Digest { get; }

    /// <summary>What records name the table by: <c>prices-</c> and twelve digits of the digest; absent where
    /// there is none.</summary>
    public Text? Version { get; }

    /// <summary>Finds the price of a chain's coin: the last one that began by then, unless it is too
    /// old.</summary>
    /// <param name="chain">The chain. Coins of test networks have no price.</param>
    /// <param name="network">Its network.</param>
    /// <param name="timeMs">Event time, Unix milliseconds.</param>
    /// <param name="near">Where the last price was found; events that follow each other find theirs at
    /// once.</param>
    /// <returns>Dollars for one coin with 18 decimals; 0 where no price is known.</returns>
    internal Int128 Find(ChainKind chain, Network network, long timeMs, ref int near)
    {
        if (_fromMs.Length == 0 || chain != ChainKind.Bitcoin || network != Network.Mainnet)
            return 0;
        if (!Holds(near, timeMs))
        {
            int found = Array.BinarySearch(_fromMs, timeMs);
            near = found >= 0 ? found : ~found - 1;
            if (near < 0)
            {
                near = 0;
                return 0;
            }
        }
        return timeMs - _fromMs[near] <= _ageMaxMs ? _prices[near] : 0;
    }

    private bool Holds(int at, long timeMs) =>
        timeMs >= _fromMs[at] && (at + 1 == _fromMs.Length || timeMs < _fromMs[at + 1]);

    private static Bytes32 ComputeDigest(SortedDictionary<(string Asset, long FromSeconds), Int128> prices)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("streams-prices-1\n"u8);
        Span<byte> row = stackalloc byte[sizeof(long) + 16];
        foreach (((string asset, long from), Int128 price) in prices)
        {
            byte[] name = Encoding.UTF8.GetBytes(asset);
            hash.AppendData([(byte)name.Length]);
            hash.AppendData(name);
            BinaryPrimitives.WriteInt64BigEndian(row, from);
            BinaryPrimitives.WriteInt128BigEndian(row[sizeof(long)..], price);
            hash.AppendData(row);
        }
        return new Bytes32(hash.GetHashAndReset());
    }
}
