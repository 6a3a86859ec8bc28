using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Streams.Buffers;

/// <summary>SHA-256 for the record path: no allocation, about 50 ns over the compression itself.</summary>
/// <remarks>
/// Source: FIPS 180-4. The framework's one-shot call costs about 350 ns before the first byte, because it
/// sets up a provider context each time; OpenSSL's own low-level calls (the same library that the framework
/// loads) do not. Where that library is absent, the framework is used. See
/// docs/decisions/0003-sha256-from-libcrypto.md.
/// </remarks>
public static unsafe partial class Sha256
{
    /// <summary>Bytes of a hash.</summary>
    public const int HashBytes = 32;

    // sizeof(SHA256_CTX) is 112 in every OpenSSL since 0.9.8; the rest is margin.
    private const int ContextBytes = 256;
    private const int SliceBytes = 16 * 1024;

    private static readonly bool Native = ProbeNative();

    /// <summary>Writes the hash of <paramref name="source"/> to <paramref name="destination"/> (32
    /// bytes).</summary>
    public static void Hash(ReadOnlySpan<byte> source, Span<byte> destination) =>
        Hash(source, default, default, destination);

    /// <summary>Writes the hash of up to three pieces, in order, without joining them first.</summary>
    public static void Hash(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, Span<byte> destination)
    {
        if (destination.Length < HashBytes)
            throw new ArgumentException("A SHA-256 hash needs 32 bytes.", nameof(destination));
        if (Native)
            HashNative(first, second, third, destination);
        else
            HashManaged(first, second, third, destination);
    }

    /// <summary>Writes SHA-256(SHA-256(source)), Bitcoin's hash, to <paramref name="destination"/>.</summary>
    public static void HashTwice(ReadOnlySpan<byte> source, Span<byte> destination) =>
        HashTwice(source, default, default, destination);

    /// <summary>Writes SHA-256(SHA-256(pieces)) to <paramref name="destination"/>.</summary>
    public static void HashTwice(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, Span<byte> destination)
    {
        Hash(first, second, third, destination);
        Hash(destination[..HashBytes], destination);
    }

    private static void HashNative(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, Span<byte> destination)
    {
        byte* context = stackalloc byte[ContextBytes];
        // The pointers live only inside this block; the library keeps none of them.
        fixed (byte* a = first, b = second, c = third, hash = destination)
        {
            _ = SHA256_Init(context);
            Update(context, a, first.Length);
            Update(context, b, second.Length);
            Update(context, c, third.Length);
            _ = SHA256_Final(hash, context);
        }
    }

    // In slices, so that the garbage collector never waits for more than about ten microseconds.
    private static void Update(byte* context, byte* data, int length)
    {
        for (int done = 0; done < length; done += SliceBytes)
            _ = SHA256_Update(context, data + done, (nuint)Math.Min(SliceBytes, length - done));
    }

    private static void HashManaged(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, Span<byte> destination)
    {
        if (second.IsEmpty && third.IsEmpty)
        {
            SHA256.HashData(first, destination);
            return;
        }
        using var incremental = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        incremental.AppendData(first);
        incremental.AppendData(second);
        incremental.AppendData(third);
        incremental.GetHashAndReset(destination);
    }

    private static bool ProbeNative()
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad("libcrypto.so.3", out nint library))
            return false;
        if (!NativeLibrary.TryGetExport(library, "SHA256_Init", out _))
            return false;
        Span<byte> expected = stackalloc byte[HashBytes];
        Span<byte> actual = stackalloc byte[HashBytes];
        SHA256.HashData("abc"u8, expected);
        HashNative("abc"u8, default, default, actual);
        return expected.SequenceEqual(actual);
    }

    // A few hundred nanoseconds at most for the inputs here, so no transition of the garbage collector's
    // mode.
    [LibraryImport("libcrypto.so.3"), SuppressGCTransition]
    private static partial int SHA256_Init(byte* context);

    [LibraryImport("libcrypto.so.3"), SuppressGCTransition]
    private static partial int SHA256_Update(byte* context, byte* data, nuint length);

    [LibraryImport("libcrypto.so.3"), SuppressGCTransition]
    private static partial int SHA256_Final(byte* hash, byte* context);
}
