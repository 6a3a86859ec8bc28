using Streams.Connectors.Chain;
using Streams.Records;
using Streams.State;
using Streams.Topologies.Transactions.Patterns;
using Streams.Topologies.Transactions.Prices;
using Streams.Topologies.Transactions.State;
using Streams.Topologies.Transactions.Tags;

namespace Streams.Topologies.Transactions;

/// <summary>
/// Analyses one transaction after the other, in the order of the chain, and adds what it finds to the record:
/// spent outputs, patterns, tags, entities, activity, exposure, and the rules' verdict.
/// </summary>
/// <remarks>
/// All state lies in three stores and is a function of the transactions before; docs/transactions.md walks
/// through the steps.
/// </remarks>
internal sealed class TransactionAnalyser
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    private readonly RiskOptions _options;
    private readonly TagTable _tags;
    private readonly OutputTable _outputs;
    private readonly AddressTable _addresses;
    private readonly EntityTable _entities;
    private readonly StatePrefetch _prefetch;
    private readonly Structure _structure;
    private readonly CoinJoinDetector _coinJoins = new();
    private readonly ChangeFinder _change;
    private readonly EntityClusterer _clusterer;
    private readonly MoneyLimits _limits;
    private readonly SenderFacts _sender;
    private readonly RuleBook _rules;
    private readonly byte[] _address = new byte[128];
    private readonly byte[] _numberKey = "transactions"u8.ToArray();
    private readonly BytesStore _entityStore;
    private SpentOutput[] _spent = new SpentOutput[64];

    internal TransactionAnalyser(
        RiskOptions options, TagTable tags, PriceTable prices, BytesStore outputs, BytesStore addresses,
        BytesStore entities)
    {
        _options = options;
        _tags = tags;
        _entityStore = entities;
        _outputs = new OutputTable(outputs);
        _addresses = new AddressTable(addresses);
        _entities = new EntityTable(entities);
        _prefetch = new StatePrefetch(_outputs, _addresses);
        _structure = new Structure(options);
        _change = new ChangeFinder(_addresses, _entities);
        _clusterer = new EntityClusterer(_addresses, _entities);
        _limits = new MoneyLimits(options, prices);
        _sender = new SenderFacts(_limits, tags, _addresses, _entities);
        _rules = new RuleBook(options, _limits);
    }

    /// <summary>Entities that came to be, grew or merged with the last transaction.</summary>
    internal IReadOnlyList<long> ChangedEntities => _clusterer.Changed;

    /// <summary>Reads entities.</summary>
    internal EntityTable Entities => _entities;

    /// <summary>Analyses a transaction and adds the result to it.</summary>
    internal void Analyse(ChainTransaction tx)
    {
        _prefetch.Start(tx);
        long number = ++_entityStore.GetOrAdd<long>(_numberKey, out _);
        long eventMs = tx.EventNs / NanosecondsPerMillisecond;
        var facts = new RuleFacts { EventMs = eventMs };
        tx.Analysis.IsPresent = true;
        ref TransactionAnalysis analysis = ref tx.Analysis.Value;
        Reset(ref analysis);
        _limits.MoveTo(tx, eventMs);
        ResolveInputs(tx, ref analysis);
        LookUpTags(tx, ref facts);
        CoinJoin coinJoin = _coinJoins.Detect(tx);
        analysis.CoinJoin = coinJoin.Kind;
        analysis.CoinJoinConfidence = coinJoin.Confidence;
        _structure.Describe(tx, ref analysis);
        int peel = FollowPeel(tx, ref analysis, ref facts, eventMs);
        bool apart = coinJoin.Confidence >= _options.SuppressConfidenceMin;
        // What strangers take out of a CoinJoin is not the first one's transfers.
        int nearLimit = apart ? 0 : _sender.CountNearLimit(tx);
        CountInputs(tx, number, eventMs, nearLimit);
        _clusterer.Cluster(tx, ref analysis, apart, eventMs, _spent);
        _change.Mark(tx, analysis.EntityId);
        CountOutputs(tx, number, eventMs);
        CountEntity(tx, analysis.EntityId, number, eventMs, nearLimit);
        _sender.Gather(tx, ref analysis, ref facts, nearLimit);
        TaintShare sanctionedOn = FollowTaint(tx, ref facts, out TaintShare illicitOn);
        ReportExposure(tx, ref analysis, ref facts);
        analysis.LabelSet = _tags.Version;
        analysis.PriceSet = _limits.PriceSet;
        _rules.Apply(tx, ref analysis, ref facts);
        KeepOutputs(tx, analysis.PeelHop, peel, sanctionedOn, illicitOn, eventMs);
    }

    private static void Reset(ref TransactionAnalysis analysis)
    {
        RecordList<Exposure> exposures = analysis.Exposures;
        RecordList<RiskReason> reasons = analysis.Reasons;
        analysis = default;
        exposures.Clear();
        reasons.Clear();
        analysis.Exposures = exposures;
        analysis.Reasons = reasons;
    }

    // Values and addresses come from the outputs that are spent, where those were seen; else they stay
    // missing.
    private void ResolveInputs(ChainTransaction tx, ref TransactionAnalysis analysis)
    {
        if (_spent.Length < tx.Inputs.Count)
            _spent = new SpentOutput[tx.Inputs.Count * 2];
        long sum = 0;
        for (int i = 0; i < tx.Inputs.Count; i++)
        {
            ref TransactionInput input = ref tx.Inputs[i];
            ref SpentOutput spent = ref _spent[i];
            spent.Tags = null;
            spent.IsKnown = _outputs.TryTake(
                input.PrevTxId, input.Vout, out spent.State, _address, out int addressBytes);
            if (!spent.IsKnown)
                continue;
            analysis.KnownInputs++;
            input.Value = spent.State.Value;
            input.ScriptType = (ScriptType)spent.State.ScriptType;
            sum += spent.State.Value;
            if (addressBytes == 0)
                continue;
            if (input.Address is not { } shown || !shown.Equals(_address.AsSpan(0, addressBytes)))
                input.Address = tx.Memory.Text(_address.AsSpan(0, addressBytes));
            input.AddressOrigin = AddressOrigin.Output;
        }
        if (tx.IsCoinbase || analysis.KnownInputs < tx.Inputs.Count)
            return;
        tx.InputSumBase = sum;
        tx.FeeBase = sum - tx.OutputSumBase;
        if (tx.VsizeBytes is > 0 and int vsize)
            tx.FeeRateMilliSatPerVbyte = tx.FeeBase * 1000 / vsize;
    }

    private void LookUpTags(ChainTransaction tx, ref RuleFacts facts)
    {
        if (_tags.Count == 0)
            return;
        for (int i = 0; i < tx.Inputs.Count; i++)
        {
            ref TransactionInput input = ref tx.Inputs[i];
            if (input.Address is not { } address || !_tags.TryGet(address.Span, out TagEntry? tags))
                continue;
            _spent[i].Tags = tags;
            foreach (Text tag in tags.Tags)
                input.Tags.Add(tag);
            Note(ref facts, address, tags, input.Value ?? 0);
        }
        foreach (ref TransactionOutput output in tx.Outputs.Items)
        {
            if (output.Address is not { } address || !_tags.TryGet(address.Span, out TagEntry? tags))
                continue;
            foreach (Text tag in tags.Tags)
                output.Tags.Add(tag);
            output.Country = tags.Country;
            Note(ref facts, address, tags, output.Value);
        }
    }

    private static void Note(ref RuleFacts facts, Text address, TagEntry tags, long value)
    {
        facts.IsAnyService |= tags.IsService;
        if (tags.IsSanctioned && facts.SanctionedTags is null)
        {
            facts.SanctionedAddress = address;
            facts.SanctionedTags = tags;
        }
        if (tags.IsIllicit)
        {
            facts.IllicitValue += value;
            if (facts.IllicitTags is null)
            {
                facts.IllicitAddress = address;
                facts.IllicitTags = tags;
            }
        }
        if (tags.IsMixer && facts.MixerTags is null)
        {
            facts.MixerAddress = address;
            facts.MixerTags = tags;
        }
    }

    // The output that a chain goes on with; how many of its last hops fit in the time.
    private int FollowPeel(
        ChainTransaction tx, ref TransactionAnalysis analysis, ref RuleFacts facts, long eventMs)
    {
        int continuation = _structure.PeelContinuation(tx);
        if (continuation < 0)
            return -1;
        analysis.PeelHop = 1 + (_spent[0].IsKnown ? _spent[0].State.PeelHops : 0);
        int needed = Math.Min(_options.PeelHopsMin - 1, OutputState.PeelTimes);
        facts.PeelHopsInTime = 1;
        for (int back = 0; back < Math.Min(needed, analysis.PeelHop - 1); back++)
        {
            long seconds = eventMs / 1000 - _spent[0].State.PeelSeconds[back];
            if (seconds > (long)_options.PeelWithin.TotalSeconds)
                break;
            facts.PeelHopsInTime++;
            facts.PeelSeconds = seconds;
        }
        return continuation;
    }

    private void CountInputs(ChainTransaction tx, long number, long eventMs, int nearLimit)
    {
        var first = (ushort)Math.Min(nearLimit, ushort.MaxValue);
        foreach (ref TransactionInput input in tx.Inputs.Items)
        {
            if (input.Address is not { } address)
                continue;
            _addresses.Record(address.Span, new Movement(number, eventMs, 0, input.Value ?? 0, first));
            first = 0;
        }
    }

    private void CountOutputs(ChainTransaction tx, long number, long eventMs)
    {
        foreach (ref TransactionOutput output in tx.Outputs.Items)
        {
            if (output.Address is not { } address)
                continue;
            ushort near = _sender.IsNearLimit(output.Value) ? (ushort)1 : (ushort)0;
            long entity = _addresses.Record(
                address.Span, new Movement(number, eventMs, output.Value, 0, near));
            if (entity == 0)
                continue;
            output.EntityId = _entities.Find(entity);
            output.Country ??= _clusterer.CountryOf(output.EntityId.Value);
        }
    }

    private void CountEntity(ChainTransaction tx, long? entity, long number, long eventMs, int nearLimit)
    {
        if (entity is { } id)
            _entities.Record(id, new Movement(
                number, eventMs, 0, tx.InputSumBase
                    ?? tx.OutputSumBase, (ushort)Math.Min(nearLimit, ushort.MaxValue)));
    }

    private TaintShare FollowTaint(ChainTransaction tx, ref RuleFacts facts, out TaintShare illicitOn)
    {
        var sanctioned = new TaintFlow(_options.TaintHopsMax);
        var illicit = new TaintFlow(_options.TaintHopsMax);
        for (int i = 0; i < tx.Inputs.Count; i++)
        {
            ref SpentOutput spent = ref _spent[i];
            long? value = tx.Inputs[i].Value;
            bool isSanctioned = spent.Tags is { IsSanctioned: true };
            bool isIllicit = spent.Tags is { IsIllicit: true };
            OutputState state = spent.IsKnown ? spent.State : default;
            sanctioned.Add(value, isSanctioned, state.SanctionedPpm, state.SanctionedHops);
            illicit.Add(value, isIllicit, state.IllicitPpm, state.IllicitHops);
        }
        facts.Sum = tx.InputSumBase ?? tx.OutputSumBase;
        facts.Sanctioned = sanctioned.Share(facts.Sum);
        facts.Illicit = illicit.Share(facts.Sum);
        illicitOn = illicit.Onward(facts.Sum);
        return sanctioned.Onward(facts.Sum);
    }

    private static void ReportExposure(
        ChainTransaction tx, ref TransactionAnalysis analysis, ref RuleFacts facts)
    {
        if (facts.SanctionedTags is not null)
            analysis.Exposures.Add(new Exposure { Category = Categories.Sanction, IsDirect = true });
        if (facts.IllicitTags is { } illicit)
            analysis.Exposures.Add(new Exposure
            {
                Category = TagConcepts.NameOf(illicit.Category),
                IsDirect = true,
                ValueBase = facts.IllicitValue,
            });
        if (facts.MixerTags is { } mixer)
            analysis.Exposures.Add(
                new Exposure { Category = TagConcepts.NameOf(mixer.Category), IsDirect = true });
        AddIndirect(ref analysis, Categories.Sanction, facts.Sanctioned, tx.InputSumBase);
        AddIndirect(ref analysis, Categories.Illicit, facts.Illicit, tx.InputSumBase);
    }

    private static void AddIndirect(
        ref TransactionAnalysis analysis, Text category, TaintShare share, long? sum)
    {
        if (share.Hops == 0 || share.Ppm == 0)
            return;
        analysis.Exposures.Add(new Exposure
        {
            Category = category,
            SharePpm = share.Ppm,
            ValueBase = sum is { } whole ? share.ValueOf(whole) : null,
            Hops = share.Hops,
        });
    }

    private void KeepOutputs(
        ChainTransaction tx, int peelHop, int peelOutput, TaintShare sanctioned, TaintShare illicit,
        long eventMs)
    {
        var state = new OutputState
        {
            SanctionedPpm = sanctioned.Ppm,
            SanctionedHops = (byte)sanctioned.Hops,
            IllicitPpm = illicit.Ppm,
            IllicitHops = (byte)illicit.Hops,
        };
        for (int i = 0; i < tx.Outputs.Count; i++)
        {
            ref TransactionOutput output = ref tx.Outputs[i];
            if (output.ScriptType == ScriptType.NullData)
                continue;
            state.Value = output.Value;
            state.ScriptType = (byte)output.ScriptType;
            state.PeelHops = 0;
            state.PeelSeconds = default;
            if (i == peelOutput)
                ContinuePeel(ref state, peelHop, eventMs);
            _outputs.Add(tx.TxId, output.Vout, state, output.Address is { } address ? address.Span : default);
        }
    }

    private void ContinuePeel(ref OutputState state, int hop, long eventMs)
    {
        state.PeelHops = hop;
        state.PeelSeconds[0] = (uint)(eventMs / 1000);
        for (int i = 1; i < OutputState.PeelTimes && hop > 1; i++)
            state.PeelSeconds[i] = _spent[0].State.PeelSeconds[i - 1];
    }

    private static class Categories
    {
        internal static readonly Text Sanction = TagConcepts.NameOf(TagCategory.Sanction);
        internal static readonly Text Illicit = new("illicit");
    }
}
