#include "actors/link/enrol.hpp"
#include "actors/link/private_file.hpp"

namespace iris {

Result<std::int64_t> renew_in_place(const TlsFiles& files, const std::vector<std::string>& addresses,
                                    const std::string& version, std::chrono::milliseconds patience) {
  auto key = read_small_file(files.key);
  if (!key) return key.error();
  auto request = make_request(*key);
  if (!request) return Error{request.error().code, files.key + ": " + request.error().message};
  auto granted = renew(files, addresses, *request, version, patience);
  if (!granted) return granted.error();
  auto times = certificate_times(granted->certificate);
  if (!times) return Error{Errc::corrupt, "the cloud sent no certificate"};
  if (auto written = write_private_file(files.ca, granted->ca); !written) return written.error();
  if (auto written = write_private_file(files.certificate, granted->certificate); !written)
    return written.error();
  return times->ends;
}

} // namespace iris
