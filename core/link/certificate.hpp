#pragma once
#include "core/base/result.hpp"
#include "core/link/identity.hpp"

#include <openssl/types.h>

#include <string_view>

namespace iris {

/// Who a certificate says its holder is: the one URI among its subject alternative names. Does not verify it.
[[nodiscard]] Result<Identity> identity_of(const X509* certificate);
/// The same of a certificate's bytes, PEM or DER.
[[nodiscard]] Result<Identity> identity_of_certificate(std::string_view bytes);

} // namespace iris
