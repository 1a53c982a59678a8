#!/bin/sh
consul agent -server -client=0.0.0.0 -bootstrap -ui | tee /edgex/logs/core-consul.log &
sleep "${SEED_DELAY:-10}"
java -jar -Djava.security.egd=file:/dev/urandom -Xmx100M core-config-seed.jar
wait
