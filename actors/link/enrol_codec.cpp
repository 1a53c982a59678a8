#include "actors/link/enrol_codec.hpp"

#include "core/base/hash.hpp"

#include <nlohmann/json.hpp>

namespace iris {

using Json = nlohmann::json;

namespace {

/// Without exceptions, and nothing but an object of texts: a stranger writes this.
bool read_texts(std::string_view line, std::initializer_list<std::pair<const char*, std::string*>> fields) {
  if (line.size() > largest_enrolment) return false;
  // Depth is checked while parsing: nothing here nests.
  auto flat = [](int depth, Json::parse_event_t, Json&) { return depth <= 1; };
  auto json = Json::parse(line.begin(), line.end(), flat, false);
  if (!json.is_object()) return false;
  for (auto [name, value] : fields) {
    auto i = json.find(name);
    if (i == json.end()) continue;
    if (!i->is_string()) return false;
    *value = i->get<std::string>();
  }
  return true;
}

std::string write(const Json& json) { return json.dump(-1, ' ', true, Json::error_handler_t::replace); }

} // namespace

std::string encode(const EnrolRequest& request) {
  return write(Json{{"secret", to_hex(request.secret)}, {"csr", request.csr}, {"version", request.version}});
}

std::string encode(const EnrolResponse& response) {
  if (!response.error.empty()) return write(Json{{"error", response.error}});
  return write(
      Json{{"certificate", response.certificate}, {"ca", response.ca}, {"identity", response.identity}});
}

Result<EnrolRequest> decode_enrol_request(std::string_view line) {
  EnrolRequest request;
  std::string secret;
  if (!read_texts(line, {{"secret", &secret}, {"csr", &request.csr}, {"version", &request.version}}))
    return Error{Errc::invalid, "enrolment: not one JSON object of texts on one line"};
  request.secret = from_hex(secret);
  if (request.secret.empty() != secret.empty())
    return Error{Errc::invalid, "enrolment: secret is not hexadecimal"};
  if (request.csr.empty()) return Error{Errc::invalid, "enrolment: no certificate request"};
  return request;
}

Result<EnrolResponse> decode_enrol_response(std::string_view line) {
  EnrolResponse response;
  if (!read_texts(line, {{"error", &response.error},
                         {"certificate", &response.certificate},
                         {"ca", &response.ca},
                         {"identity", &response.identity}}))
    return Error{Errc::corrupt, "enrolment: the cloud's answer cannot be read"};
  if (response.error.empty() && (response.certificate.empty() || response.ca.empty()))
    return Error{Errc::corrupt, "enrolment: the cloud's answer holds no certificate"};
  return response;
}

} // namespace iris
