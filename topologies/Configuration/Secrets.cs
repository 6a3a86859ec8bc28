using System.Text;
using System.Text.Encodings.Web;

namespace Streams.Topologies.Configuration;

/// <summary>
/// What came from the environment by <c>${NAME}</c>, to be shown by that name wherever a message would show
/// it.
/// </summary>
/// <remarks>
/// A message of a driver may quote a connection string, and nobody can tell which value is a password: so
/// none of them is printed. Values shorter than <see cref="LengthMin"/> are, for they would be found in every
/// other word.
/// </remarks>
internal static class Secrets
{
    /// <summary>Values shorter than this are not hidden.</summary>
    internal const int LengthMin = 4;

    private static readonly Lock Gate = new();
    private static IReadOnlyList<(string Value, string Shown)> _known = [];

    /// <summary>Hides a value from now on.</summary>
    internal static void Add(string name, string value)
    {
        if (value.Length < LengthMin)
            return;
        lock (Gate)
        {
            // As it is, and as a JSON text has it. The longest first, in case one holds another.
            string[] forms = [value, JavaScriptEncoder.Default.Encode(value)];
            _known = [.. _known.Concat(forms.Distinct().Select(f => (f, "${" + name + "}")))
                .DistinctBy(k => k.Item1).OrderByDescending(k => k.Item1.Length)];
        }
    }

    /// <summary>The text with names in place of values.</summary>
    internal static string Hide(string text)
    {
        foreach ((string value, string shown) in _known)
            text = text.Replace(value, shown, StringComparison.Ordinal);
        return text;
    }

    /// <summary>Hides values in all that is written to the console as text from now on.</summary>
    internal static void HideOnConsole()
    {
        Console.SetError(new HidingWriter(Console.Error));
        Console.SetOut(new HidingWriter(Console.Out));
    }

    /// <summary>Passes texts on without what is to be hidden; each whole, as the logger and the commands
    /// write them.</summary>
    private sealed class HidingWriter(TextWriter to) : TextWriter
    {
        public override Encoding Encoding => to.Encoding;

        public override void Write(char value) => to.Write(value);

        public override void Write(char[] buffer, int index, int count) =>
            to.Write(Hide(new string(buffer, index, count)));

        public override void Write(ReadOnlySpan<char> buffer) => to.Write(Hide(new string(buffer)));

        public override void Write(string? value) => to.Write(value is null ? null : Hide(value));

        public override void WriteLine(string? value) => to.WriteLine(value is null ? null : Hide(value));

        public override void Flush() => to.Flush();
    }
}
