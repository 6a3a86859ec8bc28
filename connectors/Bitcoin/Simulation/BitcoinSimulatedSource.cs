using System.Buffers.Binary;
using System.Globalization;
using Streams.Buffers;
using Streams.Connect;
using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>
/// Feeds the blocks of a simulation, through the reader that also reads files, at the rate of its options.
/// </summary>
/// <remarks>
/// The cursor is the number of deliveries taken, the number of records, and the hash of the last block. After
/// a restart the simulation is played again up to there, at a few hundred thousand transactions per second,
/// and goes on.
/// </remarks>
public sealed class BitcoinSimulatedSource : ISource<Bytes32, ChainTransaction>
{
    /// <summary>What configuration calls this source.</summary>
    public const string Kind = "bitcoin-simulated";

    private const string PositionKey = "position";
    private const int PositionBytes = 2 * sizeof(long) + BitcoinHash.Bytes;

    // A feed that was held up does not make up for more than this.
    private static readonly TimeSpan CatchUpMax = TimeSpan.FromSeconds(1);

    private readonly SimulationOptions _options;
    private readonly BitcoinReaderOptions _readerOptions = new() { Network = BitcoinNetwork.Regtest };
    private readonly BlockSimulator _simulator;
    private readonly BitcoinBlockReader _reader;
    private readonly BitcoinBlockIndex _index = new();
    private readonly byte[] _position = new byte[PositionBytes];
    private BlockEmitter _emitter = null!;
    private TimeProvider _clock = TimeProvider.System;
    private BitcoinHash _tip;
    private BitcoinHash _beforeTip;
    private long _opened;
    private long _paceStart;
    private double _paced;
    private long _seq;

    /// <summary>Prepares the source.</summary>
    /// <param name="options">What is simulated, and how fast.</param>
    /// <param name="truth">Takes what is injected, for an evaluation; written anew whenever a source is
    /// made.</param>
    /// <exception cref="ConfigurationException">An option is out of its range.</exception>
    public BitcoinSimulatedSource(SimulationOptions options, SimulationTruth? truth = null)
    {
        _options = options;
        _simulator = new BlockSimulator(options, truth);
        _reader = new BitcoinBlockReader(_readerOptions);
    }

    /// <inheritdoc/>
    public void Open(SourceContext context)
    {
        _clock = context.Clock;
        _emitter = new BlockEmitter(context.Name, _readerOptions.Network, () => _seq++);
        if (context.Cursor(PositionKey) is { } position)
            Resume(position);
        _opened = _clock.GetTimestamp();
        _paceStart = _opened;
    }

    /// <inheritdoc/>
    public ValueTask<SourceStatus> ReadAsync(
        SourceOutput<Bytes32, ChainTransaction> output, CancellationToken cancellation) =>
        ValueTask.FromResult(Read(output));

    /// <inheritdoc/>
    public void Dispose() => _simulator.Dispose();

    private SourceStatus Read(SourceOutput<Bytes32, ChainTransaction> output)
    {
        if (_options.Duration > TimeSpan.Zero && _clock.GetElapsedTime(_opened) >= _options.Duration)
            return SourceStatus.Done;
        if (!IsDue())
            return SourceStatus.Idle;
        if (!_simulator.TryNext(out SimulatedDelivery delivery))
            return SourceStatus.Done;
        Take(delivery, output);
        WritePosition(output);
        return SourceStatus.More;
    }

    private bool IsDue()
    {
        if (_options.TransactionsPerSecond == 0)
            return true;
        double due = _clock.GetElapsedTime(_paceStart).TotalSeconds * _options.TransactionsPerSecond;
        double most = CatchUpMax.TotalSeconds * _options.TransactionsPerSecond;
        if (due - _paced > most)
            _paced = due - most;
        return _paced <= due;
    }

    private void Take(in SimulatedDelivery delivery, SourceOutput<Bytes32, ChainTransaction> output)
    {
        output.CountBytes(delivery.Bytes.Length);
        ParseResult<BitcoinDefect> result = _reader.ReadWhole(delivery.Bytes, _index, out BitcoinBlock block);
        if (!result.IsDone)
        {
            string location = string.Create(
                CultureInfo.InvariantCulture, $"{Kind}@{_simulator.Deliveries - 1}");
            output.DeadLetter(location, result.Defect.ToString(), $"block refused: {result}", delivery.Bytes);
            output.Count("blocks_refused");
            return;
        }
        if (_index.Hash == _tip || _index.Hash == _beforeTip)
        {
            output.Skip("duplicate_block");
            output.Count("duplicate_blocks");
            return;
        }
        if (_index.Header.PreviousHash != _tip)
            throw new InvalidOperationException($"Simulated block {_index.Hash} does not follow {_tip}.");
        Advance(_index.Hash);
        _emitter.Emit(block, _index.Height ?? -1, Operation.Append, output);
        _paced += block.Count;
    }

    private void Advance(in BitcoinHash tip)
    {
        _beforeTip = _tip;
        _tip = tip;
    }

    private void WritePosition(SourceOutput<Bytes32, ChainTransaction> output)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_position, _simulator.Deliveries);
        BinaryPrimitives.WriteInt64LittleEndian(_position.AsSpan(sizeof(long)), _seq);
        _tip.CopyTo(_position.AsSpan(2 * sizeof(long)));
        output.SetCursor(PositionKey, _position);
    }

    // Plays the simulation again up to where it was.
    private void Resume(ReadOnlySpan<byte> position)
    {
        long deliveries = BinaryPrimitives.ReadInt64LittleEndian(position);
        while (_simulator.Deliveries < deliveries && _simulator.TryNext(out SimulatedDelivery delivery))
        {
            if (delivery.Kind == SimulatedDeliveryKind.Block)
                Advance(delivery.Hash);
        }
        _seq = BinaryPrimitives.ReadInt64LittleEndian(position[sizeof(long)..]);
        if (_simulator.Deliveries != deliveries || _tip != new BitcoinHash(position[(2 * sizeof(long))..]))
            throw new ConfigurationException(
                $"{Kind}: the data directory holds a simulation with other options (seed, blocks, rates " +
                    $"of injection). " +
                "Give the same as before, or use another data directory.");
    }
}
