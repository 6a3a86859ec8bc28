namespace Streams.Records.Relational;

/// <summary>Takes a record as rows: a sink's statement binder or COPY encoder, as a struct.</summary>
/// <remarks>Between <see cref="BeginRow"/> and <see cref="EndRow"/> comes exactly one call per column of the
/// table, in the order of the model: a method of <see cref="IScalarWriter"/>, or
/// <see cref="Null"/>.</remarks>
public interface IRowWriter : IScalarWriter
{
    /// <summary>Begins a row.</summary>
    /// <param name="table">Its index in <see cref="RelationalModel.Tables"/>.</param>
    /// <param name="positions">Where the row's item is in its list, counted from 0; before it the place of
    /// the item that contains that list, and so on from the outermost. Empty for the record itself.</param>
    void BeginRow(int table, ReadOnlySpan<int> positions);

    /// <summary>Takes the absence of a value.</summary>
    void Null(FieldKind kind);

    /// <summary>Ends the row.</summary>
    void EndRow();
}
