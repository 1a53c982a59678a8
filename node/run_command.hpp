#pragma once

namespace iris {

/// `iris-node run`: watches until SIGTERM or SIGINT.
int run_main(int argc, char** argv);

} // namespace iris
