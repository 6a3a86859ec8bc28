using System.Reflection;
using System.Runtime.InteropServices;
using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>
/// The calls of librdkafka that carry records: Confluent.Kafka has them only one record at a time, with
/// objects for each. Names and meanings are those of rdkafka.h, version 2.0.
/// </summary>
internal static unsafe partial class Librdkafka
{
    private const string Name = "librdkafka";
    private const string SystemLibrary = "librdkafka.so.1";

    private static readonly Lazy<bool> Loaded = new(Load);

    /// <summary>Makes Confluent.Kafka and this class use one and the same library.</summary>
    /// <exception cref="LogUnavailableException">It is not installed.</exception>
    internal static void Require() => _ = Loaded.Value;

    /// <summary>The native client behind one of Confluent.Kafka's.</summary>
    internal static nint HandleOf(Client.IClient client)
    {
        PropertyInfo property = typeof(Client.Handle).GetProperty(
            "LibrdkafkaHandle", BindingFlags.Instance | BindingFlags.NonPublic)
            ?? throw new LogUnavailableException(
                "This version of Confluent.Kafka hides the native client; use the version that the " +
                    "project names.");
        return ((SafeHandle)property.GetValue(client.Handle)!).DangerousGetHandle();
    }

    /// <summary>What an error object says; the object is freed.</summary>
    internal static Client.Error? Take(nint error)
    {
        if (error == 0)
            return null;
        var taken = new Client.Error(
            (Client.ErrorCode)ErrorCode(error), Marshal.PtrToStringUTF8(ErrorString(error)),
            ErrorIsFatal(error) != 0);
        ErrorDestroy(error);
        return taken;
    }

    [LibraryImport(
        Name, EntryPoint = "rd_kafka_queue_get_partition", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint QueueGetPartition(nint client, string topic, int partition);

    [LibraryImport(Name, EntryPoint = "rd_kafka_queue_forward")]
    internal static partial void QueueForward(nint queue, nint destination);

    [LibraryImport(Name, EntryPoint = "rd_kafka_queue_destroy")]
    internal static partial void QueueDestroy(nint queue);

    [LibraryImport(Name, EntryPoint = "rd_kafka_consume_batch_queue")]
    internal static partial nint ConsumeBatchQueue(nint queue, int timeoutMs, Message** messages, nint count);

    [LibraryImport(Name, EntryPoint = "rd_kafka_message_destroy")]
    internal static partial void MessageDestroy(Message* message);

    [LibraryImport(Name, EntryPoint = "rd_kafka_message_timestamp"), SuppressGCTransition]
    internal static partial long MessageTimestamp(Message* message, int* type);

    [LibraryImport(Name, EntryPoint = "rd_kafka_message_headers"), SuppressGCTransition]
    internal static partial int MessageHeaders(Message* message, nint* headers);

    [LibraryImport(Name, EntryPoint = "rd_kafka_header_get_all")]
    internal static partial int HeaderGetAll(nint headers, nint index, byte** name, byte** value, nint* size);

    [LibraryImport(Name, EntryPoint = "rd_kafka_headers_new")]
    internal static partial nint HeadersNew(nint count);

    [LibraryImport(Name, EntryPoint = "rd_kafka_header_add")]
    internal static partial int HeaderAdd(
        nint headers, byte* name, nint nameSize, byte* value, nint valueSize);

    [LibraryImport(Name, EntryPoint = "rd_kafka_headers_destroy")]
    internal static partial void HeadersDestroy(nint headers);

    [LibraryImport(Name, EntryPoint = "rd_kafka_topic_new", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint TopicNew(nint client, string topic, nint configuration);

    [LibraryImport(Name, EntryPoint = "rd_kafka_topic_destroy")]
    internal static partial void TopicDestroy(nint topic);

    [LibraryImport(Name, EntryPoint = "rd_kafka_produceva")]
    internal static partial nint Produce(nint client, Argument* arguments, nint count);

    [LibraryImport(Name, EntryPoint = "rd_kafka_purge")]
    internal static partial int Purge(nint client, int flags);

    [LibraryImport(Name, EntryPoint = "rd_kafka_clusterid")]
    internal static partial nint ClusterId(nint client, int timeoutMs);

    [LibraryImport(Name, EntryPoint = "rd_kafka_mem_free")]
    internal static partial void MemFree(nint client, nint memory);

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_new")]
    internal static partial nint ConfNew();

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_destroy")]
    internal static partial void ConfDestroy(nint configuration);

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_set", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ConfSet(
        nint configuration, string name, string value, byte* reason, nint reasonSize);

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_dump")]
    internal static partial nint* ConfDump(nint configuration, nint* count);

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_dump_free")]
    internal static partial void ConfDumpFree(nint* names, nint count);

    [LibraryImport(Name, EntryPoint = "rd_kafka_error_code")]
    private static partial int ErrorCode(nint error);

    [LibraryImport(Name, EntryPoint = "rd_kafka_error_string")]
    private static partial nint ErrorString(nint error);

    [LibraryImport(Name, EntryPoint = "rd_kafka_error_is_fatal")]
    private static partial int ErrorIsFatal(nint error);

    [LibraryImport(Name, EntryPoint = "rd_kafka_error_destroy")]
    private static partial void ErrorDestroy(nint error);

    // The system's library first, for that is the one that Debian mends; then what a package brought along.
    private static bool Load()
    {
        nint library = 0;
        DllImportResolver resolver = (name, assembly, path) =>
        {
            if (name != Name)
                return 0;
            return library != 0 || NativeLibrary.TryLoad(SystemLibrary, out library)
                || NativeLibrary.TryLoad(name, typeof(Client.Handle).Assembly, path, out library)
                ? library : 0;
        };
        NativeLibrary.SetDllImportResolver(typeof(Librdkafka).Assembly, resolver);
        NativeLibrary.SetDllImportResolver(typeof(Client.Handle).Assembly, resolver);
        if (NativeLibrary.TryLoad(SystemLibrary, out library)
            || NativeLibrary.TryLoad(Name, typeof(Client.Handle).Assembly, null, out library))
            return true;
        throw new LogUnavailableException(
            "Kafka needs librdkafka, which is not installed: on Debian, apt-get install librdkafka1.");
    }

    /// <summary>rd_kafka_message_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Message
    {
        internal int Error;
        internal nint Topic;
        internal int Partition;
        internal byte* Payload;
        internal nint PayloadBytes;
        internal byte* Key;
        internal nint KeyBytes;
        internal long Offset;
        internal nint Private;
    }

    /// <summary>rd_kafka_vu_t: one argument of <see cref="Produce"/>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 72)]
    internal struct Argument
    {
        [FieldOffset(0)]
        internal ArgumentType Type;

        [FieldOffset(8)]
        internal nint Pointer;

        [FieldOffset(8)]
        internal int Int32;

        [FieldOffset(8)]
        internal long Int64;

        [FieldOffset(16)]
        internal nint Size;
    }

    /// <summary>rd_kafka_vtype_t.</summary>
    internal enum ArgumentType
    {
        Topic = 2,
        Partition = 3,
        Value = 4,
        Key = 5,
        Timestamp = 8,
        Headers = 10,
    }
}
