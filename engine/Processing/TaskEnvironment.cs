using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect.Evolution;
using Streams.Log;
using Streams.Log.Embedded.Files;
using Streams.State;
using Streams.State.Disk;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>What the tasks of an application share.</summary>
internal sealed class TaskEnvironment
{
    private readonly Dictionary<string, Topic> _topics = [];
    private readonly ConcurrentDictionary<int, string> _names = new();
    private readonly Lazy<string> _stateFolder;

    internal TaskEnvironment(
        string applicationId, ITopicLog log, LogRoom room, string dataFolder, RuntimeOptions options,
        TimeProvider clock, ILogger? logger = null)
    {
        ApplicationId = applicationId;
        Log = log;
        Room = room;
        Options = options;
        Clock = clock;
        Logger = logger ?? NullLogger.Instance;
        Times = new CommitTimes(log);
        // Not before the topology's changes are settled, which may begin another epoch.
        _stateFolder = new Lazy<string>(() => StateEpoch.FolderOf(dataFolder, applicationId, log));
        DiskCache = new Lazy<RocksCache>(() => new RocksCache(options.Disk.BlockCacheBytes));
    }

    internal string ApplicationId { get; }

    internal ITopicLog Log { get; }

    internal RuntimeOptions Options { get; }

    internal TimeProvider Clock { get; }

    /// <summary>Where tasks tell what operators should know.</summary>
    internal ILogger Logger { get; }

    /// <summary>When the records of the application's topics were committed.</summary>
    internal CommitTimes Times { get; }

    /// <summary>Figures of the tasks that run now.</summary>
    internal ConcurrentDictionary<TaskId, TaskFigures> Figures { get; } = new();

    /// <summary>Stores that are being restored now.</summary>
    internal ConcurrentDictionary<RestoreProgress, bool> Restores { get; } = new();

    /// <summary>Tasks of other processes whose changelogs are followed here.</summary>
    internal ConcurrentDictionary<TaskId, StreamTask> Standbys { get; } = new();

    /// <summary>Where tasks are asked for what their stores hold.</summary>
    internal StateDesk Desk { get; } = new();

    /// <summary>Told when a commit waits for room on the disk.</summary>
    internal LogRoom Room { get; }

    /// <summary>The backfill that is under way; null for none.</summary>
    internal BackfillRun? Backfill { get; set; }

    /// <summary>Runs what is done beside the processing: commits and the writing of snapshots.</summary>
    internal TaskScheduler Background { get; init; } = TaskScheduler.Default;

    /// <summary>Opens a folder of the data directory.</summary>
    internal Func<string, ILogFileSystem> OpenFolder { get; init; } = path => new DirectoryFileSystem(path);

    /// <summary>The full name of the topic of a source or a sink.</summary>
    internal string NameOf(GraphNode node) => node switch
    {
        SourceNode { IsInternal: true } or ISinkNode { IsInternal: true } => InternalName(node.TopicName!),
        _ => node.TopicName!,
    };

    /// <summary>The full name of a topic that belongs to the application.</summary>
    internal string InternalName(string name) => $"{ApplicationId}-{name}";

    /// <summary>A topic by its full name, or by the short name of one of the application's own.</summary>
    /// <exception cref="TopologyException">There is none.</exception>
    internal Topic Topic(string name)
    {
        lock (_topics)
        {
            if (_topics.TryGetValue(name, out Topic? known))
                return known;
            Topic? found = Log.FindTopic(name) ?? Log.FindTopic(InternalName(name));
            return found is null
                ? throw new TopologyException($"The topic '{name}' does not exist. Topics: {Names()}.")
                : _topics[name] = found;
        }
    }

    /// <summary>The name of a topic of the log.</summary>
    internal string TopicName(int topic) =>
        _names.GetOrAdd(topic, static (id, log) => log.Topics.First(t => t.Id == id).Name, Log);

    /// <summary>The changelog topic of a store.</summary>
    internal Topic ChangelogOf(string store) => Topic(InternalName($"{store}-changelog"));

    /// <summary>Where a store's snapshots lie: by partition, not by the number of the part, which changes
    /// with the topology.</summary>
    internal ILogFileSystem SnapshotFiles(TaskId id, string store) => OpenFolder(Path.Combine(
        _stateFolder.Value, id.Partition.ToString(CultureInfo.InvariantCulture), store));

    /// <summary>Where a store on disk lies: beside the snapshots that it would have in memory.</summary>
    internal DiskPlace DiskPlace(TaskId id, string store) => new(
        Path.Combine(_stateFolder.Value, id.Partition.ToString(CultureInfo.InvariantCulture), store),
        DiskCache);

    private Lazy<RocksCache> DiskCache { get; }

    /// <summary>Where all snapshots of an application lie.</summary>
    internal static string StateRoot(string dataFolder, string applicationId) =>
        Path.Combine(dataFolder, "state", applicationId);

    private string Names() => string.Join(", ", Log.Topics.Select(t => t.Name));
}

/// <summary>How an application runs.</summary>
public sealed record RuntimeOptions
{
    /// <summary>Threads that run tasks. Default 1.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>A commit follows at most this long after the first record in it. Default 100 ms.</summary>
    public TimeSpan CommitInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>A commit follows when this many bytes of output and state wait for it. Default 16
    /// MiB.</summary>
    public int CommitBytesMax { get; init; } = 16 << 20;

    /// <summary>How long a commit that found the disk full waits before it tries again. Default 1
    /// s.</summary>
    public TimeSpan LogFullRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a stop waits for asynchronous calls that are under way. The records of those that do
    /// not end by then are kept, and called for again at the next start. Default 5 s.</summary>
    public TimeSpan CallsStopWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Records processed of one task before another has its turn; fewer where they are slow. Default
    /// 1,000.</summary>
    public int TurnRecordsMax { get; init; } = 1_000;

    /// <summary>How long the records of a task's partitions wait for a partition that has none, so that all
    /// are processed in the order of their times; a partition that is silent for longer is passed over until
    /// it has a record. Zero waits for records only that the log knows of; below zero not even for those.
    /// Default zero.</summary>
    public TimeSpan MaxTaskIdle { get; init; } = TimeSpan.Zero;

    /// <summary>What to do with bytes that are not what the topic's serde says. Default dead
    /// letter.</summary>
    public FailurePolicy DecodingFailures { get; init; } = FailurePolicy.DeadLetter;

    /// <summary>What to do with a record that an operator throws at. Default fail.</summary>
    public FailurePolicy ProcessingFailures { get; init; } = FailurePolicy.Fail;

    /// <summary>Longest refused value that a dead letter keeps whole, in bytes. Default 4 MiB.</summary>
    public int DeadLetterBytesMax { get; init; } = 4 << 20;

    /// <summary>Records of one output that a backfill remembers at most, so that those delivered once are not
    /// delivered again, at 32 bytes each. Default 20,000,000.</summary>
    public int BackfillRecordsMax { get; init; } = 20_000_000;

    /// <summary>When snapshots are taken.</summary>
    public SnapshotOptions Snapshots { get; init; } = new();

    /// <summary>Which stores are kept on disk, and what memory they may take.</summary>
    public DiskOptions Disk { get; init; } = new();

    /// <summary>Whether a store is kept on disk.</summary>
    internal bool IsOnDisk(StoreSpec store) => store.Options.OnDisk || Disk.Stores.Contains(store.Name);
}
