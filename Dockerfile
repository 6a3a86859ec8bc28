# The image of `streams`: built from this checkout, run without root, data in /data.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src
COPY . .
RUN dotnet restore topologies/Streams.Topologies.csproj --locked-mode \
 && dotnet publish topologies/Streams.Topologies.csproj -c Release --no-restore -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# librdkafka is the client of Apache Kafka, RocksDB keeps stores on disk where that is asked for; curl asks /healthz.
RUN apt-get update \
 && apt-get install -y --no-install-recommends librdkafka1 librocksdb8.9 curl \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /app /app
RUN mkdir /data && chown app /data
# By number, for who checks that it is not root's: the image's user "app".
USER 1654
VOLUME /data
EXPOSE 9464
# SIGTERM drains and commits; give it time (docker's default is 10 s).
ENTRYPOINT ["dotnet", "/app/streams.dll"]
CMD ["run", "-c", "/etc/streams/streams.yaml"]
