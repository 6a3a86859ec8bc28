using Streams.Records;

namespace Streams.Connectors.Chain;

/// <summary>An output of an earlier transaction that is spent.</summary>
public struct TransactionInput : IDescribed<TransactionInput>
{
    /// <summary>The transaction whose output it is.</summary>
    public Bytes32 PrevTxId;

    /// <summary>Which output of it.</summary>
    public uint Vout;

    /// <summary>Its value; absent where the output was never seen.</summary>
    public long? Value;

    /// <summary>Who could spend it; absent where neither the output nor the spending shows it.</summary>
    public Text? Address;

    /// <summary>How it was locked.</summary>
    public ScriptType ScriptType;

    /// <summary>The sequence number.</summary>
    public uint Sequence;

    /// <summary>Where the address is known from.</summary>
    public AddressOrigin AddressOrigin;

    /// <summary>The entity that the address belongs to.</summary>
    public long? EntityId;

    /// <summary>Tags of the address, as <c>category:label</c>.</summary>
    public RecordList<Text> Tags;

    /// <summary>Keeps unknown fields.</summary>
    public RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } =
        new("transaction_input", 1, "An output of an earlier transaction that is spent.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Field(1, "prev_tx_id"u8, ref PrevTxId, Unit.None,
            "The transaction whose output it is, in display order.");
        v.Field(2, "vout"u8, ref Vout, Unit.Count, "Which output of it, from 0.");
        v.Field(
            3, "value"u8, ref Value, Unit.BaseUnits, "Its value; absent where the output was never seen.");
        v.Field(4, "address"u8, ref Address, Unit.None, "Who could spend it, where known.");
        v.Enum(5, "script_type"u8, ref ScriptType, "How it was locked.");
        v.Field(6, "sequence"u8, ref Sequence, Unit.None, "Sequence number.");
        v.Enum(7, "address_origin"u8, ref AddressOrigin, "Where the address is known from.");
        v.Field(8, "entity_id"u8, ref EntityId, Unit.None, "The entity that the address belongs to.");
        v.Repeated(9, "tags"u8, ref Tags, Unit.None, "Tags of the address, as category:label.");
    }
}

/// <summary>An amount that a transaction pays.</summary>
public struct TransactionOutput : IDescribed<TransactionOutput>
{
    /// <summary>Place among the outputs.</summary>
    public uint Vout;

    /// <summary>Its value.</summary>
    public long Value;

    /// <summary>Who can spend it; absent where the script names nobody.</summary>
    public Text? Address;

    /// <summary>How it is locked.</summary>
    public ScriptType ScriptType;

    /// <summary>Whether it looks like the payer's change.</summary>
    public bool IsChangeCandidate;

    /// <summary>How sure that is.</summary>
    public int ChangeConfidence;

    /// <summary>The entity that the address belongs to.</summary>
    public long? EntityId;

    /// <summary>Tags of the address, as <c>category:label</c>.</summary>
    public RecordList<Text> Tags;

    /// <summary>Country of the actor that the address is tagged with, ISO 3166-1 alpha-2.</summary>
    public Text? Country;

    /// <summary>Keeps unknown fields.</summary>
    public RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } = new(
        "transaction_output", 1, "An amount that a transaction pays.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Field(1, "vout"u8, ref Vout, Unit.Count, "Place among the outputs, from 0.");
        v.Field(2, "value"u8, ref Value, Unit.BaseUnits, "Its value.");
        v.Field(3, "address"u8, ref Address, Unit.None, "Who can spend it, where the script says.");
        v.Enum(4, "script_type"u8, ref ScriptType, "How it is locked.");
        v.Field(
            5, "is_change_candidate"u8, ref IsChangeCandidate, Unit.None, "Whether it looks like change.");
        v.Field(6, "change_confidence"u8, ref ChangeConfidence, Unit.Percent, "How sure that is.");
        v.Field(7, "entity_id"u8, ref EntityId, Unit.None, "The entity that the address belongs to.");
        v.Repeated(8, "tags"u8, ref Tags, Unit.None, "Tags of the address, as category:label.");
        v.Field(9, "country"u8, ref Country, Unit.None, "Country of the tagged actor, ISO 3166-1 alpha-2.");
    }
}
