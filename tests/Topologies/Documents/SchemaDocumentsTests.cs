using Streams.Connect;
using Streams.Records.Relational;
using Streams.Sinks.Sqlite;
using Streams.Tests.Support;
using Streams.Topologies.Documents;
using Streams.Topologies.Transactions;
using Xunit;

namespace Streams.Tests.Topologies.Documents;

/// <summary>The pages of docs/schemas against the descriptions that they are made from (CSIC-012,
/// CSIC-099).</summary>
public sealed class SchemaDocumentsTests
{
    private const string Command =
        "dotnet run --project topologies -c Release -- schemas --out docs/schemas";

    private static string Folder => Path.Combine(SharedData.RepositoryRoot, "docs/schemas");

    [Fact]
    public void The_committed_pages_are_those_of_the_descriptions()
    {
        foreach (GeneratedFile file in SchemaDocuments.All())
            DocumentAssert.IsFresh(Path.Combine(Folder, file.Name), file.Text, Command);
    }

    [Fact]
    public void No_page_is_left_of_a_record_that_is_no_more() =>
        Assert.Equal(
            SchemaDocuments.All().Select(file => file.Name).Order(StringComparer.Ordinal),
            Directory.GetFiles(Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    [Fact]
    public void Every_record_type_of_every_topic_has_a_page() =>
        Assert.Equal(
            [
                "alert", "alert_lookup", "chain_transaction", "dead_letter", "entity", "machine_metric",
                "metrics_hour", "risk_hour",
            ],
            SchemaDocuments.Records.Select(record => record.Schema.Name));

    [Fact]
    public void The_columns_on_the_pages_are_those_of_the_tables()
    {
        foreach (TableMapping mapping in TransactionsTables.Tables)
        {
            TopicFormat format = TransactionsTables.Formats.Single(f => f.Topic == mapping.Topic);
            IEnumerable<string> made = SqliteSchema.Tables(mapping, RelationalModel.Of(format.Schema))
                .SelectMany(table => table.Columns.Select(column => $"{table.Name}.{column.Column.Name}"));
            Assert.Equal(
                made.Order(StringComparer.Ordinal),
                new TableColumns(format.Schema, mapping).All.Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void A_page_says_number_type_unit_presence_meaning_and_column()
    {
        string page = SchemaDocuments.Records.Single(r => r.Schema.Name == "chain_transaction").Page();
        Assert.Contains(
            "| 3 | `value` | int64 | base units | optional | "
            + "Its value; absent where the output was never seen. | `transaction_inputs.value` |",
            page, StringComparison.Ordinal);
        Assert.Contains(
            "| 15 | `score` | int32 | 0-100 | always | Risk score. | `transactions.analysis_score` |",
            page, StringComparison.Ordinal);
        Assert.Contains("| 8 | `seq` | int64 | count | always | ", page, StringComparison.Ordinal);
        Assert.Contains("`retract` deletes the row", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_named()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("taken"), "");
        var e = Assert.Throws<ConfigurationException>(
            () => new GeneratedFile("a.md", "").WriteTo(folder.File("taken")));
        Assert.Contains(folder.File("taken"), e.Message, StringComparison.Ordinal);
    }
}
