#pragma once
#include <string>

namespace iris::lab {

/// The program of a `java -jar NAME.jar` of the 2017 gateway; never returns unless it cannot start.
int run_java(const std::string& jar);
int run_consul();
int run_mongod();
/// `mongo init_mongo.js`: makes the users, exits 0 when the server answered.
int run_mongo_shell();
/// Everything outside: name server, MQTT ingest, download site, a listed host, a victim of floods.
int run_outside(const std::string& download_folder);

} // namespace iris::lab
