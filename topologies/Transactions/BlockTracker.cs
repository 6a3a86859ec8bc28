using System.Buffers.Binary;
using Streams.Connectors.Chain;
using Streams.Dsl;
using Streams.Records;
using Streams.State;

namespace Streams.Topologies.Transactions;

/// <summary>
/// Opens a savepoint of the task's state for each block, and rolls back to it when the block leaves the
/// chain.
/// </summary>
/// <remarks>
/// A block is retracted as it was appended: its transactions come again, in block order, marked. The state is
/// first rolled back to before the block, then they are processed as they were then, so that what follows
/// from them comes out the same, marked, and then the state is rolled back once more. It stands before the
/// deduplication, so that what was seen in a block is forgotten with it.
/// </remarks>
internal sealed class BlockTracker(int finalityBlocks, SideOutput<Bytes32, RolledBackEntry> rolledBack)
    : IProcessor<Bytes32, ChainTransaction, Bytes32, ChainTransaction>
{
    internal const string Store = "blocks";

    private const int SavepointBytes = 4;

    // The block that records are coming from: operation, savepoint, hash.
    private static readonly byte[] CurrentKey = "current"u8.ToArray();

    private readonly SortedList<uint, Bytes32> _kept = [];
    private ProcessorContext<Bytes32, ChainTransaction> _context = null!;
    private Forwarder<Bytes32, RolledBackEntry> _observer;
    private BytesStore _blocks = null!;
    private Bytes32 _hash;
    private Operation _op;
    private uint _savepoint;
    private bool _loaded;

    public void Init(ProcessorContext<Bytes32, ChainTransaction> context)
    {
        _context = context;
        _blocks = context.GetStore<BytesStore>(Store);
        _observer = context.Output(rolledBack);
    }

    public void Process(in Record<Bytes32, ChainTransaction> record)
    {
        if (!record.HasValue)
            return;
        if (!_loaded)
            Load();
        if (record.Value.BlockHash is { } hash && (hash != _hash || record.Value.Op != _op))
            Enter(hash, record.Value.Op, record.TimestampMs);
        _context.Forward(record);
    }

    private void Enter(in Bytes32 hash, Operation op, long timestampMs)
    {
        if (_op == Operation.Retract)
            _context.Savepoints.Rollback(_savepoint);
        if (op == Operation.Append)
            BeginBlock(hash);
        else
            RollBackBlock(hash, timestampMs);
        _hash = hash;
        _op = op;
        Save();
    }

    private void BeginBlock(in Bytes32 hash)
    {
        // A block that comes again, from a feed that repeats itself, changes nothing: its transactions are
        // dropped.
        if (_blocks.TryGet(hash.Span, out _))
            return;
        _savepoint = _context.Savepoints.Begin();
        BinaryPrimitives.WriteUInt32LittleEndian(_blocks.Put(hash.Span, SavepointBytes, out _), _savepoint);
        _kept.Add(_savepoint, hash);
        while (_kept.Count > finalityBlocks)
        {
            Bytes32 final = _kept.GetValueAtIndex(0);
            _blocks.Delete(final.Span);
            _kept.RemoveAt(0);
        }
        _context.Savepoints.Release(_kept.GetKeyAtIndex(0));
    }

    private void RollBackBlock(in Bytes32 hash, long timestampMs)
    {
        uint newest = _kept.Count == 0 ? 0 : _kept.GetKeyAtIndex(_kept.Count - 1);
        if (!_blocks.TryGet(hash.Span, out ReadOnlySpan<byte> value)
            || BinaryPrimitives.ReadUInt32LittleEndian(value) != newest)
            throw new InvalidOperationException(
                $"Block {hash} leaves the chain, and it is not the last of the {_kept.Count} blocks that " +
                    $"can be undone " +
                $"(finality_blocks: {finalityBlocks}). Raise it and process the input again into a new " +
                    $"data directory.");
        _context.Savepoints.Rollback(
            newest, (store, key) => _observer.Forward(new Record<Bytes32, RolledBackEntry>(
                default, new RolledBackEntry(store, key.ToArray()), timestampMs)));
        _blocks.Delete(hash.Span);
        _kept.Remove(newest);
        _savepoint = _context.Savepoints.Begin();
    }

    private void Save()
    {
        Span<byte> value = _blocks.Put(CurrentKey, 1 + SavepointBytes + Bytes32.Size, out _);
        value[0] = (byte)_op;
        BinaryPrimitives.WriteUInt32LittleEndian(value[1..], _savepoint);
        _hash.Span.CopyTo(value[(1 + SavepointBytes)..]);
    }

    private void Load()
    {
        _loaded = true;
        foreach ((byte[] key, byte[] value) in _blocks.All())
        {
            if (key.Length == Bytes32.Size)
                _kept.Add(BinaryPrimitives.ReadUInt32LittleEndian(value), new Bytes32(key));
        }
        if (!_blocks.TryGet(CurrentKey, out ReadOnlySpan<byte> current))
            return;
        _op = (Operation)current[0];
        _savepoint = BinaryPrimitives.ReadUInt32LittleEndian(current[1..]);
        _hash = new Bytes32(current[(1 + SavepointBytes)..]);
    }
}

/// <summary>An entry of a store that a rollback set back.</summary>
internal readonly record struct RolledBackEntry(string Store, byte[] Key);
