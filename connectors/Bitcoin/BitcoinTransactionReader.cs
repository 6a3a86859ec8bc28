using System.Buffers;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>Reads transactions as the network carries them, with or without witnesses.</summary>
/// <remarks>
/// <code>
/// version 4 | [marker 00, flag 01] | inputs | outputs | [one witness per input] | lock time 4
/// input:   previous transaction 32 | output number 4 | script | sequence 4
/// output:  value 8 | script
/// witness: count | items
/// </code>
/// A list is a count and its elements; a script or an item is a length and its bytes; integers are
/// little-endian. It accepts what Bitcoin Core's deserialiser accepts and refuses what that refuses; whether
/// a transaction makes sense is the matter of <see cref="BitcoinTransactionRules"/>.
/// Sources: Bitcoin developer reference, "Raw Transaction Format"; BIP144 (witness serialisation).
/// </remarks>
public static class BitcoinTransactionReader
{
    // 32 + 4 + an empty script's length + 4.
    private const int InputBytesMin = 41;

    // 8 + an empty script's length.
    private const int OutputBytesMin = 9;

    private const int VersionBytes = 4;
    private const int OutpointBytes = 36;
    private const int SequenceBytes = 4;
    private const int ValueBytes = 8;
    private const int LockTimeBytes = 4;
    private const int LinearBytesMin = 4 * 1024;

    /// <summary>Reads one transaction from the start of contiguous bytes.</summary>
    /// <param name="source">Bytes that begin with a transaction; more may follow it.</param>
    /// <param name="transactionBytesMax">The largest transaction that is waited for.</param>
    /// <param name="transaction">A view of <paramref name="source"/>, when Done; its
    /// <see cref="BitcoinTransaction.Raw"/> says how many bytes it took.</param>
    /// <returns>Done, NeedMoreData, or Invalid with the offset from the transaction's first byte.</returns>
    public static ParseResult<BitcoinDefect> TryRead(
        ReadOnlySpan<byte> source, int transactionBytesMax, out BitcoinTransaction transaction)
    {
        ParseResult<BitcoinDefect> result =
            TryReadLayout(source, transactionBytesMax, out BitcoinTransactionLayout layout);
        transaction = result.IsDone ? new BitcoinTransaction(source[..layout.Bytes], layout) : default;
        return result;
    }

    /// <summary>Reads bytes that must be one transaction and nothing else, as an RPC or ZMQ body.</summary>
    /// <returns>Done or Invalid; the end of the bytes is final here.</returns>
    public static ParseResult<BitcoinDefect> ReadWhole(
        ReadOnlySpan<byte> source, int transactionBytesMax, out BitcoinTransaction transaction)
    {
        ParseResult<BitcoinDefect> result = TryRead(source, transactionBytesMax, out transaction);
        if (result.Status == ParseStatus.NeedMoreData)
            return BitcoinDefect.Truncated.At(source.Length);
        if (!result.IsDone || transaction.Raw.Length == source.Length)
            return result;
        int end = transaction.Raw.Length;
        transaction = default;
        return BitcoinDefect.TrailingBytes.At(end);
    }

    /// <summary>Reads one transaction from bytes that may lie in several segments.</summary>
    /// <param name="reader">Advanced past the transaction only when Done.</param>
    /// <param name="transactionBytesMax">The largest transaction that is waited for.</param>
    /// <param name="scratch">Overwritten, and viewed by <paramref name="transaction"/>, when the transaction
    /// crosses segments; else not touched.</param>
    /// <param name="transaction">A view, when Done, until the reader's memory or the scratch changes.</param>
    /// <returns>Done, NeedMoreData, or Invalid with the offset from the transaction's first byte.</returns>
    public static ParseResult<BitcoinDefect> TryRead(
        scoped ref SequenceReader<byte> reader, int transactionBytesMax, PooledBuffer scratch,
        out BitcoinTransaction transaction)
    {
        ParseResult<BitcoinDefect> result = TryRead(reader.UnreadSpan, transactionBytesMax, out transaction);
        if (result.Status == ParseStatus.NeedMoreData && reader.Remaining > reader.UnreadSpan.Length)
            result = TryReadAcrossSegments(reader, transactionBytesMax, scratch, out transaction);
        if (result.IsDone)
            reader.Advance(transaction.Raw.Length);
        return result;
    }

