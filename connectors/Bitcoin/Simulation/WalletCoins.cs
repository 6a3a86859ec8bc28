namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>
/// The unspent coins of ordinary wallets, in two orders: by age over all wallets, and by age within each.
/// Adding and taking cost the same however many there are.
/// </summary>
internal sealed class WalletCoins : ICoinOwner
{
    private const int None = -1;

    // How many places are tried to find a coin at random.
    private const int TriesMax = 400;

    private readonly Wallet[] _wallets;
    private Place[] _places;
    private int _used;
    private int _free = None;
    private Ends _byAge = Ends.Empty;

    internal WalletCoins(int wallets, int coins)
    {
        _wallets = new Wallet[wallets];
        _wallets.AsSpan().Fill(new Wallet { Coins = Ends.Empty });
        _places = new Place[coins];
    }

    /// <summary>Unspent coins.</summary>
    internal int Count { get; private set; }

    /// <summary>Number of wallets.</summary>
    internal int Wallets => _wallets.Length;

    /// <summary>The unspent coins of a wallet.</summary>
    internal int CountOf(int wallet) => _wallets[wallet].Count;

    /// <inheritdoc/>
    public void Receive(in Coin coin)
    {
        int at = _free;
        if (at != None)
            _free = _places[at].ByAge.Next;
        else if ((at = _used++) == _places.Length)
            Array.Resize(ref _places, 2 * _places.Length);
        ref Place place = ref _places[at];
        place.Coin = coin;
        place.IsTaken = false;
        Append(ref _byAge, at, ofWallet: false);
        ref Wallet wallet = ref _wallets[coin.Wallet];
        Append(ref wallet.Coins, at, ofWallet: true);
        wallet.Count++;
        Count++;
    }

    /// <summary>What a wallet shows whoever wants to pay it.</summary>
    internal ref WalletAddress AddressOf(int wallet) => ref _wallets[wallet].Address;

    /// <summary>Takes the oldest coin of all, where it is old enough.</summary>
    internal bool TryTakeOldest(long madeBeforeSeconds, out Coin coin) =>
        TryTake(_byAge.First, madeBeforeSeconds, out coin);

    /// <summary>Takes the oldest coin of a wallet, where it is old enough.</summary>
    internal bool TryTakeOldest(int wallet, long madeBeforeSeconds, out Coin coin) =>
        TryTake(_wallets[wallet].Coins.First, madeBeforeSeconds, out coin);

    /// <summary>Lets the oldest coin wait behind all others: its owner keeps it.</summary>
    internal void PostponeOldest()
    {
        int at = _byAge.First;
        if (at == None)
            return;
        Remove(ref _byAge, at, ofWallet: false);
        Append(ref _byAge, at, ofWallet: false);
    }

    /// <summary>Takes a coin of anybody that is old and large enough.</summary>
    /// <returns>False where a number of tries find none.</returns>
    internal bool TryTakeAny(
        SimulationRandom random, long madeBeforeSeconds, long satoshiMin, out Coin coin)
    {
        for (int i = 0; i < TriesMax && _used > 0; i++)
        {
            int at = random.Below(_used);
            ref Place place = ref _places[at];
            if (!place.IsTaken && place.Coin.TimeSeconds < madeBeforeSeconds
                && place.Coin.Satoshi >= satoshiMin)
            {
                Take(at, out coin);
                return true;
            }
        }
        coin = default;
        return false;
    }

    /// <summary>The address of a coin of anybody.</summary>
    internal SimulatedAddress AnyAddress(SimulationRandom random) =>
        _places[random.Below(_used)].Coin.Address;

    private bool TryTake(int at, long madeBeforeSeconds, out Coin coin)
    {
        if (at == None || _places[at].Coin.TimeSeconds >= madeBeforeSeconds)
        {
            coin = default;
            return false;
        }
        Take(at, out coin);
        return true;
    }

    private void Take(int at, out Coin coin)
    {
        ref Place place = ref _places[at];
        coin = place.Coin;
        ref Wallet wallet = ref _wallets[coin.Wallet];
        Remove(ref _byAge, at, ofWallet: false);
        Remove(ref wallet.Coins, at, ofWallet: true);
        wallet.Count--;
        place.IsTaken = true;
        place.ByAge.Next = _free;
        _free = at;
        Count--;
    }

    private void Append(ref Ends list, int at, bool ofWallet)
    {
        LinksOf(at, ofWallet) = new Links { Previous = list.Last, Next = None };
        if (list.Last == None)
            list.First = at;
        else
            LinksOf(list.Last, ofWallet).Next = at;
        list.Last = at;
    }

    private void Remove(ref Ends list, int at, bool ofWallet)
    {
        Links links = LinksOf(at, ofWallet);
        if (links.Previous == None)
            list.First = links.Next;
        else
            LinksOf(links.Previous, ofWallet).Next = links.Next;
        if (links.Next == None)
            list.Last = links.Previous;
        else
            LinksOf(links.Next, ofWallet).Previous = links.Previous;
    }

    private ref Links LinksOf(int at, bool ofWallet) =>
        ref ofWallet ? ref _places[at].OfWallet : ref _places[at].ByAge;

    private struct Links
    {
        internal int Previous;
        internal int Next;
    }

    private struct Ends
    {
        internal int First;
        internal int Last;

        internal static Ends Empty => new() { First = None, Last = None };
    }

    private struct Place
    {
        internal Coin Coin;
        internal Links ByAge;
        internal Links OfWallet;
        internal bool IsTaken;
    }

    private struct Wallet
    {
        internal Ends Coins;
        internal int Count;
        internal WalletAddress Address;
    }
}

/// <summary>The address that a wallet shows whoever wants to pay it.</summary>
internal struct WalletAddress
{
    /// <summary>Its number.</summary>
    internal ulong Number;

    /// <summary>How often it is going to be shown again; then comes a new one.</summary>
    internal int ReceiptsLeft;
}
