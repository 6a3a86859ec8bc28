using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streams.Buffers;

namespace Streams.Records;

/// <summary>The end of a <see cref="PooledBuffer"/> that a record is being encoded to.</summary>
/// <remarks>
/// Invariant: after each <see cref="Reserve"/> at least <see cref="SlackBytes"/>, and the payload asked for,
/// lie between <see cref="At"/> and the end of the buffer. Encoders write through references and stay within
/// that. Positions count from where the record began, because the buffer moves when it grows.
/// </remarks>
internal ref struct RecordOutput
{
    /// <summary>Room for any field whose length is bounded: a JSON name (63 bytes at most) with its
    /// punctuation, and a <see cref="UInt256"/> in quotes (80).</summary>
    public const int SlackBytes = 160;

    /// <summary>Where the next byte goes.</summary>
    public ref byte At;

    private readonly PooledBuffer _buffer;
    private ref byte _start;

    /// <summary>The last place with <see cref="SlackBytes"/> behind it.</summary>
    private ref byte _limit;

    public RecordOutput(PooledBuffer buffer)
    {
        _buffer = buffer;
        Attach(0, SlackBytes);
    }

    /// <summary>Bytes of the record so far.</summary>
    public readonly int Position => (int)Unsafe.ByteOffset(ref _start, ref At);

    /// <summary>Hands the bytes to the buffer.</summary>
    public readonly void Finish() => _buffer.Advance(Position);

    /// <summary>A byte written before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ref byte ByteAt(int position) => ref Unsafe.Add(ref _start, position);

    /// <summary>Steps over bytes that are written, or will be.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(int count) => At = ref Unsafe.Add(ref At, count);

    /// <summary>Makes room for a payload and the slack.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Reserve(int payloadBytes)
    {
        // The payload of most kinds is the constant 0, which leaves one comparison.
        if (payloadBytes == 0
            ? Unsafe.IsAddressGreaterThan(ref At, ref _limit)
            : Unsafe.ByteOffset(ref At, ref _limit) < payloadBytes)
        {
            Grow(payloadBytes);
        }
    }

    /// <summary>Copies bytes as they are.</summary>
    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(MemoryMarshal.CreateSpan(ref At, bytes.Length));
        Skip(bytes.Length);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int payloadBytes)
    {
        // The buffer carries over what it was told about, so it is told for a moment.
        int position = Position;
        _buffer.Advance(position);
        _buffer.GetSpan(checked(payloadBytes + SlackBytes));
        _buffer.Truncate(_buffer.Length - position);
        Attach(position, position + payloadBytes + SlackBytes);
    }

    private void Attach(int position, int bytes)
    {
        Span<byte> span = _buffer.GetSpan(bytes);
        _start = ref MemoryMarshal.GetReference(span);
        At = ref Unsafe.Add(ref _start, position);
        _limit = ref Unsafe.Add(ref _start, span.Length - SlackBytes);
    }
}
