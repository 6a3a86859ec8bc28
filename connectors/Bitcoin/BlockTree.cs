namespace Streams.Connectors.Bitcoin;

/// <summary>Where the bytes of a block stand.</summary>
/// <param name="File">Number of the file.</param>
/// <param name="Position">Bytes from the file's start to the block, behind its frame.</param>
/// <param name="Bytes">Length of the block.</param>
internal readonly record struct BlockPlace(int File, long Position, int Bytes);

/// <summary>A block of the tree.</summary>
internal struct BlockNode
{
    internal BitcoinHash Hash;
    internal BitcoinHash Previous;
    internal ChainWork Work;
    internal BlockPlace Place;

    /// <summary>The node before it; -1 for a root.</summary>
    internal int Parent;

    /// <summary>The root that it descends from.</summary>
    internal int Root;

    /// <summary>Its height; -1 where nobody knows.</summary>
    internal int Height;

    internal bool IsConnected;
}

/// <summary>What has to happen to a chain.</summary>
/// <param name="Retract">Blocks that leave it, newest first.</param>
/// <param name="Append">Blocks that join it, oldest first.</param>
internal readonly record struct ChainStep(IReadOnlyList<int> Retract, IReadOnlyList<int> Append)
{
    /// <summary>Nothing changes.</summary>
    internal static ChainStep None => new([], []);
}

/// <summary>
/// The blocks that were seen, linked by the hash before. Of the branches of a root the one with the most work
/// is the chain; of equals the one that was first. Blocks without a common root are chains of their own.
/// </summary>
internal sealed class BlockTree
{
    private readonly Dictionary<BitcoinHash, int> _byHash = [];
    private readonly Dictionary<BitcoinHash, List<int>> _waiting = [];
    private readonly Dictionary<int, int> _tips = [];
    private BlockNode[] _nodes = new BlockNode[1024];

    /// <summary>Number of blocks.</summary>
    internal int Count { get; private set; }

    /// <summary>The tip of each chain, by its root.</summary>
    internal IReadOnlyDictionary<int, int> Tips => _tips;

    internal ref BlockNode this[int node] => ref _nodes[node];

    /// <summary>The block of a hash; -1 where it was not seen.</summary>
    internal int Find(in BitcoinHash hash) => _byHash.GetValueOrDefault(hash, -1);

    /// <summary>Adds a block that was not seen yet; it is connected to nothing.</summary>
    internal int Add(in BitcoinHash hash, in BitcoinHeader header, in BlockPlace place)
    {
        if (Count == _nodes.Length)
            Array.Resize(ref _nodes, Count * 2);
        _nodes[Count] = new BlockNode
        {
            Hash = hash,
            Previous = header.PreviousHash,
            Work = header.Work,
            Place = place,
            Parent = -1,
            Root = -1,
            Height = -1,
        };
        _byHash.Add(hash, Count);
        return Count++;
    }

    /// <summary>Makes a block the root of a chain of its own, whose tip is nothing yet.</summary>
    internal void LinkRoot(int node, int height)
    {
        ref BlockNode root = ref _nodes[node];
        root.IsConnected = true;
        root.Root = node;
        root.Height = height;
        _tips[node] = -1;
    }

    /// <summary>Links a block to the one before it, which is connected.</summary>
    internal void Link(int node, int parent)
    {
        ref BlockNode block = ref _nodes[node];
        block.Parent = parent;
        block.Root = _nodes[parent].Root;
        block.Work += _nodes[parent].Work;
        block.Height = _nodes[parent].Height < 0 ? -1 : _nodes[parent].Height + 1;
        block.IsConnected = true;
    }

    /// <summary>Says how far a chain was followed; -1 for not at all.</summary>
    internal void SetTip(int root, int tip) => _tips[root] = tip;

    /// <summary>Keeps a block until the one before it arrives.</summary>
    internal void Hold(int node)
    {
        BitcoinHash previous = _nodes[node].Previous;
        if (!_waiting.TryGetValue(previous, out List<int>? waiting))
            _waiting.Add(previous, waiting = []);
        waiting.Add(node);
    }

    /// <summary>Takes the blocks that waited for one.</summary>
    internal IReadOnlyList<int> TakeWaiting(in BitcoinHash hash) =>
        _waiting.Remove(hash, out List<int>? waiting) ? waiting : [];

    /// <summary>What leads from how far a chain was followed to the tip with the most work.</summary>
    /// <param name="root">The chain's root.</param>
    /// <param name="candidates">The blocks that could be that tip, in the order in which they were
    /// seen.</param>
    internal ChainStep PathToHeaviest(int root, IEnumerable<int> candidates)
    {
        int tip = _tips[root];
        int heaviest = tip;
        foreach (int node in candidates)
        {
            if (_nodes[node].IsConnected && _nodes[node].Root == root
                && (heaviest < 0 || _nodes[node].Work > _nodes[heaviest].Work))
                heaviest = node;
        }
        return heaviest == tip ? ChainStep.None : Path(tip, heaviest);
    }

    // From one tip back to where the branches part, and on to the other; -1 stands before a root.
    private ChainStep Path(int from, int to)
    {
        var retract = new List<int>();
        var append = new List<int>();
        while (from != to)
        {
            if (from >= 0 && (to < 0 || Depth(from) >= Depth(to)))
            {
                retract.Add(from);
                from = _nodes[from].Parent;
            }
            else
            {
                append.Add(to);
                to = _nodes[to].Parent;
            }
        }
        append.Reverse();
        return new ChainStep(retract, append);
    }

    // Where heights are not known the distance from the root serves as well.
    private int Depth(int node)
    {
        if (_nodes[node].Height >= 0)
            return _nodes[node].Height;
        int depth = 0;
        for (int at = _nodes[node].Parent; at >= 0; at = _nodes[at].Parent)
            depth++;
        return depth;
    }
}
