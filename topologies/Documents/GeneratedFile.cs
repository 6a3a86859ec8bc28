using Streams.Connect;

namespace Streams.Topologies.Documents;

/// <summary>A document that is made from code.</summary>
/// <param name="Name">Its file name.</param>
/// <param name="Text">Its content, the same on every machine.</param>
internal sealed record GeneratedFile(string Name, string Text)
{
    /// <summary>Writes it into a folder.</summary>
    /// <exception cref="ConfigurationException">It cannot be written there.</exception>
    internal void WriteTo(string folder) => Write(Path.Combine(folder, Name), Text);

    /// <summary>Writes a text to a file, and makes its folder.</summary>
    /// <exception cref="ConfigurationException">It cannot be written.</exception>
    internal static void Write(string path, string text)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            File.WriteAllText(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{path} cannot be written: {e.Message}", e);
        }
    }
}
