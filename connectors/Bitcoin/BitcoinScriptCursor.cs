using System.Buffers.Binary;

namespace Streams.Connectors.Bitcoin;

/// <summary>Goes through a script's operations, up to where the bytes end or break off.</summary>
internal ref struct BitcoinScriptCursor(ReadOnlySpan<byte> script)
{
    private ReadOnlySpan<byte> _rest = script;

    /// <summary>Whether all operations were read; false for ever in a script that breaks off.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Bytes that were not read yet.</summary>
    public readonly int BytesLeft => _rest.Length;

    /// <summary>Reads the next operation.</summary>
    /// <param name="opcode">The operation; 0 where there is none.</param>
    /// <param name="data">What it pushes, where it pushes bytes of the script.</param>
    /// <returns>False at the end, and where a push runs past it.</returns>
    public bool TryRead(out byte opcode, out ReadOnlySpan<byte> data)
    {
        opcode = 0;
        data = default;
        if (_rest.IsEmpty)
            return false;
        int lengthBytes = _rest[0] switch
        {
            BitcoinOpcode.PushData1 => 1,
            BitcoinOpcode.PushData2 => 2,
            BitcoinOpcode.PushData4 => 4,
            _ => 0,
        };
        ReadOnlySpan<byte> after = _rest[1..];
        if (after.Length < lengthBytes)
            return false;
        uint length = lengthBytes switch
        {
            1 => after[0],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(after),
            4 => BinaryPrimitives.ReadUInt32LittleEndian(after),
            _ => _rest[0] <= BitcoinOpcode.PushMax ? _rest[0] : 0u,
        };
        after = after[lengthBytes..];
        if (length > (uint)after.Length)
            return false;
        opcode = _rest[0];
        data = after[..(int)length];
        _rest = after[(int)length..];
        return true;
    }
}
