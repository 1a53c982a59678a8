#pragma once
#include "tests/lab/services/http.hpp"

namespace iris::lab {

/// The stand-ins' planted vulnerability, in the place of the Java deserialisation holes of 2017. POST
/// /invoker/exec runs the body by /bin/sh -c as a child of the service; POST /invoker/send?tcp|udp&HOST&PORT
/// makes the service's own process send the body there. True when the request was for it.
bool answer_hole(const Request& request, Response& response);

} // namespace iris::lab
