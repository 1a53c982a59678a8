#pragma once

namespace iris {

/// `iris-node enroll --join TOKEN --data DIR`: makes a key, asks the cloud for a certificate, writes the
/// files.
/// @returns 0 done, 1 refused or failed, 2 wrong usage, 3 the cloud cannot be reached
int enrol_main(int argc, char** argv);

} // namespace iris
