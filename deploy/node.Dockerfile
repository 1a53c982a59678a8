# iris-node, the program for a gateway. Two ways to the same image:
#   docker build -f deploy/node.Dockerfile .                      compiles inside (stage build)
#   make images                                                   puts the programs in build/bin onto the first stage (scripts/images)
FROM debian:bookworm-slim AS runtime
COPY scripts/packages/node-runtime /tmp/packages
RUN apt-get update && \
    apt-get install -y --no-install-recommends $(sed 's/#.*//' /tmp/packages) && \
    rm -rf /var/lib/apt/lists/* /tmp/packages && \
    install -d -m 700 /var/lib/iris
# Root, with nearly all capabilities dropped by gateway-compose.yml: the Docker socket and other processes' files belong to
# root. The root file system may be read-only; only /var/lib/iris is written.
ENV IRIS_DATA=/var/lib/iris
VOLUME /var/lib/iris
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/iris-node"]
CMD ["run"]

FROM debian:bookworm-slim AS build
COPY scripts/packages/build /tmp/packages
RUN apt-get update && \
    apt-get install -y --no-install-recommends $(sed 's/#.*//' /tmp/packages) && \
    rm -rf /var/lib/apt/lists/*
COPY . /src
WORKDIR /src
RUN cmake --preset release -DIRIS_TESTS=OFF && ninja -C build iris-node && strip build/bin/iris-node

FROM runtime
COPY --from=build /src/build/bin/iris-node /usr/local/bin/
