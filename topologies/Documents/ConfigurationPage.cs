using System.Text;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Documents;

/// <summary>Writes docs/configuration.md: everything that a configuration can say, from the option records
/// that it is read into.</summary>
internal static class ConfigurationPage
{
    private const string Introduction = """
        # Configuration

        A run is a topology with sources and sinks. What it is comes from a YAML file (`-c FILE`), from the
        command line, or from both: the command line goes before the file, and adds its sources and sinks to
        the file's. `streams validate` checks all of it, and all that it names, and starts nothing.

            application: transactions     # the name of its state and positions; the topology's by default
            topology: transactions        # or --topology NAME
            data: /var/lib/streams        # the data directory, or --data DIR
            options:                      # of the topology, or --option risk.alert_score_min=40
              labels:
                sanction_lists: [lists/ofac]
              risk:
                alert_score_min: 40
            sources:                      # or --source KIND:LOCATION[?option=value&...]
              - kind: bitcoin-files
                files: /var/lib/bitcoin/blocks/blk*.dat
            sinks:                        # or --sink KIND:LOCATION[?option=value&...]
              - sqlite:/var/lib/streams/risk.db
              - kind: jsonl
                folder: /var/lib/streams/json
            listen: 127.0.0.1:9464

        - A source or sink is `KIND:LOCATION?option=value`, or a group with `kind` and its options. What
          stands behind the colon is the option that its heading below names; `location` is another word for
          it. `name` tells two of a kind apart: give it once and keep it, for positions are stored under it.
        - Groups nest: `risk.alert_score_min` below is `alert_score_min` under `risk` in YAML, and the name
          with its dots behind `--option`.
        - Durations have a unit: `500ms`, `10s`, `5m`, `24h`, `7d`. Whole numbers may have underscores:
          `100_000`.
        - `${NAME}` takes a variable of the environment; one that is not set stops the start.
        - A name that is not known stops the start, with the nearest one that is.

        Written by `streams options --out docs/configuration.md` from the option records: edit those, not
        this page.

        """;

    /// <summary>The page, the same on every machine.</summary>
    internal static string Write()
    {
        var text = new OptionText();
        var page = new StringBuilder(Introduction);
        page.Append("\n## A run\n\nAt the top of the file, beside the names above.\n");
        AddOptions(page, typeof(RunOptions), text);
        page.Append("\n## Topologies\n");
        foreach (TopologyKind kind in Registry.Topologies)
            AddKind(page, kind, kind.Name, text);
        page.Append("\n## Sources\n");
        foreach (SourceKind kind in Registry.Sources)
            AddKind(page, kind, $"{kind.Name}:{kind.LocationOption.ToUpperInvariant()}", text);
        page.Append("\n## Sinks\n");
        foreach (SinkKind kind in Registry.Sinks)
            AddKind(page, kind, $"{kind.Name}:{kind.LocationOption.ToUpperInvariant()}", text);
        return page.ToString();
    }

    private static void AddKind(StringBuilder page, INamedKind kind, string heading, OptionText text)
    {
        page.Append($"\n### {heading}\n\n{kind.Doc}\n");
        AddOptions(page, kind.Options, text);
    }

    private static void AddOptions(StringBuilder page, Type options, OptionText text)
    {
        page.Append("\n| option | type | unit | default | meaning |\n|---|---|---|---|---|\n");
        foreach (OptionDocument option in OptionDocument.Of(options, text))
            page.Append($"| `{option.Name}` | {option.Type} | {option.Unit} | {option.Default} ")
                .Append($"| {option.Meaning.Replace("|", "\\|")} |\n");
    }
}
