using Streams.Log.Embedded.Files;

namespace Streams.Log.Embedded.Repair;

/// <summary>
/// Reads all of a log's directory and says what stands there and what is damaged. Changes nothing.
/// </summary>
/// <remarks>
/// It takes no lock: a copy of a directory can be verified, and a log that is in use too, of which the last
/// commits may then look like a torn tail.
/// </remarks>
public static class EmbeddedLogVerifier
{
    /// <summary>Verifies the log of a directory.</summary>
    /// <exception cref="LogUnavailableException">There is no log, or a later version of the program wrote
    /// it.</exception>
    public static VerificationReport Verify(string directory) => Verify(new DirectoryFileSystem(directory));

    /// <summary>Verifies the log of a directory.</summary>
    /// <exception cref="LogUnavailableException">There is no log, or a later version of the program wrote
    /// it.</exception>
    public static VerificationReport Verify(ILogFileSystem files)
    {
        try
        {
            LogSurvey survey = LogSurvey.Run(files);
            if (survey.Segments.Count == 0)
                throw new LogUnavailableException($"There is no log in {files.Location}.");
            return survey.Report();
        }
        catch (IOException e)
        {
            throw new LogUnavailableException($"The log in {files.Location} cannot be read: {e.Message}", e);
        }
    }
}
