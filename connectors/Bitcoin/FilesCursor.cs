using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Streams.Connect;
using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Connectors.Bitcoin;

/// <summary>
/// How far the files were read: <c>file/NAME</c> the position in a file, <c>chain/ROOT</c> the height of a
/// chain's first block and the block up to which it was followed, <c>refused/NAME@POSITION</c> a block that
/// was no block, <c>seq</c> the number of records.
/// </summary>
internal sealed class FilesCursor
{
    private const string FileKey = "file/";
    private const string ChainKey = "chain/";
    private const string RefusedKey = "refused/";
    private const string SeqKey = "seq";

    private readonly Dictionary<string, long> _positions = new(StringComparer.Ordinal);
    private readonly Dictionary<BitcoinHash, (int Height, BitcoinHash? Tip)> _chains = [];
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);
    private readonly byte[] _buffer = new byte[8];
    private long _seq;

    internal FilesCursor(SourceContext context)
    {
        foreach ((string key, byte[] value) in context.Cursors())
        {
            if (key.StartsWith(FileKey, StringComparison.Ordinal))
                _positions[key[FileKey.Length..]] = BinaryPrimitives.ReadInt64LittleEndian(value);
            else if (key.StartsWith(ChainKey, StringComparison.Ordinal))
                _chains[Parse(key[ChainKey.Length..])] = ReadChain(value);
            else if (key.StartsWith(RefusedKey, StringComparison.Ordinal))
                _refused.Add(key[RefusedKey.Length..]);
            else if (key == SeqKey)
                _seq = BinaryPrimitives.ReadInt64LittleEndian(value);
        }
    }

    /// <summary>Each chain's first block and the block up to which it was followed.</summary>
    internal IEnumerable<(BitcoinHash Root, BitcoinHash? Tip)> Tips =>
        _chains.OrderBy(c => c.Key.ToString(), StringComparer.Ordinal).Select(c => (c.Key, c.Value.Tip));

    /// <summary>Up to where a file was taken.</summary>
    /// <exception cref="ConfigurationException">The file is shorter than that.</exception>
    internal long PositionOf(BlockFile file)
    {
        long position = _positions.GetValueOrDefault(file.Name);
        return position <= file.Length ? position : throw new ConfigurationException(
            $"bitcoin-files: {file.Path} was read up to byte {position:N0} before and has " +
                $"{file.Length:N0} bytes now. " +
            "Put the file back, or use another data directory.");
    }

    internal bool IsInvalid(BlockFile file, long position) => _refused.Contains(Place(file, position));

    internal bool IsRoot(in BitcoinHash hash) => _chains.ContainsKey(hash);

    internal int HeightOf(in BitcoinHash hash) =>
        _chains.TryGetValue(hash, out var chain) ? chain.Height : -1;

    internal long NextSeq() => _seq++;

    internal void WriteSeq(SourceOutput<Bytes32, ChainTransaction> output) => Write(output, SeqKey, _seq);

    internal void WritePosition(SourceOutput<Bytes32, ChainTransaction> output, BlockFile file) =>
        Write(output, file.PositionKey ??= FileKey + file.Name, file.Position);

    internal void WriteInvalid(SourceOutput<Bytes32, ChainTransaction> output, BlockFile file, long position)
    {
        _refused.Add(Place(file, position));
        Write(output, RefusedKey + Place(file, position), position);
    }

    internal void WriteRoot(SourceOutput<Bytes32, ChainTransaction> output, in BitcoinHash root, int height)
    {
        _chains[root] = (height, null);
        WriteChain(output, root);
    }

    internal void WriteTip(
        SourceOutput<Bytes32, ChainTransaction> output, in BitcoinHash root, BitcoinHash? tip)
    {
        _chains[root] = (_chains[root].Height, tip);
        WriteChain(output, root);
    }

    private void WriteChain(SourceOutput<Bytes32, ChainTransaction> output, in BitcoinHash root)
    {
        (int height, BitcoinHash? tip) = _chains[root];
        string text = string.Create(CultureInfo.InvariantCulture, $"{height} {tip}");
        output.SetCursor(ChainKey + root, Encoding.ASCII.GetBytes(text));
    }

    private void Write(SourceOutput<Bytes32, ChainTransaction> output, string key, long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_buffer, value);
        output.SetCursor(key, _buffer);
    }

    private static (int Height, BitcoinHash? Tip) ReadChain(byte[] value)
    {
        string[] parts = Encoding.ASCII.GetString(value).Split(' ');
        return (
            int.Parse(parts[0], CultureInfo.InvariantCulture), parts[1].Length == 0 ? null : Parse(parts[1]));
    }

    private static BitcoinHash Parse(string hex) =>
        BitcoinHash.TryParse(Encoding.ASCII.GetBytes(hex), out BitcoinHash hash)
            ? hash
            : throw new FormatException($"'{hex}' is no hash.");

    private static string Place(BlockFile file, long position) =>
        string.Create(CultureInfo.InvariantCulture, $"{file.Name}@{position}");
}
