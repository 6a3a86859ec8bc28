using Streams.Buffers;
using Streams.Connect;
using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Connectors.Bitcoin;

/// <summary>
/// Reads blocks from files in the order in which they stand there, follows the branch with the most work, and
/// emits a record for each transaction that joins or leaves the chain.
/// </summary>
/// <remarks>
/// The cursor is, for each file, the position up to which it was taken, and for each chain the block up to
/// which it was followed; headers are read again at the start. A block whose predecessor stands later in the
/// files waits for it; one whose predecessor stands nowhere begins a chain of its own.
/// </remarks>
public sealed class BitcoinFilesSource : ISource<Bytes32, ChainTransaction>
{
    private readonly BitcoinFilesOptions _options;
    private readonly BitcoinReaderOptions _readerOptions;
    private readonly BlockFiles _files;
    private readonly BlockTree _tree = new();
    private readonly Dictionary<BitcoinHash, int> _coming = [];
    private readonly BlockFrames _frames;
    private readonly BitcoinBlockReader _reader;
    private readonly BitcoinBlockIndex _index = new();
    private readonly Queue<(int Node, Operation Op)> _steps = new();
    private BlockEmitter _emitter = null!;
    private FilesCursor _cursor = null!;
    private int _current;
    private long _nextPollTicks;

    /// <summary>Prepares the source.</summary>
    /// <exception cref="ConfigurationException">An option is out of its range.</exception>
    public BitcoinFilesSource(BitcoinFilesOptions options)
    {
        _options = options;
        _readerOptions = options.ReaderOptions();
        _files = new BlockFiles(options.Files);
        _frames = new BlockFrames(_readerOptions);
        _reader = new BitcoinBlockReader(_readerOptions);
    }

    /// <inheritdoc/>
    public void Open(SourceContext context)
    {
        _cursor = new FilesCursor(context);
        _emitter = new BlockEmitter(context.Name, _readerOptions.Network, _cursor.NextSeq);
        ScanNewFiles();
        if (_files.All.Count == 0)
            throw new ConfigurationException($"bitcoin-files: no file matches {_files}.");
        Resume();
    }

    /// <inheritdoc/>
    public ValueTask<SourceStatus> ReadAsync(
        SourceOutput<Bytes32, ChainTransaction> output, CancellationToken cancellation)
    {
        if (_steps.Count > 0)
            TakeStep(output);
        else if (!ReadFrame(output))
            return ValueTask.FromResult(AtEnd(output));
        _cursor.WriteSeq(output);
        return ValueTask.FromResult(SourceStatus.More);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _files.Dispose();
        _frames.Dispose();
    }

    private SourceStatus AtEnd(SourceOutput<Bytes32, ChainTransaction> output)
    {
        if (!_options.Follow)
        {
            output.Skip("empty_file", _files.All.Count(f => f.Length == 0));
            return SourceStatus.Done;
        }
        if (Environment.TickCount64 < _nextPollTicks)
            return SourceStatus.Idle;
        _nextPollTicks = Environment.TickCount64 + (long)_options.PollInterval.TotalMilliseconds;
        ScanNewFiles();
        return SourceStatus.Idle;
    }

    // Notes which blocks there are, so that one that arrives before its predecessor is told from one that has
    // none.
    private void ScanNewFiles()
    {
        var scan = new BlockHeaderScan(_readerOptions);
        foreach (BlockFile file in _files.Refresh())
        {
            file.Position = _cursor.PositionOf(file);
            file.IsFramed = file.DetectFrames(_readerOptions.Network);
            file.ScannedBytes = file.Length;
            scan.Run(file, file.Position, file.ScannedBytes, (in hash, in _, in _) =>
                _coming[hash] = _coming.GetValueOrDefault(hash) + 1);
        }
    }

