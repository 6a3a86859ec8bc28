using System.Text.Json;
using System.Text.Json.Serialization;
using Streams.State;

namespace Streams.Connect.Evolution;

/// <summary>
/// What of an application's topology its data depends on. It is recorded in the log, in the commit that the
/// data begins or goes on with, and compared at the next start.
/// </summary>
/// <remarks>
/// The record is JSON, so that people and later versions can read it; what a version does not know it leaves
/// out, and what is missing has the default.
/// </remarks>
internal sealed record TopologyShape
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    };

    /// <summary>Version of the record's meaning; a program refuses what is later than it knows.</summary>
    public int Format { get; init; } = LatestFormat;

    /// <summary>The application's id.</summary>
    public required string Application { get; init; }

    /// <summary>Its stores, by name.</summary>
    public IReadOnlyList<RecordedStore> Stores { get; init; } = [];

    /// <summary>Topics that it reads, without those of its own, by name.</summary>
    public IReadOnlyList<RecordedTopic> Sources { get; init; } = [];

    /// <summary>Topics of its own between its parts, by their full names.</summary>
    public IReadOnlyList<RecordedTopic> Repartitions { get; init; } = [];

    /// <summary>Topics that it writes by a name known beforehand.</summary>
    public IReadOnlyList<string> Sinks { get; init; } = [];

    /// <summary>Names of its operators.</summary>
    public IReadOnlyList<string> Operators { get; init; } = [];

    /// <summary>What was given up and is not all deleted yet.</summary>
    public IReadOnlyList<Removal> Removals { get; init; } = [];

    /// <summary>Stream times that are being carried into a wider topic; null for none.</summary>
    public IReadOnlyList<KeptTime>? Times { get; init; }

    /// <summary>Stores whose migrated state lies beside and is to take the old one's place; null for
    /// none.</summary>
    public IReadOnlyList<string>? Migrated { get; init; }

    /// <summary>Whether something that was accepted is not all done yet.</summary>
    [JsonIgnore]
    public bool IsUnfinished => Removals.Count > 0 || Times is not null || Migrated is not null;

    /// <summary>The format that this program writes.</summary>
    internal const int LatestFormat = 1;

    /// <summary>The record's bytes.</summary>
    internal byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="ConfigurationException">A later version of the program wrote it.</exception>
    internal static TopologyShape Read(ReadOnlySpan<byte> bytes)
    {
        TopologyShape shape = JsonSerializer.Deserialize<TopologyShape>(bytes, Json)
            ?? throw new JsonException("The recorded shape of the topology is empty.");
        return shape.Format <= LatestFormat
            ? shape
            : throw new ConfigurationException(
                $"A later version of the program recorded the topology of '{shape.Application}' "
                + $"(format {shape.Format}; this one knows {LatestFormat}): run that version.");
    }
}

/// <summary>A store as it is recorded.</summary>
internal sealed record RecordedStore
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What its bytes mean.</summary>
    public required StoreShape Shape { get; init; }

    /// <summary>How many tasks have it.</summary>
    public int Partitions { get; init; }

    /// <summary>Whether it has a changelog.</summary>
    public bool Logged { get; init; }

    /// <summary>Whether it can be rolled back.</summary>
    public bool Savepoints { get; init; }
}

/// <summary>A topic as it is recorded.</summary>
/// <param name="Name">Its name in the log.</param>
/// <param name="Partitions">How many it has.</param>
internal sealed record RecordedTopic(string Name, int Partitions);

/// <summary>Something that is to be deleted, because it was accepted that it goes.</summary>
/// <param name="Topic">A topic of the application's own.</param>
/// <param name="Store">The store whose snapshots go with it; null where it is no store's.</param>
internal sealed record Removal(string Topic, string? Store);
