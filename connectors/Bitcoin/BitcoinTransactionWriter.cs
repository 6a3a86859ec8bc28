using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>Writes transactions, the inverse of <see cref="BitcoinTransactionReader"/>.</summary>
/// <remarks>
/// Reusable, and allocates nothing once its buffers have grown: start, add inputs and outputs in any order,
/// finish. It writes what it is told and checks no rule, so that it can also write what a rule must refuse.
/// Not thread-safe. Source: BIP144.
/// </remarks>
public sealed class BitcoinTransactionWriter : IDisposable
{
    private readonly PooledBuffer _inputs = new();
    private readonly PooledBuffer _outputs = new();
    private readonly PooledBuffer _witnesses = new();
    private uint _version;
    private int _inputCount;
    private int _outputCount;
    private int _witnessItemsDue;
    private bool _hasWitness;

    /// <summary>Begins a transaction; anything unfinished is dropped.</summary>
    public void Start(uint version)
    {
        _version = version;
        _inputs.Clear();
        _outputs.Clear();
        _witnesses.Clear();
        _inputCount = 0;
        _outputCount = 0;
        _witnessItemsDue = 0;
        _hasWitness = false;
    }

    /// <summary>Adds an input.</summary>
    /// <param name="previousTxId">The transaction whose output is spent.</param>
    /// <param name="previousOutput">Which of its outputs.</param>
    /// <param name="script">The script that unlocks it.</param>
    /// <param name="sequence">The sequence number.</param>
    /// <param name="witnessItems">How often <see cref="AddWitnessItem"/> follows for this input.</param>
    /// <exception cref="InvalidOperationException">The input before lacks witness items.</exception>
    public void AddInput(
        in BitcoinHash previousTxId, uint previousOutput, ReadOnlySpan<byte> script, uint sequence,
        int witnessItems = 0)
    {
        RequireNoWitnessDue();
        previousTxId.CopyTo(_inputs.Append(BitcoinHash.Bytes));
        WriteUInt32(_inputs, previousOutput);
        WriteSized(_inputs, script);
        WriteUInt32(_inputs, sequence);
        WriteCompactSize(_witnesses, (ulong)witnessItems);
        _inputCount++;
        _witnessItemsDue = witnessItems;
        _hasWitness |= witnessItems > 0;
    }

    /// <summary>Adds an item to the witness of the last input, bottom first.</summary>
    /// <exception cref="InvalidOperationException">The input has all the items that it announced.</exception>
    public void AddWitnessItem(ReadOnlySpan<byte> item)
    {
        if (_witnessItemsDue == 0)
            throw new InvalidOperationException("The input announced no more witness items.");
        _witnessItemsDue--;
        WriteSized(_witnesses, item);
    }

    /// <summary>Adds an output.</summary>
    /// <param name="satoshi">The amount.</param>
    /// <param name="script">The script that locks it.</param>
    public void AddOutput(long satoshi, ReadOnlySpan<byte> script)
    {
        _outputs.WriteInt64(satoshi);
        WriteSized(_outputs, script);
        _outputCount++;
    }

    /// <summary>Adds every input and output of another transaction.</summary>
    public void AddAll(in BitcoinTransaction transaction)
    {
        foreach (BitcoinInput input in transaction.Inputs)
        {
            AddInput(
                input.PreviousTxId, input.PreviousOutput, input.Script, input.Sequence, input.Witness.Count);
            foreach (ReadOnlySpan<byte> item in input.Witness)
                AddWitnessItem(item);
        }
        foreach (BitcoinOutput output in transaction.Outputs)
            AddOutput(output.Satoshi, output.Script);
    }

    /// <summary>Appends the whole transaction to <paramref name="destination"/>.</summary>
    /// <exception cref="InvalidOperationException">The last input lacks witness items.</exception>
    public void Finish(uint lockTime, PooledBuffer destination)
    {
        RequireNoWitnessDue();
        WriteUInt32(destination, _version);
        if (_hasWitness)
            destination.Write(WitnessMarker);
        WriteCompactSize(destination, (ulong)_inputCount);
        destination.Write(_inputs.WrittenSpan);
        WriteCompactSize(destination, (ulong)_outputCount);
        destination.Write(_outputs.WrittenSpan);
        if (_hasWitness)
            destination.Write(_witnesses.WrittenSpan);
        WriteUInt32(destination, lockTime);
    }

    /// <summary>Returns the memory to the pool.</summary>
    public void Dispose()
    {
        _inputs.Dispose();
        _outputs.Dispose();
        _witnesses.Dispose();
    }

    /// <summary>Appends a count or a length.</summary>
    internal static void WriteCompactSize(PooledBuffer destination, ulong value) =>
        CompactSize.Write(destination.Append(CompactSize.Size(value)), value);

    private static ReadOnlySpan<byte> WitnessMarker => [0x00, 0x01];

    private static void WriteSized(PooledBuffer destination, ReadOnlySpan<byte> bytes)
    {
        WriteCompactSize(destination, (ulong)bytes.Length);
        destination.Write(bytes);
    }

    private static void WriteUInt32(PooledBuffer destination, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(destination.Append(sizeof(uint)), value);

    private void RequireNoWitnessDue()
    {
        if (_witnessItemsDue > 0)
            throw new InvalidOperationException($"The last input lacks {_witnessItemsDue} witness items.");
    }
}
