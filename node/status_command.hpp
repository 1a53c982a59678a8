#pragma once

namespace iris {

/// `iris-node status`: asks the running program over its control socket. Exit code 3 where none runs.
int status_main(int argc, char** argv);

} // namespace iris
