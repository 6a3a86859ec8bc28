using System.Globalization;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>
/// Writes blocks to files as a node keeps them: <c>blk00000.dat</c> and on, framed, obfuscated where there is
/// a key, so that <see cref="BitcoinFilesSource"/> reads what was simulated.
/// </summary>
public sealed class BlockFileWriter : IDisposable
{
    /// <summary>A node begins a new file where the block would make the old one larger. Source: Bitcoin Core,
    /// <c>MAX_BLOCKFILE_SIZE</c>.</summary>
    public const long FileBytesMaxOfNode = 128L << 20;

    private const string KeyFile = "xor.dat";

    private readonly string _folder;
    private readonly BitcoinNetwork _network;
    private readonly BlockFileKey _key;
    private readonly long _fileBytesMax;
    private readonly PooledBuffer _frame = new(1 << 16);
    private FileStream? _file;
    private int _files;

    /// <summary>Prepares to write; files of the same names are replaced.</summary>
    /// <param name="folder">Is created where there is none.</param>
    /// <param name="network">Whose magic frames begin with.</param>
    /// <param name="key">Obfuscates; eight bytes, or none for plain files.</param>
    /// <param name="fileBytesMax">Size at which a new file begins.</param>
    /// <exception cref="ArgumentException">The key has another length.</exception>
    public BlockFileWriter(
        string folder, BitcoinNetwork network, ReadOnlySpan<byte> key = default,
        long fileBytesMax = FileBytesMaxOfNode)
    {
        _folder = folder;
        _network = network;
        _fileBytesMax = fileBytesMax;
        Directory.CreateDirectory(folder);
        string keyFile = Path.Combine(folder, KeyFile);
        if (key.IsEmpty)
        {
            File.Delete(keyFile);
            return;
        }
        _key = new BlockFileKey(key);
        File.WriteAllBytes(keyFile, key);
    }

    /// <summary>Blocks written.</summary>
    public long Blocks { get; private set; }

    /// <summary>Bytes written, frames included.</summary>
    public long Bytes { get; private set; }

    /// <summary>Writes what a simulation delivers, from where it stands, until a height or its end.</summary>
    /// <param name="simulator">Delivers.</param>
    /// <param name="heightMax">The last block.</param>
    /// <param name="onlyGood">Whether damaged and repeated blocks are left out.</param>
    public void WriteChain(BlockSimulator simulator, int heightMax, bool onlyGood = false)
    {
        while (simulator.Height < heightMax && simulator.TryNext(out SimulatedDelivery delivery))
        {
            if (!onlyGood || delivery.Kind == SimulatedDeliveryKind.Block)
                Write(delivery.Bytes);
        }
    }

    /// <summary>Writes a block, or whatever stands for one.</summary>
    public void Write(ReadOnlySpan<byte> block)
    {
        _frame.Clear();
        BitcoinBlockWriter.WriteFrame(_network, block, _frame);
        if (_file is null || _file.Position + _frame.Length > _fileBytesMax)
            BeginFile();
        _key.Apply(_frame.WrittenMutable, _file!.Position);
        _file.Write(_frame.WrittenSpan);
        Blocks++;
        Bytes += _frame.Length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        _frame.Dispose();
    }

    private void BeginFile()
    {
        _file?.Dispose();
        string name = string.Create(CultureInfo.InvariantCulture, $"blk{_files++:00000}.dat");
        _file = new FileStream(Path.Combine(_folder, name), FileMode.Create, FileAccess.Write);
    }
}
