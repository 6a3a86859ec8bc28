using Streams.Tests.Support;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresServers))]