    // Rebuilds the tree from the headers of what was taken, and finds out what was still to be done.
    private void Resume()
    {
        var scan = new BlockHeaderScan(_readerOptions);
        foreach (BlockFile file in _files.All)
        {
            scan.Run(file, 0, file.Position, (in hash, in header, in place) =>
            {
                if (_tree.Find(hash) < 0 && !_cursor.IsInvalid(file, place.Position))
                    Link(_tree.Add(hash, header, place), root: _cursor.IsRoot(hash), _cursor.HeightOf(hash));
            });
        }
        foreach ((BitcoinHash root, BitcoinHash? tip) in _cursor.Tips)
        {
            int node = _tree.Find(root);
            if (node < 0)
                throw new ConfigurationException(
                    $"bitcoin-files: block {root}, which was read before, is in none of the files that " +
                        $"match {_files}. " +
                    "Put its file back, or use another data directory.");
            _tree.SetTip(node, tip is { } hash ? _tree.Find(hash) : -1);
            Plan(node, Enumerable.Range(0, _tree.Count));
        }
    }

    // Reads the next stretch of a file; false at the end of all of them.
    private bool ReadFrame(SourceOutput<Bytes32, ChainTransaction> output)
    {
        for (; _current < _files.All.Count; _current++)
        {
            BlockFile file = _files[_current];
            // A node writes to its last file only.
            bool mayGrow = _options.Follow && _current == _files.All.Count - 1;
            if (file.Position < file.Length && _frames.TryRead(file, mayGrow, out BlockFrame frame))
            {
                Take(file, frame, output);
                _cursor.WritePosition(output, file);
                return true;
            }
            if (mayGrow)
                break;
        }
        return false;
    }

    private void Take(BlockFile file, in BlockFrame frame, SourceOutput<Bytes32, ChainTransaction> output)
    {
        string location = $"{file.Name}@{file.Position}";
        switch (frame.Kind)
        {
            case BlockFileItemKind.Padding:
                output.Skip("padding");
                Advance(file, frame.Raw.Length, output);
                break;
            case BlockFileItemKind.Garbage:
                output.DeadLetter(location, frame.Defect.ToString(), "bytes between blocks", frame.Raw);
                Advance(file, frame.Raw.Length, output);
                break;
            default:
                TakeBlock(file, frame, location, output);
                break;
        }
    }

    private void TakeBlock(
        BlockFile file, in BlockFrame frame, string location, SourceOutput<Bytes32, ChainTransaction> output)
    {
        ParseResult<BitcoinDefect> result = _reader.ReadWhole(frame.Block, _index, out BitcoinBlock block);
        var place = new BlockPlace(
            file.Number, file.Position + frame.Raw.Length - frame.Block.Length, frame.Block.Length);
        if (!result.IsDone)
        {
            Refuse(file, frame, place, result, location, output);
            return;
        }
        Advance(file, frame.Raw.Length, output);
        if (_tree.Find(_index.Hash) >= 0)
        {
            output.Skip("duplicate_block");
            output.Count("duplicate_blocks");
            return;
        }
        int node = _tree.Add(_index.Hash, _index.Header, place);
        bool isRoot = _tree.Find(_index.Header.PreviousHash) < 0
            && !MayCome(_index.Header.PreviousHash, file, place);
        Arrived(_index.Hash);
        int height = _index.Header.PreviousHash.IsZero ? 0 : _index.Height ?? -1;
        if (isRoot)
            _cursor.WriteRoot(output, _index.Hash, height);
        List<int> linked = Link(node, isRoot, height);
        if (linked.Count == 0)
        {
            output.Count("blocks_held");
            return;
        }
        Plan(_tree[node].Root, linked);
        if (_steps.Count > 0 && _steps.Peek() == (node, Operation.Append))
            Emit(_steps.Dequeue(), block, output);
        else if (_steps.Count == 0)
            output.Count("blocks_stale");
    }

    // What follows a refused block had it as predecessor and gets no other: it begins a chain of its own.
    private void Refuse(
        BlockFile file, in BlockFrame frame, in BlockPlace place, ParseResult<BitcoinDefect> result,
        string location,
        SourceOutput<Bytes32, ChainTransaction> output)
    {
        // Where no frame follows, the length may be what is damaged: then only the frame's head is passed
        // over.
        int refused = _frames.IsFollowedByFrame(file, frame) ? frame.Raw.Length
            : BitcoinBlockFileReader.FrameBytes;
        output.DeadLetter(
            location, result.Defect.ToString(), $"block refused: {result}", frame.Raw[..refused]);
        output.Count("blocks_refused");
        Advance(file, refused, output);
        if (BitcoinHeader.TryRead(frame.Block, out BitcoinHeader header).IsDone)
        {
            BitcoinHash hash = header.ComputeHash();
            _cursor.WriteInvalid(output, file, place.Position);
            if (Arrived(hash) || _tree.Find(hash) >= 0)
                return;
            foreach (int orphan in _tree.TakeWaiting(hash))
            {
                _cursor.WriteRoot(output, _tree[orphan].Hash, -1);
                Plan(orphan, Link(orphan, root: true, height: -1));
            }
        }
    }

