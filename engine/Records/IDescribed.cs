namespace Streams.Records;

/// <summary>
/// A record type that says once what its fields are. Codecs, schemas and tables all follow from that.
/// </summary>
/// <typeparam name="TSelf">The record type itself: a class for records that are reused, a struct for items of
/// a <see cref="RecordList{T}"/> and for <see cref="Nested{T}"/>.</typeparam>
/// <remarks>See docs/record-descriptions.md for how to write one and which changes stay compatible.</remarks>
public interface IDescribed<TSelf>
    where TSelf : IDescribed<TSelf>, new()
{
    /// <summary>Name, version and meaning of the record.</summary>
    static abstract RecordType RecordType { get; }

    /// <summary>
    /// Shows every field to the visitor, in ascending order of number, after one call of
    /// <see cref="IFieldVisitor.Memory"/>. The calls must be the same ones at every visit: they may not
    /// depend on the record's contents.
    /// </summary>
    void Describe<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct;
}

/// <summary>What a record type is called and means.</summary>
/// <param name="Name">snake_case; unique among the records of a process.
/// Headers, schemas and tables use it.</param>
/// <param name="Version">Goes up with each change of the description, from 1.</param>
/// <param name="Doc">One sentence for the schema page.</param>
public sealed record RecordType(string Name, int Version, string Doc);
