using System.Globalization;
using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Tests.Docs;

/// <summary>The examples of docs/operators.md: each block there stands here, word for word.</summary>
internal static class OperatorExamples
{
    private static readonly Consumed<string, string> Text = new(Serdes.String, Serdes.String);
    private static readonly Consumed<string, long> Amounts = new(Serdes.String, Serdes.Int64);

    private static readonly Materialized<string, string> TextStore = new()
    {
        StoreName = "last",
        ValueSerde = Serdes.String,
    };

    internal static void Stateless(StreamsBuilder builder)
    {
        KStream<string, long> payments = builder.Stream("payments", Amounts);
        payments
            .Filter((account, amount) => amount > 0)
            .MapValues((account, amount) => amount / 100)
            .Peek((account, euros) => Console.Error.WriteLine($"{account}: {euros}"))
            .To("euros", new Produced<string, long> { ValueSerde = Serdes.Int64 });
    }

    internal static void Branches(StreamsBuilder builder)
    {
        builder.Stream("payments", Amounts).Split()
            .Branch((_, amount) => amount >= 1_000_000, large => large.To("large"))
            .Branch((_, amount) => amount < 0, refunds => refunds.To("refunds"))
            .DefaultBranch(rest => rest.To("small"));
    }

    internal static void Counting(StreamsBuilder builder)
    {
        KTable<string, long> payments = builder.Stream("payments", Amounts)
            .GroupByKey()
            .Count(new Materialized<string, long> { StoreName = "payments-by-account" });
        payments.ToStream().To("counts");
    }

    internal static void Tables(StreamsBuilder builder)
    {
        // accounts: account -> country. How many accounts has each country?
        KTable<string, string> accounts = builder.Table("accounts", Text);
        accounts
            .Filter((account, country) => country != "unknown")
            .GroupBy((account, country) => (country, account))
            .Count()
            .ToStream()
            .To("accounts-by-country");
    }

    internal static void TableJoins(StreamsBuilder builder)
    {
        KTable<string, string> names = builder.Table("names", Text);
        KTable<string, string> cities = builder.Table("cities", Text);
        names
            .LeftJoin(cities, (_, name, city, hasCity) => hasCity ? $"{name} in {city}" : name, TextStore)
            .ToStream()
            .To("people");
    }

    internal static void ForeignKeys(StreamsBuilder builder)
    {
        // orders: order -> customer|item. The order's row names its customer.
        KTable<string, string> orders = builder.Table("orders", Text);
        KTable<string, string> customers = builder.Table("customers", Text);
        orders
            .Join(
                customers,
                (_, order) => order.Split('|')[0],
                (_, order, customer) => $"{order.Split('|')[1]} for {customer}")
            .ToStream()
            .To("deliveries", new Produced<string, string> { ValueSerde = Serdes.String });
    }

    internal static void Histories(StreamsBuilder builder)
    {
        // Each payment at the price that was valid when it was made, even if that is published late.
        KTable<string, string> prices = builder.Table("prices", Text, new Materialized<string, string>
        {
            HistoryRetention = TimeSpan.FromHours(24),
        });
        builder.Stream("payments", Amounts)
            .Join(
                prices,
                (_, amount, price) => $"{amount} at {price}",
                new Joined { GracePeriod = TimeSpan.FromSeconds(30) })
            .To("priced", new Produced<string, string> { ValueSerde = Serdes.String });
    }

    internal static void Globals(StreamsBuilder builder)
    {
        GlobalKTable<string, string> countries = builder.GlobalTable("countries", Text);
        builder.Stream("accounts", Text)
            .LeftJoin(
                countries,
                (account, code) => code,
                (account, code, name, hasName) => hasName ? name : code)
            .To("account-countries", new Produced<string, string> { ValueSerde = Serdes.String });
    }

    internal static void Windows(StreamsBuilder builder)
    {
        TimeWindows minutes = TimeWindows.OfSizeAndGrace(TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(10));
        KTable<Windowed<string>, long> spent = builder.Stream("payments", Amounts)
            .GroupByKey()
            .WindowedBy(minutes)
            .EmitStrategy(EmitStrategy.OnWindowClose)
            .LateRecords(late => late.To("late-payments"))
            .Reduce((sum, amount) => sum + amount);
        spent.ToStream().SelectKey((window, _) => window.ToString()).To(
            "spent-by-minute", new Produced<string, long> { KeySerde = Serdes.String });
    }

