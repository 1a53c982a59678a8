# iris-cloud and iris-shell. Two ways to the same image:
#   docker build -f deploy/cloud.Dockerfile .                     compiles inside (stage build)
#   make images                                                   puts the programs in build/bin onto the first stage (scripts/images)
FROM debian:bookworm-slim AS runtime
COPY scripts/packages/cloud-runtime /tmp/packages
RUN apt-get update && \
    apt-get install -y --no-install-recommends $(sed 's/#.*//' /tmp/packages) && \
    rm -rf /var/lib/apt/lists/* /tmp/packages && \
    groupadd --system --gid 10001 iris && \
    useradd --system --uid 10001 --gid iris --home-dir /var/lib/iris --shell /usr/sbin/nologin iris && \
    install -d -m 700 -o iris -g iris /var/lib/iris
# Nothing but /var/lib/iris is written: the root file system may be read-only.
USER 10001:10001
# Health and metrics are off unless they have an address. The environment goes before the file: with an empty IRIS_HEALTH
# it is listen.health of iris-cloud.toml that counts again.
ENV IRIS_DATA=/var/lib/iris IRIS_HEALTH=0.0.0.0:9464
VOLUME /var/lib/iris
# The link (gateways and operators, mutual TLS) and health and metrics.
EXPOSE 7443 9464
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/iris-cloud"]
CMD ["run"]

FROM debian:bookworm-slim AS build
COPY scripts/packages/build /tmp/packages
RUN apt-get update && \
    apt-get install -y --no-install-recommends $(sed 's/#.*//' /tmp/packages) && \
    rm -rf /var/lib/apt/lists/*
COPY . /src
WORKDIR /src
RUN cmake --preset release -DIRIS_TESTS=OFF && ninja -C build iris-cloud iris-shell && \
    strip build/bin/iris-cloud build/bin/iris-shell

FROM runtime
COPY --from=build /src/build/bin/iris-cloud /src/build/bin/iris-shell /usr/local/bin/
