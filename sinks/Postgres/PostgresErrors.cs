using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;
using Streams.Connect;

namespace Streams.Sinks.Postgres;

/// <summary>Says of what the driver throws whether it passes, is the configuration's fault, or a
/// row's.</summary>
/// <remarks>Source: PostgreSQL 15, appendix A, "Error Codes"; the first two characters are the
/// class.</remarks>
internal static class PostgresErrors
{
    internal const string UniqueViolation = "23505";

    /// <summary>Whether a row was refused: a value out of range, a constraint, a trigger, an index that
    /// cannot hold it.</summary>
    internal static bool IsOfRow(PostgresException e) =>
        e.SqlState != "22P04" && e.SqlState[..2] is "22" or "23" or "44" or "54" || e.SqlState is "P0001";

    /// <summary>Turns what the driver throws into what the runner understands.</summary>
    internal static Exception Translate(Exception e, string server)
    {
        if (e is PostgresException answered)
            return Answered(answered, server);
        string what = e.InnerException is { } inner && inner.Message != e.Message
            ? $"{e.Message} {inner.Message}" : e.Message;
        return IsOfConfiguration(e)
            ? new ConfigurationException($"postgres: {server}: {what}", e)
            : new UnavailableException($"postgres: {server} cannot be used: {what}", e);
    }

    /// <summary>Whether an exception is the driver's.</summary>
    internal static bool IsOfDriver(Exception e, NpgsqlConnection? connection) =>
        e is NpgsqlException or IOException or SocketException or TimeoutException
        // What the driver says when it is used after the connection was lost.
        || (e is InvalidOperationException or ObjectDisposedException
            && connection is { FullState: not System.Data.ConnectionState.Open });

    // A certificate that does not hold, a password that is wanted: what no later try changes.
    private static bool IsOfConfiguration(Exception e)
    {
        for (Exception? at = e; at is not null; at = at.InnerException)
        {
            if (at is IOException or SocketException or TimeoutException)
                return false;
            if (at is AuthenticationException or System.Security.Cryptography.CryptographicException)
                return true;
        }
        return e is NpgsqlException { IsTransient: false } && (
            e.Message.Contains("password", StringComparison.OrdinalIgnoreCase)
            || e.Message.Contains("SSL", StringComparison.Ordinal));
    }

    private static Exception Answered(PostgresException e, string server)
    {
        string what = $"{e.MessageText} ({e.SqlState})";
        return e.SqlState switch
        {
            // The server ends, is not ready yet, or is a standby; a session was ended or a wait cut off.
            ['0', '8', ..] or ['5', '3', ..] or ['5', '7', ..] or ['5', '8', ..] or ['4', '0', ..]
                or "55P03" or "25P03" or "25006" or "55006" => new UnavailableException(
                    $"postgres: {server}: {what}", e),
            ['2', '8', ..] => new ConfigurationException(
                $"postgres: {server} refuses the login: {what}. The password comes from the variable of " +
                "the environment that 'password_variable' names.", e),
            "3D000" => new ConfigurationException($"postgres: {server}: {what}. Create it first.", e),
            // What streams_add_month says of a month that was detached.
            "55000" => new ConfigurationException($"postgres: {server}: {what}.", e),
            "42501" => new ConfigurationException(
                $"postgres: {server}: {what}. 'streams sql roles' prints what the role must be granted.", e),
            "3F000" or "42P01" or "42703" or "42883" => new ConfigurationException(
                $"postgres: {server}: {what}. 'streams sql print --apply' makes what is missing.", e),
            _ => new InvalidOperationException($"postgres: {server}: {what}", e),
        };
    }
}
