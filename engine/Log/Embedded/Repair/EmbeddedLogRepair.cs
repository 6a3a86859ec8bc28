using System.Globalization;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded.Repair;

/// <summary>
/// Makes a damaged log usable: keeps every batch that is whole at its offsets, sets damaged bytes aside, and
/// says which records are lost. The log can be opened and goes on afterwards. A log without damage is left as
/// it is.
/// </summary>
public static class EmbeddedLogRepair
{
    private const int CopyBytes = 1024 * 1024;

    /// <summary>Repairs the log of a directory that no process uses.</summary>
    /// <exception cref="LogUnavailableException">There is no log, or a process uses it.</exception>
    /// <exception cref="LogFullException">There is no room for the repaired segments. Nothing is lost; it may
    /// be tried again.</exception>
    public static RepairReport Repair(string directory) =>
        Repair(new DirectoryFileSystem(directory), TimeProvider.System);

    /// <summary>Repairs the log of a directory that no process uses.</summary>
    /// <param name="files">The directory.</param>
    /// <param name="time">The clock.</param>
    public static RepairReport Repair(ILogFileSystem files, TimeProvider time)
    {
        try
        {
            using IDisposable held = DirectoryLock.Take(files, time);
            LogSurvey survey = LogSurvey.Run(files);
            if (survey.Segments.Count == 0)
                throw new LogUnavailableException($"There is no log in {files.Location}.");
            VerificationReport before = survey.Report();
            return before.IsWhole
                ? new RepairReport(before, [], [])
                : Repair(files, survey, before, time.GetUtcNow().ToUnixTimeMilliseconds());
        }
        catch (IOException e)
        {
            throw new LogUnavailableException(
                $"The log in {files.Location} cannot be repaired: {e.Message}", e);
        }
    }

    private static RepairReport Repair(
        ILogFileSystem files, LogSurvey survey, VerificationReport before, long nowMs)
    {
        var setAside = new List<string>();
        foreach (DamageReport damage in before.Damage)
        {
            if (damage.Bytes > 0 && damage.Position < survey.LengthOf(damage.File))
                setAside.Add(SetAside(files, damage));
        }
        // First the segment that goes on, with all that is known in the snapshot at its head: whatever
        // happens now, the next attempt knows as much.
        EndLast(files, survey, nowMs);
        Begin(files, survey, nowMs);
        var rewritten = new List<string>();
        for (int i = 0; i < survey.Segments.Count; i++)
        {
            if (!survey.Segments[i].IsDamaged)
                continue;
            using var salvage = new SegmentSalvage(files);
            salvage.Rewrite(survey, i, nowMs);
            rewritten.Add(survey.Segments[i].FileName);
        }
        files.Delete(DurableNote.FileName);
        files.SyncDirectory();
        return new RepairReport(before, rewritten, setAside);
    }

    private static string SetAside(ILogFileSystem files, DamageReport damage)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{damage.File}.damaged-{damage.Position}");
        using ILogFile source = files.Open(damage.File, LogFileMode.Read);
        using ILogFile target = files.Open(name, LogFileMode.Create);
        byte[] buffer = new byte[Math.Min(CopyBytes, damage.Bytes)];
        for (long copied = 0; copied < damage.Bytes;)
        {
            int wanted = (int)Math.Min(buffer.Length, damage.Bytes - copied);
            int read = source.ReadAt(buffer.AsSpan(0, wanted), damage.Position + copied);
            target.WriteAt(buffer.AsSpan(0, read), copied);
            copied += read;
            if (read < wanted)
                break;
        }
        target.Sync();
        return name;
    }

    // A last segment that is whole is ended as if another one had followed it in the ordinary way.
    private static void EndLast(ILogFileSystem files, LogSurvey survey, long nowMs)
    {
        SurveyedSegment last = survey.Segments[^1];
        if (last.IsDamaged || survey.EndsWithSeal)
            return;
        using ILogFile file = files.Open(last.FileName, LogFileMode.Write);
        file.Truncate(survey.LastEnd);
        var segment = new LogSegment(last.Header) { Length = survey.LastEnd, LastCommit = survey.LastCommit };
        file.Sync();
        SegmentWriter.TryEnd(file, segment, FrameKind.Seal, nowMs);
        file.Sync();
    }

    private static void Begin(ILogFileSystem files, LogSurvey survey, long nowMs)
    {
        long number = survey.NextNumber;
        survey.Catalog.LiveSegments.Clear();
        foreach (SurveyedSegment segment in survey.Segments)
            survey.Catalog.LiveSegments.Add(segment.Header.Number);
        survey.Catalog.LiveSegments.Add(number);
        SurveyedSegment last = survey.Segments[^1];
        long previousEnd = last.IsDamaged || number != last.Header.Number + 1 ? 0 : survey.LastEnd;
        var header = new SegmentHeader(last.Header.LogId, number, number, 0, nowMs, previousEnd);
        LogSegment begun = SegmentWriter.Create(files, header, survey.Catalog, survey.LastCommit);
        begun.File!.Dispose();
    }
}