    // Whether a block can still arrive. What was not there at the start may come when following a node that
    // writes.
    private bool MayCome(in BitcoinHash hash, BlockFile file, in BlockPlace place) =>
        _coming.ContainsKey(hash)
            || (_options.Follow && _tree.Tips.Count > 0 && place.Position >= file.ScannedBytes);

    // Notes that a copy of a block arrived; whether another one is to come.
    private bool Arrived(in BitcoinHash hash)
    {
        int left = _coming.GetValueOrDefault(hash) - 1;
        if (left > 0)
            _coming[hash] = left;
        else
            _coming.Remove(hash);
        return left > 0;
    }

    private static void Advance(BlockFile file, int bytes, SourceOutput<Bytes32, ChainTransaction> output)
    {
        file.Position += bytes;
        output.CountBytes(bytes);
    }

    // Links a block, and those that waited for it; none where it has to wait itself.
    private List<int> Link(int node, bool root, int height)
    {
        int parent = _tree.Find(_tree[node].Previous);
        var linked = new List<int>();
        if (root)
            _tree.LinkRoot(node, height);
        else if (parent >= 0 && _tree[parent].IsConnected)
            _tree.Link(node, parent);
        else
        {
            _tree.Hold(node);
            return linked;
        }
        linked.Add(node);
        for (int i = 0; i < linked.Count; i++)
        {
            foreach (int waiting in _tree.TakeWaiting(_tree[linked[i]].Hash))
            {
                _tree.Link(waiting, linked[i]);
                linked.Add(waiting);
            }
        }
        return linked;
    }

    private void Plan(int root, IEnumerable<int> candidates)
    {
        ChainStep step = _tree.PathToHeaviest(root, candidates);
        if (step.Retract.Count > _options.FinalityBlocks)
            throw new ReorganisationTooDeepException(
                _tree[step.Retract[0]].Hash.ToString(), step.Retract.Count, _options.FinalityBlocks);
        foreach (int node in step.Retract)
            _steps.Enqueue((node, Operation.Retract));
        foreach (int node in step.Append)
            _steps.Enqueue((node, Operation.Append));
    }

    private void TakeStep(SourceOutput<Bytes32, ChainTransaction> output)
    {
        (int Node, Operation Op) step = _steps.Dequeue();
        BlockPlace place = _tree[step.Node].Place;
        ReadOnlySpan<byte> bytes = _frames.ReadAgain(_files[place.File], place);
        if (!_reader.ReadWhole(bytes, _index, out BitcoinBlock block).IsDone
            || _index.Hash != _tree[step.Node].Hash)
            throw new UnavailableException(
                $"bitcoin-files: {_files[place.File].Path} changed at byte {place.Position} while it was " +
                    $"being read.");
        Emit(step, block, output);
    }

    private void Emit(
        (int Node, Operation Op) step, in BitcoinBlock block, SourceOutput<Bytes32, ChainTransaction> output)
    {
        ref BlockNode node = ref _tree[step.Node];
        _emitter.Emit(block, node.Height, step.Op, output);
        int tip = step.Op == Operation.Append ? step.Node : node.Parent;
        _tree.SetTip(node.Root, tip);
        _cursor.WriteTip(output, _tree[node.Root].Hash, tip < 0 ? null : _tree[tip].Hash);
    }
}

/// <summary>A branch overtook the chain from deeper down than is followed.</summary>
public sealed class ReorganisationTooDeepException(string tip, int blocks, int finality) : Exception(
    $"A branch with more work replaces {blocks} blocks up to {tip}; at most {finality} are followed " +
        $"(finality_blocks). " +
    "Raise finality_blocks and process the files again into a new data directory.");