    /// <summary>Finds a transaction's parts without making a view of it.</summary>
    internal static ParseResult<BitcoinDefect> TryReadLayout(
        ReadOnlySpan<byte> source, int transactionBytesMax, out BitcoinTransactionLayout layout)
    {
        layout = default;
        var cursor = new BitcoinCursor(source, transactionBytesMax);
        if (!cursor.TrySkip(VersionBytes) || !TrySkipMarker(ref cursor, source, out bool hasWitness))
            return cursor.Failure;
        if (!TrySkipInputs(ref cursor, out int inputsOffset, out int inputCount))
            return cursor.Failure;
        if (!TrySkipOutputs(ref cursor, out int outputsOffset, out int outputCount))
            return cursor.Failure;
        int witnessOffset = hasWitness ? cursor.Offset : 0;
        if (hasWitness && !TrySkipWitnesses(ref cursor, inputCount))
            return cursor.Failure;
        if (!cursor.TrySkip(LockTimeBytes))
            return cursor.Failure;
        layout = new BitcoinTransactionLayout
        {
            Bytes = cursor.Offset,
            InputsOffset = inputsOffset,
            InputCount = inputCount,
            OutputsOffset = outputsOffset,
            OutputCount = outputCount,
            WitnessOffset = witnessOffset,
        };
        return ParseResult<BitcoinDefect>.Done;
    }

    // Copies more and more, rather than all: a reader may hold a whole block's worth behind one transaction.
    private static ParseResult<BitcoinDefect> TryReadAcrossSegments(
        scoped in SequenceReader<byte> reader, int transactionBytesMax, PooledBuffer scratch,
        out BitcoinTransaction transaction)
    {
        long bytesMax = Math.Min(reader.Remaining, transactionBytesMax);
        long bytes = Math.Min(bytesMax, Math.Max(LinearBytesMin, 2L * reader.UnreadSpan.Length));
        while (true)
        {
            scratch.Clear();
            reader.UnreadSequence.Slice(0, bytes).CopyTo(scratch.Append((int)bytes));
            ParseResult<BitcoinDefect> result =
                TryRead(scratch.WrittenSpan, transactionBytesMax, out transaction);
            if (result.Status != ParseStatus.NeedMoreData || bytes == bytesMax)
                return result;
            bytes = Math.Min(bytesMax, 2 * bytes);
        }
    }

    // A first count of zero announces a witness when a flag follows. Zero inputs followed by zero outputs is
    // the one reading of 00 00 that is left to the old form; zero inputs and some outputs cannot be written
    // at all.
    private static bool TrySkipMarker(
        ref BitcoinCursor cursor, ReadOnlySpan<byte> source, out bool hasWitness)
    {
        hasWitness = false;
        if (source.Length <= VersionBytes || source[VersionBytes] != 0)
            return true;
        if (source.Length <= VersionBytes + 1)
            return cursor.TrySkip(2);
        byte flag = source[VersionBytes + 1];
        hasWitness = flag == 1;
        if (flag > 1)
            return cursor.Refuse(BitcoinDefect.WitnessFlagUnknown, VersionBytes + 1);
        return !hasWitness || cursor.TrySkip(2);
    }

    private static bool TrySkipInputs(ref BitcoinCursor cursor, out int offset, out int count)
    {
        bool counted = cursor.TryReadCount(InputBytesMin, out count);
        offset = cursor.Offset;
        for (int i = 0; counted && i < count; i++)
            counted = cursor.TrySkip(OutpointBytes) && cursor.TrySkipSized() && cursor.TrySkip(SequenceBytes);
        return counted;
    }

    private static bool TrySkipOutputs(ref BitcoinCursor cursor, out int offset, out int count)
    {
        bool counted = cursor.TryReadCount(OutputBytesMin, out count);
        offset = cursor.Offset;
        for (int i = 0; counted && i < count; i++)
            counted = cursor.TrySkip(ValueBytes) && cursor.TrySkipSized();
        return counted;
    }

    private static bool TrySkipWitnesses(ref BitcoinCursor cursor, int inputCount)
    {
        int start = cursor.Offset;
        for (int input = 0; input < inputCount; input++)
        {
            if (!cursor.TryReadCount(elementBytesMin: 1, out int itemCount))
                return false;
            for (int item = 0; item < itemCount; item++)
            {
                if (!cursor.TrySkipSized())
                    return false;
            }
        }
        // An empty witness is one zero byte, so none but empty ones are as many bytes as inputs.
        bool superfluous = cursor.Offset - start == inputCount;
        return !superfluous || cursor.Refuse(BitcoinDefect.WitnessSuperfluous, start);
    }
}
