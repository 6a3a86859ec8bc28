using Streams.Dsl;
using Streams.Records;
using Streams.State;
using Streams.Topologies.Transactions.State;

namespace Streams.Topologies.Transactions;

/// <summary>Passes on entities as a rollback has left them.</summary>
internal sealed class EntityRestorer : IProcessor<Bytes32, RolledBackEntry, long, Entity>
{
    private readonly Entity _entity = new();
    private ProcessorContext<long, Entity> _context = null!;
    private EntityTable _entities = null!;

    public void Init(ProcessorContext<long, Entity> context)
    {
        _context = context;
        _entities = new EntityTable(context.GetStore<BytesStore>(AnalysisProcessor.Entities));
    }

    public void Process(in Record<Bytes32, RolledBackEntry> record)
    {
        long id = EntityRecords.IdOf(record.Value.Key);
        EntityRecords.Fill(_entity, id, _entities);
        _context.Forward(new Record<long, Entity>(id, _entity, record.TimestampMs));
    }
}
