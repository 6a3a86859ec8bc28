using Microsoft.Extensions.FileSystemGlobbing;
using Streams.Connect;

namespace Streams.Connectors.Bitcoin;

/// <summary>A file of blocks, open to read.</summary>
internal sealed class BlockFile : IDisposable
{
    private const int MagicBytes = 4;

    private readonly Microsoft.Win32.SafeHandles.SafeFileHandle _handle;

    internal BlockFile(int number, string path, string name, in BlockFileKey key)
    {
        Number = number;
        Path = path;
        Name = name;
        try
        {
            _handle = File.OpenHandle(
                path, options: FileOptions.SequentialScan, share: FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UnavailableException($"bitcoin-files: cannot read {path}: {e.Message}", e);
        }
        Key = key;
    }

    internal int Number { get; }

    internal string Path { get; }

    /// <summary>What its cursor is called.</summary>
    internal string Name { get; }

    internal BlockFileKey Key { get; }

    /// <summary>Everything before this was taken.</summary>
    internal long Position { get; set; }

    /// <summary>The key of its cursor, made once.</summary>
    internal string? PositionKey { get; set; }

    /// <summary>Whether its blocks are framed; else it is one raw block.</summary>
    internal bool IsFramed { get; set; }

    /// <summary>Up to where its headers were looked at when it was found.</summary>
    internal long ScannedBytes { get; set; }

    /// <summary>Its length now.</summary>
    internal long Length => RandomAccess.GetLength(_handle);

    /// <summary>Reads and clears bytes.</summary>
    /// <returns>How many; fewer than asked only at the end.</returns>
    internal int Read(Span<byte> destination, long position)
    {
        int count = 0;
        while (count < destination.Length)
        {
            int read = RandomAccess.Read(_handle, destination[count..], position + count);
            if (read == 0)
                break;
            count += read;
        }
        Key.Apply(destination[..count], position);
        return count;
    }

    /// <summary>Finds out whether the file has frames.</summary>
    /// <exception cref="ConfigurationException">Its frames are of another network.</exception>
    internal bool DetectFrames(BitcoinNetwork network)
    {
        Span<byte> start = stackalloc byte[MagicBytes];
        if (Read(start, 0) < MagicBytes)
            return false;
        uint magic = BitConverter.ToUInt32(start);
        if (magic == network.Magic)
            return true;
        foreach (BitcoinNetwork other in BlockFiles.Networks)
        {
            if (magic == other.Magic)
                throw new ConfigurationException(
                    $"bitcoin-files: {Path} holds blocks of {other}, and {network} was asked for. " +
                    $"Set network: {other}, or '?network={other}' behind the location.");
        }
        // A node's file may begin with what it has reserved and not written.
        return System.IO.Path.GetFileName(Path) is var name
            && name.StartsWith("blk", StringComparison.Ordinal)
            && name.EndsWith(".dat", StringComparison.Ordinal);
    }

    public void Dispose() => _handle.Dispose();
}

/// <summary>The files that a pattern names, in order, with the key that their node obfuscates them
/// with.</summary>
internal sealed class BlockFiles : IDisposable
{
    private const string KeyFile = "xor.dat";

    private readonly string _pattern;
    private readonly string _folder;
    private readonly Matcher _matcher = new(StringComparison.Ordinal);
    private readonly List<BlockFile> _files = [];
    private readonly Dictionary<string, BlockFile> _byName = new(StringComparer.Ordinal);

    internal BlockFiles(string pattern)
    {
        _pattern = pattern;
        string[] parts = Path.GetFullPath(pattern).Split('/');
        int wild = Array.FindIndex(parts, p => p.AsSpan().ContainsAny('*', '?'));
        int split = wild < 0 ? parts.Length - 1 : wild;
        _folder = string.Join('/', parts[..split]) is { Length: > 0 } folder ? folder : "/";
        _matcher.AddInclude(string.Join('/', parts[split..]));
    }

    /// <summary>All networks, to recognise a file of another one.</summary>
    internal static IReadOnlyList<BitcoinNetwork> Networks { get; } =
        [BitcoinNetwork.Mainnet, BitcoinNetwork.Testnet3, BitcoinNetwork.Testnet4, BitcoinNetwork.Signet,
            BitcoinNetwork.Regtest];

    internal IReadOnlyList<BlockFile> All => _files;

    internal BlockFile this[int number] => _files[number];

    /// <summary>Looks for files that were not there the last time.</summary>
    /// <returns>Those, by name.</returns>
    internal IReadOnlyList<BlockFile> Refresh()
    {
        var found = new List<BlockFile>();
        foreach (string path in Matches())
        {
            string name = Path.GetRelativePath(_folder, path);
            if (_byName.ContainsKey(name) || Path.GetFileName(path) == KeyFile)
                continue;
            var file = new BlockFile(_files.Count, path, name, KeyOf(path));
            _files.Add(file);
            _byName.Add(name, file);
            found.Add(file);
        }
        return found;
    }

    /// <summary>The file of a cursor; null where it is gone.</summary>
    internal BlockFile? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>What was looked for, for a message.</summary>
    public override string ToString() => $"{_pattern} (in {_folder})";

    public void Dispose() => _files.ForEach(f => f.Dispose());

    private IEnumerable<string> Matches() => Directory.Exists(_folder)
        ? _matcher.GetResultsInFullPath(_folder).Order(StringComparer.Ordinal)
        : [];

    private static BlockFileKey KeyOf(string path)
    {
        string key = Path.Combine(Path.GetDirectoryName(path)!, KeyFile);
        if (!File.Exists(key))
            return default;
        byte[] bytes = File.ReadAllBytes(key);
        return bytes.Length == BlockFileKey.Bytes
            ? new BlockFileKey(bytes)
            : throw new ConfigurationException(
                $"bitcoin-files: {key} has {bytes.Length} bytes where a node writes {BlockFileKey.Bytes}. " +
                    $"Copy it anew.");
    }
}
