using System.Text;
using Npgsql;
using Streams.Connect;

namespace Streams.Sinks.Postgres;

/// <summary>The tables of a topology as scripts: to read, to apply, and for the roles that use
/// them.</summary>
public static class PostgresScripts
{
    /// <summary>Everything that a database needs, as a script for psql.</summary>
    /// <param name="options">Of the sink.</param>
    /// <param name="formats">What the records of each topic are.</param>
    /// <param name="mappings">Which tables they become.</param>
    /// <param name="views">Views over those tables.</param>
    public static string Print(
        PostgresOptions options, IReadOnlyList<TopicFormat> formats, IReadOnlyList<TableMapping> mappings,
        IReadOnlyList<ViewMapping> views)
    {
        // Without a look at the database the partitions of PostgreSQL itself are what is there in any case.
        TimeDivision division = options.DivideBy == TimeDivision.Auto ? TimeDivision.Month : options.DivideBy;
        return Script(
            PostgresDatabase.Script(
                PostgresSink.TablesOf(formats, PostgresSchema.Divide(mappings, options)), views, options,
                division)
                .Prepend($"SET search_path = {PostgresDdl.Quote(options.Schema)}, pg_temp"));
    }

    /// <summary>Makes what a database lacks, and adds to its tables what can be added without loss.</summary>
    /// <returns>The statements that were run, as a script; empty where nothing was lacking.</returns>
    /// <exception cref="ConfigurationException">A table is there and differs.</exception>
    /// <exception cref="UnavailableException">The server cannot be reached.</exception>
    public static string Apply(
        PostgresOptions options, IReadOnlyList<TopicFormat> formats, IReadOnlyList<TableMapping> mappings,
        IReadOnlyList<ViewMapping> views)
    {
        using PostgresSession session = PostgresSession.Open(options);
        try
        {
            session.Begin();
            Lock(session);
            var database = new PostgresDatabase(session, options);
            SchemaPlan plan = database.Plan(
                PostgresSink.TablesOf(formats, PostgresSchema.Divide(mappings, options)), views);
            plan.RequireFitting(withAlterations: true);
            foreach (string statement in plan.Statements)
                session.Execute(statement);
            session.Commit();
            return Script(plan.Statements);
        }
        catch (NpgsqlException e)
        {
            throw PostgresErrors.Translate(e, session.Server);
        }
    }

    /// <summary>Roles with no more than they need: one that owns the tables, one for the sink, one for
    /// analysts.</summary>
    public static string Roles(PostgresOptions options)
    {
        string schema = PostgresDdl.Quote(options.Schema);
        return $"""
            -- Run as a superuser, in the database. Passwords are set apart: \password streams_writer
            -- Roles are the server's: those that another database made are taken as they are.
            DO $$
            BEGIN
              BEGIN CREATE ROLE streams_owner NOLOGIN;
              EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END;
              BEGIN CREATE ROLE streams_writer LOGIN;
              EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END;
              BEGIN CREATE ROLE streams_reader LOGIN;
              EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END;
            END $$;

            CREATE SCHEMA IF NOT EXISTS {schema};
            REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC;
            GRANT USAGE, CREATE ON SCHEMA {schema} TO streams_owner;
            GRANT USAGE ON SCHEMA {schema} TO streams_writer, streams_reader;
            -- The sink stages rows in temporary tables.
            DO $$ BEGIN
              EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO streams_writer', current_database());
              EXECUTE format('GRANT CONNECT ON DATABASE %I TO streams_reader', current_database());
            END $$;

            -- What streams_owner makes from here on. The writer changes rows and no table; partitions of
            -- months are made for it by the function streams_add_month, which acts as the owner.
            ALTER DEFAULT PRIVILEGES FOR ROLE streams_owner IN SCHEMA {schema}
              GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO streams_writer;
            ALTER DEFAULT PRIVILEGES FOR ROLE streams_owner IN SCHEMA {schema}
              GRANT SELECT ON TABLES TO streams_reader;
            ALTER DEFAULT PRIVILEGES FOR ROLE streams_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
            ALTER DEFAULT PRIVILEGES FOR ROLE streams_owner IN SCHEMA {schema}
              GRANT EXECUTE ON FUNCTIONS TO streams_writer;

            -- Then, as streams_owner (SET ROLE streams_owner), what 'streams sql print' prints.

            """;
    }

    /// <summary>Sees to it that the tables are there and as wanted, at the start of a sink.</summary>
    internal static void Settle(
        PostgresSession session, PostgresDatabase database, IReadOnlyList<PostgresTable> tables,
        IReadOnlyList<ViewMapping> views, PostgresOptions options)
    {
        session.Begin();
        Lock(session);
        SchemaPlan plan = database.Plan(tables, views);
        plan.RequireFitting(withAlterations: false);
        if (plan.MakesAnything && !options.CreateTables)
            throw new ConfigurationException(
                $"postgres: {session.Server} lacks tables or views, and 'create_tables' is false. " +
                "'streams sql print --apply' makes them.");
        foreach (string statement in plan.Statements)
            session.Execute(statement);
        session.Commit();
    }

    // Two processes that start at once would both find nothing.
    private static void Lock(PostgresSession session) =>
        session.Execute("SELECT pg_advisory_xact_lock(hashtext('streams_tables'))");

    private static string Script(IEnumerable<string> statements)
    {
        var script = new StringBuilder();
        foreach (string statement in statements)
            script.Append(statement).Append(";\n\n");
        return script.ToString();
    }
}