    internal static void SlidingAndSessions(StreamsBuilder builder)
    {
        KGroupedStream<string, long> payments = builder.Stream("payments", Amounts).GroupByKey();
        payments
            .WindowedBy(SlidingWindows.OfTimeDifferenceWithNoGrace(TimeSpan.FromSeconds(10)))
            .Count()
            .Filter((_, count) => count >= 3)
            .ToStream()
            .To("bursts");
        payments
            .WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(TimeSpan.FromMinutes(5)))
            .Count()
            .Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()))
            .ToStream()
            .To("visits");
    }

    internal static void Suppression(StreamsBuilder builder)
    {
        builder.Stream("payments", Amounts)
            .GroupByKey()
            .Count()
            .Suppress(Suppressed.UntilTimeLimit(
                TimeSpan.FromSeconds(5), BufferConfig.MaxRecords(100_000).EmitEarlyWhenFull()))
            .ToStream()
            .To("counts");
    }

    internal static void Cogroups(StreamsBuilder builder)
    {
        builder.Stream("deposits", Amounts).GroupByKey()
            .Cogroup<long>((_, amount, balance) => balance + amount)
            .Cogroup(
                builder.Stream("withdrawals", Amounts).GroupByKey(),
                (_, amount, balance) => balance - amount)
            .Aggregate(() => 0, new Materialized<string, long> { ValueSerde = Serdes.Int64 })
            .ToStream()
            .To("balances");
    }

    internal static void StreamJoins(StreamsBuilder builder)
    {
        KStream<string, long> orders = builder.Stream("orders", Amounts);
        KStream<string, long> payments = builder.Stream("payments", Amounts);
        JoinWindows withinAnHour = JoinWindows
            .OfTimeDifferenceAndGrace(TimeSpan.Zero, TimeSpan.FromMinutes(1))
            .After(TimeSpan.FromHours(1));
        orders
            .LeftJoin(
                payments,
                (_, price, paid, hasPaid) => hasPaid ? paid - price : -price,
                withinAnHour)
            .To("open-sums", new Produced<string, long> { ValueSerde = Serdes.Int64 });
    }

    internal static void HeldGaps(StreamsBuilder builder)
    {
        // power: miner -> watts. A sample every ten seconds, come what may, for up to a minute.
        builder.Stream("power", Amounts)
            .GapFill(
                GapFilling.Hold<long>(TimeSpan.FromSeconds(10)) with
                {
                    MaxGap = TimeSpan.FromMinutes(1),
                    KeepFilling = TimeSpan.FromMinutes(1),
                    StoreName = "last-power",
                },
                late => late.To("late-power"))
            .To("power-by-slot");
    }

    internal static void LinearGaps(StreamsBuilder builder)
    {
        builder.Stream("prices", Amounts)
            .GapFill(GapFilling.Linear<long>(TimeSpan.FromSeconds(10), Interpolate.Int64))
            .To("prices-by-slot");
    }

    internal static void Sequences(StreamsBuilder builder)
    {
        // orders: account -> +placed, -cancelled or =filled quantity. Large orders that were pulled back.
        builder.Stream("orders", Text)
            .DetectSequence(
                new SequencePattern<string, string>
                {
                    First = (_, order) => order[0] == '+' && Quantity(order) >= 100,
                    Without = (_, _, order) => order[0] == '=',
                    Then = (_, placed, order) => order[0] == '-' && Quantity(order) == Quantity(placed),
                    Within = TimeSpan.FromSeconds(5),
                    StoreName = "open-orders",
                },
                (_, placed, _) => $"pulled {Quantity(placed)}",
                (_, placed) => $"kept {Quantity(placed)}")
            .To("large-orders", new Produced<string, string> { ValueSerde = Serdes.String });
    }

    internal static void Processors(StreamsBuilder builder)
    {
        builder.AddStateStore(Stores.KeyValue(
            new StoreOptions { Name = "totals" }, Serdes.String, Serdes.Int64));
        builder.Stream("payments", Amounts)
            .Process(() => new HourlyTotals(), new ProcessOptions("hourly-totals", "totals"))
            .Main.To("totals", new Produced<string, long>
            {
                KeySerde = Serdes.String,
                ValueSerde = Serdes.Int64,
            });
    }

    private static long Quantity(string order) => long.Parse(order[1..], CultureInfo.InvariantCulture);
    internal static void Calls(StreamsBuilder builder)
    {
        var directory = new Directory();
        builder.Stream("payments", Amounts)
            .MapValuesAsync(
                (account, amount, cancellation) => directory.OwnerAsync(account, cancellation),
                new AsyncMapped<string, long, string>
                {
                    Name = "owners",
                    ResultSerde = Serdes.String,
                    Calls = new AsyncCallOptions { CallsMax = 32, OnFailure = AsyncFailure.Fallback },
                    RetryIf = failure => failure is not KeyNotFoundException,
                    Fallback = (account, amount, failure) => "unknown",
                })
            .To("owners");
    }

    private sealed class Directory
    {
        private readonly Dictionary<string, string> _owners = new() { ["anna"] = "Anna" };

        internal async Task<string> OwnerAsync(string account, CancellationToken cancellation)
        {
            await Task.Delay(1, cancellation);
            return _owners[account];
        }
    }

    private sealed class HourlyTotals : IProcessor<string, long, string, long>
    {
        private ProcessorContext<string, long> _context = null!;
        private KeyValueStore<string, long> _totals = null!;

        public void Init(ProcessorContext<string, long> context)
        {
            _context = context;
            _totals = context.GetStore<KeyValueStore<string, long>>("totals");
            context.Schedule(TimeSpan.FromHours(1), PunctuationType.StreamTime, EmitAll);
        }

        public void Process(in Record<string, long> record)
        {
            _totals.TryGet(record.Key, out long total);
            _totals.Put(record.Key, total + record.Value, record.TimestampMs);
        }

        private void EmitAll(long timeMs)
        {
            foreach ((string account, long total) in _totals.All().ToList())
            {
                _context.Forward(new Record<string, long>(account, total, timeMs));
                _totals.Delete(account);
            }
        }
    }
}
