using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Streams.Buffers;
using Streams.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

/// <summary>The public vectors and blocks that the Bitcoin tests read; a test is skipped where they are
/// absent.</summary>
internal static class BitcoinData
{
    public const string Block702861 =
        "blocks/mainnet_000000000000000000000c835b2adcaedc20fdf6ee440009c249452c726dafae.raw";

    public const string Block413567 = "core/block413567.raw";

    public const string TestnetBlock =
        "blocks/testnet_000000000000045e0b1660b6445b5e5c5ab63c9a4f956be7e1e69be04fa4497b.raw";

    public const int TransactionBytesMax = 4_000_000;

    public static readonly BitcoinReaderOptions Testnet = new() { Network = BitcoinNetwork.Testnet3 };

    public static readonly BitcoinReaderOptions Regtest = new() { Network = BitcoinNetwork.Regtest };

    public static byte[] Bytes(string relative) => File.ReadAllBytes(SharedData.Path("btc/" + relative));

    public static JsonElement Json(string relative) => JsonDocument.Parse(Bytes(relative)).RootElement;

    public static byte[] Hex(string? hex) => Convert.FromHexString(hex!);

    public static byte[] Utf8(string? text) => Encoding.UTF8.GetBytes(text!);

    /// <summary>A .bz2 file through the system's bzip2; the test is skipped where there is none.</summary>
    public static byte[] Bzip2(string relative)
    {
        string path = SharedData.Path("btc/" + relative);
        var start = new ProcessStartInfo("bzip2", ["-dc", path]) { RedirectStandardOutput = true };
        try
        {
            using Process process = Process.Start(start)!;
            using var output = new MemoryStream();
            process.StandardOutput.BaseStream.CopyTo(output);
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
            return output.ToArray();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("needs the command bzip2");
            throw;
        }
    }

    /// <summary>The blocks of a file of frames, which must hold nothing else.</summary>
    public static List<byte[]> Frames(byte[] file, BitcoinReaderOptions options)
    {
        var reader = new BitcoinBlockFileReader(options, default);
        var blocks = new List<byte[]>();
        int at = 0;
        while (at < file.Length)
        {
            ParseResult<BitcoinDefect> result =
                reader.TryRead(file.AsSpan(at), at, BlockFilePart.End, out BlockFileItem item);
            Assert.True(result.IsDone, $"{result} after {at} bytes");
            Assert.Equal(BlockFileItemKind.Block, item.Kind);
            blocks.Add(item.Block.ToArray());
            at += item.Raw.Length;
        }
        return blocks;
    }

    /// <summary>A block that must be valid.</summary>
    public static BitcoinBlock Read(byte[] raw, BitcoinReaderOptions options)
    {
        var index = new BitcoinBlockIndex();
        ParseResult<BitcoinDefect> result =
            new BitcoinBlockReader(options).ReadWhole(raw, index, out BitcoinBlock block);
        Assert.True(result.IsDone, result.ToString());
        return block;
    }

    /// <summary>A transaction that must be readable.</summary>
    public static BitcoinTransaction ReadTransaction(byte[] raw)
    {
        ParseResult<BitcoinDefect> result =
            BitcoinTransactionReader.ReadWhole(raw, TransactionBytesMax, out BitcoinTransaction transaction);
        Assert.True(result.IsDone, $"{result}: {Convert.ToHexStringLower(raw)}");
        return transaction;
    }

    /// <summary>Every raw transaction of Core's vector files.</summary>
    public static List<byte[]> CoreTransactions()
    {
        var transactions = new List<byte[]>();
        foreach (string file in new[] { "core/tx_valid.json", "core/tx_invalid.json" })
        {
            foreach (JsonElement row in Json(file).EnumerateArray())
            {
                if (row.GetArrayLength() == 3)
                    transactions.Add(Hex(row[1].GetString()));
            }
        }
        foreach (JsonElement row in Json("core/sighash.json").EnumerateArray())
        {
            if (row.GetArrayLength() == 5)
                transactions.Add(Hex(row[0].GetString()));
        }
        return transactions;
    }

    /// <summary>Writes a transaction again from the values that were read.</summary>
    public static byte[] Rewrite(in BitcoinTransaction transaction)
    {
        using var writer = new BitcoinTransactionWriter();
        using var destination = new PooledBuffer();
        writer.Start(transaction.Version);
        writer.AddAll(transaction);
        writer.Finish(transaction.LockTime, destination);
        return destination.WrittenSpan.ToArray();
    }
}
