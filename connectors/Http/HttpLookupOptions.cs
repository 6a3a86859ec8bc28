using Streams.Connect;

namespace Streams.Connectors.Http;

/// <summary>How something is looked up over HTTP.</summary>
public sealed record HttpLookupOptions
{
    /// <summary>What stands for the thing that is looked up in <see cref="Url"/>.</summary>
    public const string Placeholder = "{key}";

    /// <summary>What is asked for by GET, with <c>{key}</c> for what is looked up, such as
    /// <c>https://directory.example/v1/transactions/{key}</c>. Without it nothing is looked up.</summary>
    public string? Url { get; init; }

    /// <summary>The header <c>Authorization</c>. Take its secret from the environment, such as
    /// <c>Bearer ${DIRECTORY_TOKEN}</c>.</summary>
    public string? Authorization { get; init; }

    /// <summary>Longest answer that is taken, in bytes. Default 64 KiB.</summary>
    public int AnswerBytesMax { get; init; } = 64 << 10;

    /// <summary>How long a connection may take to be made. Default 5 s; an attempt's own time counts
    /// too.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Most connections at a time. Default 64.</summary>
    public int ConnectionsMax { get; init; } = 64;

    /// <summary>PEM file of the authorities that the server's certificate is trusted by; null for those of
    /// the system.</summary>
    public string? CaFile { get; init; }

    /// <summary>PEM file of the certificate that is shown to the server; null for none.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file of the key of that certificate; null where it stands in the same file.</summary>
    public string? CertificateKeyFile { get; init; }

    /// <summary>Checks what can be checked without asking anybody.</summary>
    /// <returns>The address with its placeholder.</returns>
    /// <exception cref="ConfigurationException">An option can never work.</exception>
    internal string Validate()
    {
        string url = Url ?? throw new ConfigurationException(
            "An HTTP lookup needs 'url', such as https://directory.example/v1/transactions/{key}.");
        if (!Uri.TryCreate(url.Replace(Placeholder, "key", StringComparison.Ordinal), UriKind.Absolute,
            out Uri? address) || address.Scheme is not ("http" or "https"))
            throw new ConfigurationException($"'url' is '{url}'. Give an http:// or https:// address.");
        if (!address.PathAndQuery.Contains("key", StringComparison.Ordinal)
            || !url.Contains(Placeholder, StringComparison.Ordinal))
            throw new ConfigurationException(
                $"'url' is '{url}'. Put {Placeholder} into its path or query, where what is looked up goes.");
        if (address.UserInfo.Length > 0)
            throw new ConfigurationException(
                "'url' holds a user name. Give 'authorization' instead, with its secret from the "
                + "environment: addresses get into error messages.");
        if (AnswerBytesMax is < 1 or > 64 << 20)
            throw new ConfigurationException(
                $"'answer_bytes_max' is {AnswerBytesMax:N0}. Give 1 to {64 << 20:N0}.");
        if (ConnectionsMax is < 1 or > 10_000)
            throw new ConfigurationException($"'connections_max' is {ConnectionsMax:N0}. Give 1 to 10,000.");
        if (ConnectTimeout <= TimeSpan.Zero)
            throw new ConfigurationException(
                "'connect_timeout' is 0. Give a duration, such as 5s.");
        if (CertificateKeyFile is not null && CertificateFile is null)
            throw new ConfigurationException(
                "'certificate_key_file' is given without 'certificate_file': give both or none.");
        return url;
    }
}
