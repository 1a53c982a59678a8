#pragma once

/// One function a command; `argv[0]` is its name. Exit codes: 0 ok, 1 failed, 2 usage, 3 not reachable.
namespace iris {

int init_main(int argc, char** argv);
int run_main(int argc, char** argv);
int check_main(int argc, char** argv);
int token_main(int argc, char** argv);
int operators_main(int argc, char** argv);
int gateways_main(int argc, char** argv);
int ca_main(int argc, char** argv);
int backup_main(int argc, char** argv);
int restore_main(int argc, char** argv);

} // namespace iris
