#include "server/media/sha256.hpp"

#include <openssl/evp.h>

#include "server/base/check.hpp"

namespace continuo::media {

struct Sha256::Impl {
  struct Free {
    void operator()(EVP_MD_CTX* made) const noexcept { EVP_MD_CTX_free(made); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  CONTINUO_CHECK(impl_->context && EVP_DigestInit_ex(impl_->context.get(), EVP_sha256(), nullptr) == 1,
                 "libcrypto always has SHA-256");
}
Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
  CONTINUO_CHECK(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) == 1, "memory cannot fail");
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  CONTINUO_CHECK(EVP_DigestFinal_ex(impl_->context.get(), digest, &size) == 1, "asked for once");
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += {"0123456789abcdef"[digest[i] >> 4], "0123456789abcdef"[digest[i] & 15]};
  return text;
}

}  // namespace continuo::media
