using Streams.Records.Schemas;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Records;

/// <summary>The documents that are written from a description. Committed, so that a change shows in a diff;
/// STREAMS_UPDATE_FIXTURES=1 writes them anew.</summary>
public sealed class SchemaDocumentTests
{
    private static readonly RecordSchema Schema = RecordSchema.Of<EveryKind>();

    [Fact]
    public void The_proto_file_is_the_one_that_protoc_compiled_for_these_tests() =>
        AssertFixture("every_kind.proto", ProtoFile.Write(Schema, "streams.tests.wire"));

    [Fact]
    public void The_page_lists_every_field_with_its_unit_and_meaning() =>
        AssertFixture("every_kind.md", SchemaPage.Write(Schema));

    [Fact]
    public void The_text_reads_back_as_the_same_schema()
    {
        string text = SchemaText.Write(Schema);
        AssertFixture("every_kind.schema", text);
        Assert.Equal(text, SchemaText.Write(SchemaText.Read(text)));
        Assert.Empty(SchemaChanges.FindIncompatible(SchemaText.Read(text), Schema));
    }

    [Fact]
    public void Quotes_and_backslashes_in_docs_survive_the_text()
    {
        RecordSchema odd = Schema with { Doc = "A \"quoted\" \\ doc." };
        Assert.Equal(odd.Doc, SchemaText.Read(SchemaText.Write(odd)).Doc);
    }

    [Theory]
    [InlineData("", "line 2: no record")]
    [InlineData("record a 1", "line 1: a record has a name, a version and a doc")]
    [InlineData("record a x \"A.\"", "line 1: 'x' is not a number")]
    [InlineData("record a 1 \"A.", "line 1: a quotation without an end")]
    [InlineData("record a 1 \"A.\"\n1 always int64 b \"\"", "line 2: a field has a number")]
    [InlineData("record a 1 \"A.\"\n1 always int65 b \"\" \"B.\"", "line 2: 'int65' is not a FieldKind")]
    [InlineData("record a 1 \"A.\"\n1 always 3 b \"\" \"B.\"", "line 2: '3' is not a FieldKind")]
    [InlineData("record a 1 \"A.\"\n1 never int64 b \"\" \"B.\"", "line 2: 'never' is not a FieldForm")]
    [InlineData("record a 1 \"A.\"\n1 always enum:C b \"\" \"B.\"", "line 2: enumeration C is missing")]
    [InlineData("record a 1 \"A.\"\n1 always message b \"\" \"B.\"", "line 2: 'message' is not a kind")]
    [InlineData("record a 1 \"A.\"\n1 optional message:c b \"\" \"B.\"", "line 2: record c is missing")]
    [InlineData("record a 1 \"A.\"\n1 optional message:a b \"\" \"B.\"", "line 2: record a contains itself")]
    [InlineData("record a 1 \"A.\"\nenum C\n0", "line 3: an enumeration's value is a number and a name")]
    public void Other_text_is_refused_with_its_line(string text, string reason)
    {
        var e = Assert.Throws<FormatException>(() => SchemaText.Read(text));
        Assert.Contains(reason, e.Message);
    }

    private static void AssertFixture(string file, string written)
    {
        string path = Path.Combine(SharedData.RepositoryRoot, "tests/Engine/Records/Fixtures", file);
        if (Environment.GetEnvironmentVariable("STREAMS_UPDATE_FIXTURES") == "1")
            File.WriteAllText(path, written);
        Assert.Equal(File.ReadAllText(path), written);
    }
}
