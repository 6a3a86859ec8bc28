using Streams.Log.Embedded.Files;

namespace Streams.Log.Embedded.Repair;

/// <summary>
/// Reads all of a log's directory and says what stands there and what is damaged. Changes nothing.
/// </summary>
/// <remarks>
/// It takes no lock: a copy of a directory can be verified, and a log that is in use too, as it is when this
/// begins. A commit that its owner is writing at that moment looks like a torn tail.
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
            VerificationReport report = Look(files);
            // A commit that the owner took back, on a full disk, while it was being read looks like damage;
            // what really is damage is there at the next look too.
            return report.IsWhole ? report : Look(files);
        }
        catch (IOException e)
        {
            throw new LogUnavailableException($"The log in {files.Location} cannot be read: {e.Message}", e);
        }
    }
    private static VerificationReport Look(ILogFileSystem files)
    {
        using PinnedFileSystem pinned = PinnedFileSystem.Take(files);
        LogSurvey survey = LogSurvey.Run(pinned);
        return survey.Segments.Count > 0
            ? survey.Report()
            : throw new LogUnavailableException($"There is no log in {files.Location}.");
    }
}
