#pragma once

namespace iris {

/// `iris-node record`. @returns 0 ok, 1 failed, 2 wrong usage.
int record_main(int argc, char** argv);

} // namespace iris
