#pragma once

namespace iris {

/// `iris-node status`: asks the running program over its control socket. Exit code 3 where none runs.
int status_main(int argc, char** argv);
/// `iris-node check`: what this kernel, these rights and this machine allow. Exit code 1 where something that
/// Iris cannot do without is missing.
int check_main(int argc, char** argv);

} // namespace iris
