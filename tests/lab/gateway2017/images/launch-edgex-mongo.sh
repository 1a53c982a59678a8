#!/bin/sh
# As in docker-edgex-mongo: no --auth, the users' password is "password".
mongod --smallfiles &
until mongo /edgex/mongo/config/init_mongo.js; do
  sleep 5
done
wait
