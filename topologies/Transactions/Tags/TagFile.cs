using System.Security.Cryptography;
using System.Text;
using Streams.Connect;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>A file of tags in memory: what the readers read, and what they blame.</summary>
/// <param name="Path">As the operator would name it.</param>
/// <param name="Content">All of its bytes.</param>
internal sealed record TagFile(string Path, byte[] Content)
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>The name of the file, which is what tags say they came from.</summary>
    internal string Name { get; } = System.IO.Path.GetFileName(Path);

    /// <summary>The first twelve hexadecimal digits of the SHA-256 of the content.</summary>
    internal string ShortDigest { get; } = Convert.ToHexStringLower(SHA256.HashData(Content))[..12];

    /// <summary>The content without its byte order mark.</summary>
    internal ReadOnlySpan<byte> Body =>
        Content.AsSpan().StartsWith("\uFEFF"u8) ? Content.AsSpan("\uFEFF"u8.Length) : Content;

    /// <summary>The content as text.</summary>
    /// <exception cref="ConfigurationException">It is not UTF-8.</exception>
    internal string Text()
    {
        try
        {
            return Strict.GetString(Body);
        }
        catch (DecoderFallbackException e)
        {
            throw Defect(0, "is not UTF-8 text", "Save it as UTF-8, or take it off the list.", e);
        }
    }

    /// <summary>What is wrong, where, and what to do, in one line.</summary>
    /// <param name="line">Counted from 1; 0 when it is the whole file.</param>
    /// <param name="problem">Follows the place, without a full stop.</param>
    /// <param name="remedy">A sentence.</param>
    /// <param name="cause">What was caught, if anything.</param>
    internal ConfigurationException Defect(
        long line, string problem, string remedy, Exception? cause = null) =>
        new(Describe(line, problem, remedy), cause);

    /// <summary>The text of <see cref="Defect"/>.</summary>
    internal string Describe(long line, string problem, string remedy)
    {
        string place = line > 0 ? $"{Path}, line {line}" : Path;
        return OneLine($"{place}: {problem}. {remedy}");
    }

    private static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (char c in text)
            line.Append(char.IsControl(c) ? ' ' : c);
        return line.ToString();
    }
}
