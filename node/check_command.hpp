#pragma once

namespace iris {

/// `iris-node check`: what this kernel, these rights and this machine allow, and what each missing thing
/// costs. Exit code 0: all that Iris cannot do without is there; 1: some of it is not; 2: wrong usage.
int check_main(int argc, char** argv);

} // namespace iris
