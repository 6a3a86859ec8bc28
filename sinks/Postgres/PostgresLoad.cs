using System.Buffers.Binary;
using Npgsql;

namespace Streams.Sinks.Postgres;

/// <summary>Brings the rows of one mapping into its tables, inside the session's transaction.</summary>
/// <remarks>
/// Rows go straight into the tables by COPY while their keys are new. A key that is there already, or a
/// retraction, takes the way over staging tables: COPY there, then the older rows give way. After such a
/// meeting the next loads go over staging too, because a load that goes straight and meets a key is done
/// twice.
/// </remarks>
internal sealed class PostgresLoad
{
    // Loads over staging after one that met a key; doubled each time it happens at once again.
    private const int StagedLoadsMin = 16;
    private const int StagedLoadsMax = 4096;

    // The signature, no flags, no extension. Source: PostgreSQL 15, "COPY", section "Binary Format".
    private static ReadOnlySpan<byte> Header =>
    [
        (byte)'P', (byte)'G', (byte)'C', (byte)'O', (byte)'P', (byte)'Y', (byte)'\n', 0xFF, (byte)'\r',
        (byte)'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    private readonly PostgresSession _session;
    private readonly PendingRows _pending;
    private readonly StagingSql _sql;
    private int _stagedLeft;
    private int _stagedNext = StagedLoadsMin;
    private bool _isStageDirty;

    internal PostgresLoad(PostgresSession session, PendingRows pending, int number)
    {
        _session = session;
        _pending = pending;
        _sql = new StagingSql(pending.Rows, number);
        if (_sql.IsKeyed)
            session.Execute(_sql.Create);
    }

    /// <summary>Rows are sent over staging tables only, as where keys come again and again.</summary>
    internal bool AlwaysStages { get; init; }

    /// <summary>Says that a transaction ended, and with it what stood in the staging tables.</summary>
    internal void TransactionEnded() => _isStageDirty = false;

    /// <summary>Brings a range of records into the tables.</summary>
    /// <exception cref="PostgresException">A row was refused, among other reasons.</exception>
    internal void Send(PendingRecords records, int from, int to)
    {
        (int puts, int retractions) = _pending.Choose(from, to, records);
        if (puts + retractions == 0)
            return;
        if (!_sql.IsKeyed)
        {
            Copy(_sql.CopyToTables, from, to);
            return;
        }
        bool straight = retractions == 0 && _stagedLeft == 0 && !AlwaysStages;
        if (straight && TryCopyStraight(from, to))
            return;
        if (_stagedLeft > 0)
            _stagedLeft--;
        Stage(from, to, puts, retractions);
    }

    private bool TryCopyStraight(int from, int to)
    {
        _session.Execute("SAVEPOINT straight");
        try
        {
            Copy(_sql.CopyToTables, from, to);
            _session.Execute("RELEASE SAVEPOINT straight");
            _stagedNext = StagedLoadsMin;
            return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrors.UniqueViolation)
        {
            _session.Execute("ROLLBACK TO SAVEPOINT straight; RELEASE SAVEPOINT straight");
            _stagedLeft = _stagedNext;
            _stagedNext = Math.Min(2 * _stagedNext, StagedLoadsMax);
            return false;
        }
    }

    private void Stage(int from, int to, int puts, int retractions)
    {
        if (_isStageDirty)
            _session.Execute(_sql.Empty);
        _isStageDirty = true;
        if (puts > 0)
            Copy(_sql.CopyToStages, from, to);
        if (retractions > 0)
            CopyRetractions(from, to);
        _session.Execute(_sql.Merge(puts > 0, retractions > 0));
    }

    private void Copy(IReadOnlyList<string> statements, int from, int to)
    {
        for (int table = 0; table < statements.Count; table++)
        {
            int at = from;
            // Most records have no row in some of the lists: those tables are left alone.
            if (!_pending.TryNext(table, ref at, to, out ReadOnlyMemory<byte> bytes))
                continue;
            NpgsqlRawCopyStream? stream = null;
            do
            {
                if (bytes.IsEmpty)
                    continue;
                stream ??= Begin(statements[table]);
                stream.Write(bytes.Span);
            }
            while (_pending.TryNext(table, ref at, to, out bytes));
            if (stream is not null)
                End(stream);
        }
    }

    private void CopyRetractions(int from, int to)
    {
        Span<byte> fields = stackalloc byte[sizeof(short)];
        BinaryPrimitives.WriteInt16BigEndian(fields, (short)_pending.Rows.Mapping.Key.Count);
        NpgsqlRawCopyStream stream = Begin(_sql.CopyToGone);
        for (int i = from; i < to; i++)
        {
            if (!_pending.TryRetraction(i, out ReadOnlySpan<byte> key))
                continue;
            stream.Write(fields);
            stream.Write(key);
        }
        End(stream);
    }

    private NpgsqlRawCopyStream Begin(string statement)
    {
        NpgsqlRawCopyStream stream = _session.Connection.BeginRawBinaryCopy(statement);
        stream.Write(Header);
        return stream;
    }

    // The trailer is a field count of -1.
    private static void End(NpgsqlRawCopyStream stream)
    {
        stream.Write([0xFF, 0xFF]);
        stream.Dispose();
    }
}
