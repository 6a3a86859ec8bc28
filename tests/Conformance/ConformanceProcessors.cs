using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Tests.Conformance;

/// <content>Processors of the user's own.</content>
public static partial class ConformanceTopologies
{
    private static void Punctuate(StreamsBuilder builder, Scenario scenario, PunctuationType type)
    {
        builder.AddStateStore(
            Stores.KeyValue(new StoreOptions { Name = "kept" }, Serdes.String, Serdes.String));
        builder.Stream("a", Text)
            .Process(() =>
                new Punctuated(type, scenario.Duration("interval_ms")), new ProcessOptions("collect", "kept"))
            .Main.To("out", TextOut);
    }

    private static void Dedupe(StreamsBuilder builder, Scenario scenario)
    {
        builder.AddStateStore(
            Stores.KeyValue(new StoreOptions { Name = "seen" }, Serdes.String, Serdes.Int64));
        builder.Stream("a", Text)
            .Process(
                () => new DedupeProcessor(scenario.Number("within_ms")), new ProcessOptions("dedupe", "seen"))
            .Main.To("out", TextOut);
    }

    private sealed class Punctuated(PunctuationType type, TimeSpan interval)
        : IProcessor<string, string, string, string>
    {
        private ProcessorContext<string, string> _context = null!;
        private KeyValueStore<string, string> _store = null!;

        public void Init(ProcessorContext<string, string> context)
        {
            _context = context;
            _store = context.GetStore<KeyValueStore<string, string>>("kept");
            context.Schedule(interval, type, Emit);
        }

        public void Process(in Record<string, string> record)
        {
            bool has = _store.TryGet(record.Key, out string old);
            string value = record.Value ?? "null";
            _store.Put(record.Key, has ? old + "," + value : value, record.TimestampMs);
        }

        private void Emit(long timeMs)
        {
            foreach ((string key, string value) in _store.All().ToList())
            {
                _context.Forward(new Record<string, string>(key, value, timeMs));
                _store.Delete(key);
            }
        }
    }

    private sealed class DedupeProcessor(long withinMs) : IProcessor<string, string, string, string>
    {
        private ProcessorContext<string, string> _context = null!;
        private KeyValueStore<string, long> _seen = null!;

        public void Init(ProcessorContext<string, string> context)
        {
            _context = context;
            _seen = context.GetStore<KeyValueStore<string, long>>("seen");
        }

        public void Process(in Record<string, string> record)
        {
            string key = record.Key + "|" + record.Value;
            bool has = _seen.TryGet(key, out long last);
            if (has && Math.Abs(record.TimestampMs - last) < withinMs)
                return;
            _seen.Put(key, Math.Max(has ? last : long.MinValue, record.TimestampMs), record.TimestampMs);
            _context.Forward(record);
        }
    }
}
